"""Why a migration does not go on."""

import enum
from dataclasses import dataclass
from typing import ClassVar


class MigrationStop(enum.StrEnum):
    """Why a migration does not go on."""

    NOT_ALLOWED = "not_allowed"
    """A step needs an approval that was not given."""

    VETOED = "vetoed"
    """A hook refused."""

    FAILED = "failed"
    """A step failed; how far the run has come is recorded."""

    REFUSED = "refused"
    """The database refuses to be read, or to be written to before any step: the account, a right, a standby."""

    DRIFT = "drift"
    """The stored schema is not the one the plan was made for."""

    CHANGED = "changed"
    """A script or a plan is not what was reviewed, or what was begun."""

    AHEAD = "ahead"
    """The database was migrated by a newer program."""

    NO_HISTORY = "no_history"
    """The database has tables and no ledger: it has to be adopted first."""

    NEEDS_REPAIR = "needs_repair"
    """Nobody can tell what a step has done."""

    NOT_CONVERGED = "not_converged"
    """After every step there are differences left."""

    NO_SPACE = "no_space"
    """There is no room for a backup."""

    UNSUPPORTED = "unsupported"
    """There are no steps for a difference."""

    IRREVERSIBLE = "irreversible"
    """A step cannot be undone."""


@dataclass(frozen=True, slots=True)
class MigrationStopped:
    """A migration does not go on, and says what to do.

    Attributes:
        database: The name of the database in the settings.

        stop: Why.

        message: What happened and what to do, for people. Without secrets.

        run_id: The run that is recorded; empty when there is none.

        details: Further sentences: what is not allowed, what differs, what is left.
    """

    code: ClassVar[str] = "migration_stopped"
    database: str
    stop: MigrationStop
    message: str
    run_id: str = ""
    details: tuple[str, ...] = ()
