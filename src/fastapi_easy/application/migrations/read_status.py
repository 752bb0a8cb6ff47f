"""Look at the stored schema, the ledger and what is left to do."""

from dataclasses import dataclass, field

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.planning.history_reading import describe_drift
from fastapi_easy.application.migrations.planning.planner import Planner
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.change import Dialect
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.domain.migrations.stopped import MigrationStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatus:
    """Look at everything, and change nothing.

    Attributes:
        hints: What only a person knows.
    """

    hints: Hints = field(default_factory=Hints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a database stands.

    Attributes:
        database: The name of the database in the settings.

        dialect: The kind of database.

        server_version: As the server spells it.

        has_ledger: Whether anything was ever applied by this system.

        is_empty: Whether there is no table but the system's own.

        head: The id of the plan that was applied last; empty for none.

        applied: The runs that led here, newest first.

        pending: What is left to do, with steps, risk and findings.

        unfinished: The run that was begun and has not ended, with the states of its steps.

        drift: Where the stored schema is not what the last run has left, or is not declared although every script was
            applied, each a sentence.

        ahead: How a newer program has migrated the database, a sentence; empty when none has.

        lock_holder: Who runs, or has run last, the unfinished run; empty when there is none, or it has stopped.

        leftovers: What half-finished changes have left in the stored schema: invalid indexes, constraints that were not
            validated. Each a sentence.

        problem: Why no plan can be made; `None` when one can.
    """

    database: str
    dialect: Dialect
    server_version: str
    has_ledger: bool
    is_empty: bool
    head: str
    applied: tuple[Run, ...]
    pending: MigrationPlan
    unfinished: Run | None
    drift: tuple[str, ...]
    ahead: str
    lock_holder: str
    leftovers: tuple[str, ...]
    problem: MigrationStopped | None = None

    @property
    def is_current(self) -> bool:
        """Return whether there is nothing to do and nothing to look at."""
        return not (self.pending or self.unfinished or self.drift or self.ahead or self.problem)


class ReadStatusHandler:
    """Carries out `ReadStatus`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: ReadStatus, /) -> Outcome[Status]:
        """Look, without a lock and without hooks.

        Fails with:
            Unavailable: The database does not answer.
        """
        store = self._collaborators.store
        described = await store.describe()
        if isinstance(described, Failure):
            return described
        read = await store.history()
        if isinstance(read, Failure):
            return read
        stored, history = described.unwrap(), read.unwrap()
        pending = MigrationPlan(database=store.name, dialect=store.dialect)
        ahead, drift = "", describe_drift(history, stored)
        problem: MigrationStopped | None = None
        looked = await Planner(self._collaborators).look(command.hints)
        if isinstance(looked, Failure):
            error = looked.failure()
            if not isinstance(error, MigrationStopped):
                return looked
            problem = error
        else:
            pending, ahead = looked.unwrap().plan, looked.unwrap().ahead
            drift = tuple(each for each in pending.drift if each != ahead)
        unfinished = history.unfinished
        is_running = unfinished is not None and unfinished.state is RunState.RUNNING
        return Success(
            Status(
                database=store.name,
                dialect=store.dialect,
                server_version=stored.server_version,
                has_ledger=history.exists,
                is_empty=stored.is_empty,
                head=history.head,
                applied=history.applied,
                pending=pending,
                unfinished=unfinished,
                drift=drift,
                ahead=ahead,
                lock_holder=unfinished.owner if unfinished is not None and is_running else "",
                leftovers=stored.unfinished,
                problem=problem,
            )
        )
