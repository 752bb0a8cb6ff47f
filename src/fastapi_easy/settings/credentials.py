"""The settings of API keys and of sessions."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from fastapi_easy.settings.section import Seconds, Section


class ApiKeySettings(Section):
    """API keys.

    Attributes:
        enabled: Whether they are accepted.

        database: The database that they are kept in; unset, `default`, or else the first in use.

        cached_for: Seconds for which a process remembers a key, and may accept one that another process has revoked.

        notes_use: Whether the last use of each key is written, once a minute at most.
    """

    enabled: bool = False
    database: str | None = None
    cached_for: Annotated[float, Field(ge=0, le=60)] = 5.0
    notes_use: bool = True


class AttemptSettings(Section):
    """How attempts to log in are slowed down.

    Attributes:
        free: Attempts that can be made one right after the other.

        delay: Seconds to wait after the last of those; twice as many after each further one.

        longest: Seconds to wait at most.

        memory: Seconds without an attempt after which all are forgotten.
    """

    free: Annotated[int, Field(ge=1)] = 5
    delay: Seconds = 1.0
    longest: Seconds = 900.0
    memory: Seconds = 3600.0

    @model_validator(mode="after")
    def _remembers_delays(self) -> Self:
        if self.memory <= self.longest:
            raise ValueError(
                "memory must be longer than longest, so that no wait is forgotten before it ends"
            )
        return self


class SessionSettings(Section):
    """Sessions of browsers.

    Attributes:
        lifetime: Seconds from log-in on, whatever happens.

        idle: Seconds without a call.

        secure: Send cookies over HTTPS only; false for plain HTTP, as on a developer's machine.

        secrets: The first one signs, and all are accepted; unset, the setting `secret` signs.

        attempts: The limit for one account.

        address_attempts: The limit for one address.

        attempts_url: Like `redis://host/0`, where all processes count together; unset, each process counts for itself.
    """

    lifetime: Seconds = 43_200.0
    idle: Seconds = 3600.0
    secure: bool = True
    secrets: tuple[SecretStr, ...] = ()
    attempts: AttemptSettings = AttemptSettings()
    address_attempts: AttemptSettings = AttemptSettings(free=50)
    attempts_url: SecretStr | None = None
