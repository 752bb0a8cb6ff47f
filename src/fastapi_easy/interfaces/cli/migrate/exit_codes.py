"""The exit codes of `migrate`, and which error ends with which."""

import enum
from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, OutcomeUnknown
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


class ExitCode(enum.IntEnum):
    """How a command ended."""

    DONE = 0
    """Done, or there was nothing to do."""

    USAGE = 1
    """The command makes no sense, or something failed that is no state of a migration."""

    PENDING = 2
    """There is something to apply (`plan`, `status --check`)."""

    NOT_ALLOWED = 3
    """A policy is in the way: an approval is missing, or a hook refused."""

    FAILED = 4
    """A step failed; how far the run has come is recorded."""

    LOCKED = 5
    """Another process migrates, or the lock was lost."""

    DIFFERENT = 6
    """The database, a plan or a script is not what it is supposed to be."""

    NEEDS_REPAIR = 7
    """Nobody can tell what a step has done: see `repair`."""


_STOPS: Final[Mapping[MigrationStop, ExitCode]] = {
    MigrationStop.NOT_ALLOWED: ExitCode.NOT_ALLOWED,
    MigrationStop.VETOED: ExitCode.NOT_ALLOWED,
    MigrationStop.FAILED: ExitCode.FAILED,
    MigrationStop.REFUSED: ExitCode.USAGE,
    MigrationStop.NOT_CONVERGED: ExitCode.FAILED,
    MigrationStop.NO_SPACE: ExitCode.FAILED,
    MigrationStop.UNSUPPORTED: ExitCode.FAILED,
    MigrationStop.IRREVERSIBLE: ExitCode.FAILED,
    MigrationStop.DRIFT: ExitCode.DIFFERENT,
    MigrationStop.CHANGED: ExitCode.DIFFERENT,
    MigrationStop.AHEAD: ExitCode.DIFFERENT,
    MigrationStop.NO_HISTORY: ExitCode.DIFFERENT,
    MigrationStop.NEEDS_REPAIR: ExitCode.NEEDS_REPAIR,
}


def exit_code_of(error: Error) -> ExitCode:
    """Return how a command ends that fails with *error*."""
    match error:
        case MigrationStopped(stop=stop):
            return _STOPS[stop]
        case LockHeld() | LockLost():
            return ExitCode.LOCKED
        case OutcomeUnknown():
            # The connection was lost while something was executed: the run is recorded, and can be resumed.
            return ExitCode.FAILED
        case _:
            return ExitCode.USAGE


def exit_code_of_command(given: int) -> ExitCode:
    """Return how a command ends that raises a `CommandError` with that code; 2 has another meaning here."""
    return next((each for each in ExitCode if each == given > ExitCode.PENDING), ExitCode.USAGE)
