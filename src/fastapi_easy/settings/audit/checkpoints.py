"""The settings of checkpoints, anchors and archives of the audit trail."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from fastapi_easy.settings.section import Seconds, Section


class CheckpointSettings(Section):
    """The checkpoints of the audit trail, which the relay signs, or `fastapi-easy audit anchor`. Times in seconds.

    Attributes:
        signing_keys: Private keys, as `fastapi-easy audit keygen` prints them: the current one first, and those before
            it for as long as they sign as well. Only processes that make checkpoints need them.

        public_keys: Those of earlier checkpoints, and of all for processes that make none.

        origin: What the trail is called in checkpoints; the name of the current key unless set. Never changed.

        every: The time between two checkpoints of a stream that is written.

        entries: Entries after which a checkpoint is made at once.

        heartbeat: The time between two checkpoints of a stream that is not written.

        anchors: Where checkpoints are sent: `file:///…`, `log:`, `https://…`.

        archive: The folder to which entries go once they are old; unset, they stay.

        archive_after: How old they are by then: the age of a checkpoint that covers them.
    """

    signing_keys: tuple[SecretStr, ...] = ()
    public_keys: tuple[str, ...] = ()
    origin: Annotated[str, Field(pattern=r"^[^\s+]{1,200}$")] | None = None
    every: Seconds = 60.0
    entries: Annotated[int, Field(ge=1)] = 1000
    heartbeat: Seconds = 86_400.0
    anchors: tuple[str, ...] = ()
    archive: Path | None = None
    archive_after: Seconds = 7_776_000.0

    @model_validator(mode="after")
    def _archive_needs_an_anchor(self) -> Self:
        if self.archive is not None and not self.anchors:
            raise ValueError("only what is anchored is archived: set audit.checkpoints.anchors")
        return self
