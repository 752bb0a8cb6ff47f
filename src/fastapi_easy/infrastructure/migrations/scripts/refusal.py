"""A script that steps cannot be made of."""

from fastapi_easy.domain.migrations.stopped import MigrationStop


class ScriptRefusal(Exception):
    """Raised when steps cannot be made of scripts; the message is for people and says what to do.

    Attributes:
        stop: Why the migration does not go on.
    """

    def __init__(self, message: str, stop: MigrationStop = MigrationStop.UNSUPPORTED) -> None:
        super().__init__(message)
        self.stop = stop
