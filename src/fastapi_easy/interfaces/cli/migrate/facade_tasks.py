"""The functions behind the commands, carried out by the use cases of the application."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.application.migrations.read_status import Status
from fastapi_easy.application.migrations.repair_migration import RepairAction as Action
from fastapi_easy.application.migrations.repair_migration import Repaired as RepairedByUseCase
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Adopting,
    Applying,
    Linted,
    Made,
    Making,
    MigrationStatus,
    MigrationTarget,
    MigrationTasks,
    Planning,
    Repaired,
    Repairing,
    RollingBack,
    ScriptLinting,
    Verdict,
    Watch,
)

T = TypeVar("T")

Publish: TypeAlias = Callable[[MigrationEvent], Awaitable[None]]

OpenMigrations: TypeAlias = Callable[[MigrationTarget, Publish], AbstractAsyncContextManager[Migrations]]
"""Opens the migrations of a database for the duration of a block; they publish their events through the second
argument. May raise `CommandError`."""


def migration_tasks(
    open_migrations: OpenMigrations, lint_scripts: Callable[[ScriptLinting], Outcome[Linted]]
) -> MigrationTasks:
    """Return the functions behind the commands.

    Args:
        open_migrations: Opens the migrations of the database that a command works on.

        lint_scripts: Asks the rules about scripts, without a database.
    """
    # What is logged stands in the answers too: without a handler Python prints it, and unmasked.
    logging.getLogger("fastapi_easy.migrations").addHandler(logging.NullHandler())
    facade = _Facade(open_migrations)
    return MigrationTasks(
        make=facade.make,
        plan=facade.plan,
        lint=facade.lint,
        lint_scripts=lint_scripts,
        apply=facade.apply,
        rollback=facade.rollback,
        status=facade.status,
        repair=facade.repair,
        baseline=facade.baseline,
    )


class _Facade:
    """Calls use cases, each on an event loop of its own."""

    def __init__(self, open_migrations: OpenMigrations) -> None:
        self._open = open_migrations

    def make(self, asked: Making) -> Outcome[Made | None]:
        planning = asked.planning

        async def make(migrations: Migrations) -> Outcome[Made | None]:
            written = await migrations.make(asked.message, planning.hints)
            if isinstance(written, Failure):
                return written
            if not written.unwrap():
                return Success(None)
            # What is pending now is what was written, so it is assessed once more, as it will be applied.
            plan = await migrations.plan(planning.hints)
            return Success(Made(file=Path(written.unwrap()), plan=plan.value_or(None)))

        return self._call(planning.at, make)

    def plan(self, asked: Planning) -> Outcome[MigrationPlan]:
        return self._call(asked.at, lambda migrations: migrations.plan(asked.hints))

    def lint(self, asked: Planning) -> Outcome[Linted]:
        planned = self.plan(asked)
        return planned if isinstance(planned, Failure) else Success(Linted(plan=planned.unwrap()))

    def apply(self, asked: Applying, watch: Watch) -> Outcome[Run | None]:
        async def apply(migrations: Migrations) -> Outcome[Run | None]:
            return await migrations.apply(
                asked.plan,
                approvals=asked.approvals,
                wait=asked.wait,
                hints=asked.planning.hints,
                until_step=None if asked.steps is None else asked.steps - 1,
            )

        return self._call(asked.planning.at, apply, watch)

    def rollback(self, asked: RollingBack, watch: Watch) -> Outcome[Run | None]:
        async def roll_back(migrations: Migrations) -> Outcome[Run | None]:
            return await migrations.rollback(
                steps=asked.steps, to=asked.to or None, approvals=asked.approvals, wait=asked.wait
            )

        return self._call(asked.at, roll_back, watch)

    def status(self, asked: MigrationTarget) -> Outcome[MigrationStatus]:
        async def look(migrations: Migrations) -> Outcome[MigrationStatus]:
            found = await migrations.status()
            return found if isinstance(found, Failure) else Success(_status(found.unwrap()))

        return self._call(asked, look)

    def repair(self, asked: Repairing, watch: Watch) -> Outcome[Repaired]:
        async def repair(migrations: Migrations) -> Outcome[Repaired]:
            found = await migrations.repair(Action(asked.action.value), index=asked.step, wait=asked.wait)
            return found if isinstance(found, Failure) else Success(_repaired(found.unwrap()))

        return self._call(asked.at, repair, watch)

    def baseline(self, asked: Adopting) -> Outcome[Run]:
        return self._call(
            asked.at, lambda migrations: migrations.baseline(asked.revision or None, wait=asked.wait)
        )

    def _call(
        self,
        at: MigrationTarget,
        question: Callable[[Migrations], Awaitable[Outcome[T]]],
        watch: Watch = lambda _: None,
    ) -> Outcome[T]:
        async def publish(event: MigrationEvent) -> None:
            watch(event)

        async def ask() -> Outcome[T]:
            async with self._open(at, publish) as migrations:
                return await question(migrations)

        return asyncio.run(ask())


def _status(found: Status) -> MigrationStatus:
    return MigrationStatus(
        server_version=found.server_version,
        head=found.head,
        applied=found.applied,
        pending=found.pending,
        unfinished=found.unfinished,
        # What an unfinished run has done so far is no drift.
        drift=found.drift if found.unfinished is None else (),
        ahead=found.ahead,
        holder=found.lock_holder,
        leftovers=found.leftovers,
        problem=found.problem,
    )


def _repaired(found: RepairedByUseCase) -> Repaired:
    return Repaired(
        run=found.run,
        verdicts=tuple(
            Verdict(
                index=each.index,
                summary=each.summary,
                recorded=each.state,
                effect=each.effect,
                advice=each.advice,
            )
            for each in found.verdicts
        ),
    )
