"""A program whose classes declare given tables, and its migrations as a deploy script opens them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine, MetaData, event
from sqlalchemy.orm import DeclarativeBase

from fastapi_easy.container import Container, resource
from fastapi_easy.migrations import Approvals, Hints, MigrationPlan, Migrations, Run, open_migrations
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing.conformance.store import value_of
from tests.e2e.datasets import readable_fields

T = TypeVar("T")

EVERYTHING = Approvals.read(["dangerous", "destructive"])
_HARMLESS = re.compile(
    r"\s*(SELECT|SET|SHOW|PRAGMA|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|WITH|VALUES|EXPLAIN|"
    r"(CREATE|DROP) TEMPORARY|CREATE TYPE pg_temp)\b",
    re.IGNORECASE,
)
_OF_OURS = re.compile(r"\bfe_(migration|shape)")
"""The ledger, and what a server is shown in temporary tables."""


def container_of(metadata: MetaData) -> type[Container]:
    """Return a container with a resource for each table of *metadata*."""

    class Tables(DeclarativeBase):
        pass

    Tables.metadata = metadata
    members = {
        f"r{place}_{re.sub(r'[^a-z]', '', table.name)}": resource(
            type(f"Class{place}", (Tables,), {"__table__": table}),
            fields=readable_fields(table.columns.keys()),
        )
        for place, table in enumerate(metadata.sorted_tables)
    }
    return type("Shop", (Container,), members)


@dataclass(frozen=True, slots=True)
class Program:
    """A program whose classes declare the tables of *metadata*, for the database at *url*."""

    url: str
    metadata: MetaData

    def container(self, **options: Any) -> Container:
        """Return its container."""
        database = DatabaseSettings.model_validate({"url": self.url, **options})
        return container_of(self.metadata)(settings=Settings(databases={"default": database}))

    def ask(self, question: Callable[[Migrations], Awaitable[T]]) -> T:
        """Return what *question* finds out of its migrations, while they are open."""

        async def ask() -> T:
            async with open_migrations(self.container()) as migrations:
                return await question(migrations)

        return asyncio.run(ask())

    def plan(self, hints: Hints | None = None) -> MigrationPlan:
        """Return the plan that is made now."""
        return value_of(self.ask(lambda migrations: migrations.plan(hints)))

    def apply(self, hints: Hints | None = None) -> Run:
        """Apply whatever it takes."""
        return value_of(self.ask(lambda migrations: migrations.apply(approvals=EVERYTHING, hints=hints)))


async def runs_after(migrations: Migrations, plan_id: str) -> tuple[Run, ...]:
    """Return the runs that were applied after the plan *plan_id*, the first one first."""
    applied = value_of(await migrations.status()).applied
    names = [each.plan_id for each in applied]
    return applied[: names.index(plan_id)][::-1]


def statements_of(runs: Iterable[Run]) -> list[str]:
    """Return what is recorded as the statements of *runs*, in order."""
    return [statement for run in runs for step in run.steps for statement in step.statements]


@contextmanager
def written_statements() -> Iterator[list[str]]:
    """Yield the list of what any engine of this process executes meanwhile that may change something of a user's.

    A statement that is repeated at once is there once: batches are.
    """
    found: list[str] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        in_memory = connection.dialect.name == "sqlite" and connection.engine.url.database in {
            None,
            ":memory:",
        }
        if in_memory or _HARMLESS.match(statement) or _OF_OURS.search(statement):
            return
        if found[-1:] != [statement]:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
