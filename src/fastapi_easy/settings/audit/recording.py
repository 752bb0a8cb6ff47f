"""How the audit trail is written."""

from typing import Annotated

from pydantic import Field, SecretStr

from fastapi_easy.settings.audit.checkpoints import CheckpointSettings
from fastapi_easy.settings.section import Section


class HistorySettings(Section):
    """How much of the audit trail one question about the past may read; a larger one is refused.

    Attributes:
        entries: Entries, for one answer.

        entities: Entities, deleted ones included, for a list as of a time.
    """

    entries: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    entities: Annotated[int, Field(ge=1, le=100_000)] = 1000


class AuditSettings(Section):
    """The audit trail of resources that are declared with `audit`.

    Attributes:
        keys: What entries are authenticated with: by id, each 32 random bytes in base64, as `fastapi-easy secrets
            generate` prints them. They are never in the database. Those of earlier times stay for as long as entries
            are verified.

        current: The id of the key that new entries are authenticated with; not needed where there is only one.

        personal_key: What the keys of people are encrypted with, 32 random bytes in base64; those of `encryption`
            unless set.

        streams: Chains that the changes of what belongs to no tenant are spread over. To be changed as seldom as
            possible: what happens to one entity is in one chain as long as it stays.

        strict: Refuse to start where the database lets the application change what is recorded, or the triggers that
            refuse such changes are missing; otherwise a warning is logged.

        reads: Reads that wait to be recorded at most, of resources with `Audit(reads=True)`; others are only counted.

        history: How much of the trail one question about the past may read.

        checkpoints: How the trail is signed, anchored and archived.
    """

    keys: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")], SecretStr] = {}
    current: str | None = None
    personal_key: SecretStr | None = None
    streams: Annotated[int, Field(ge=1, le=256)] = 16
    strict: bool = False
    reads: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    history: HistorySettings = HistorySettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
