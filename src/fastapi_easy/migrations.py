"""Migrations as a library: for deploy scripts, routes of administrators, hooks, and rules of a program's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi_easy.application.migrations.hooks.contexts import PlanContext, RunContext, StepContext
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.application.migrations.read_standing import Standing
from fastapi_easy.application.migrations.read_status import Status
from fastapi_easy.application.migrations.repair_migration import RepairAction
from fastapi_easy.bootstrap.opening import checked_kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.operators import written_by_operators
from fastapi_easy.composition.schemas.migrations import make_migrations
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.container import Container
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migration_required import MigrationRequired
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals, MigrationPolicy, Suppression
from fastapi_easy.domain.migrations.risk import (
    Circumstances,
    Consequence,
    Finding,
    Risk,
    Rule,
    Statistics,
    Verdict,
)
from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.domain.migrations.step import Step

__all__ = [
    "Approvals",
    "Change",
    "ChangeKind",
    "Circumstances",
    "Consequence",
    "Finding",
    "Hints",
    "MigrationHooks",
    "MigrationPlan",
    "MigrationPolicy",
    "MigrationRequired",
    "Migrations",
    "PlanContext",
    "RepairAction",
    "Risk",
    "Rule",
    "Run",
    "RunContext",
    "RunState",
    "Standing",
    "Statistics",
    "Status",
    "Step",
    "StepContext",
    "Suppression",
    "Verdict",
    "open_migrations",
]


@asynccontextmanager
async def open_migrations(container: Container, database: str | None = None) -> AsyncIterator[Migrations]:
    """Open the migrations of one database of *container*, and close it at the end. Nothing is compared or changed.

    ```python
    async with open_migrations(Shop()) as migrations:
        plan = await migrations.plan()
    ```

    Args:
        container: An instance of your container.

        database: The name of the database in the settings; `None` for the only one, or else `default`.

    Raises:
        DeclarationError: With every mistake in the declarations, or because no resource lives in such a database, or
            nothing has to be migrated in one of its technology.
    """
    application = cast("Application", container)
    _ = checked_kernel(application)
    used = {each.name: each for each in application.every_database()}
    name = database or (next(iter(used)) if len(used) == 1 else "default")
    if name not in used:
        raise DeclarationError(
            [f"no resource lives in database {name!r}: name one of {', '.join(sorted(used))}"]
        )
    opened = used[name]
    store = find_schema_store(application, opened)
    if store is None:
        raise DeclarationError(
            [f"database {name!r}: there is nothing to migrate in {opened.technology}, which keeps no schema"]
        )
    async with AsyncExitStack() as stack:
        _ = stack.push_async_callback(opened.close)
        _ = stack.push_async_callback(store.close)
        await opened.open()
        await stack.enter_async_context(written_by_operators(application))
        yield make_migrations(application, opened, store)
