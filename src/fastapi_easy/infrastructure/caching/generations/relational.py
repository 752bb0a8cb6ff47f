"""Generations of a relational database, in a table beside those whose changes they mark."""

import functools
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import Executable, bindparam, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fastapi_easy.domain.changes.generation import new_generation
from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.system_tables.generations_table import (
    GENERATIONS_SYSTEM_TABLE,
    GENERATIONS_TABLE,
)

SHARDS: Final = 8
"""Rows of one generation: two transactions that raise it wait for each other only when they draw the same one."""


class RelationalGenerations:
    """Implements `Generations` in *database*."""

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        dialect = database.executor.engine.dialect.name
        self._upsert = _upsert(dialect)
        # SQLite has one writer at a time, who waits for nobody here.
        self._shards = 1 if dialect == "sqlite" else SHARDS

    def table_of(self, resource: Resource[Any]) -> str:
        """Return the name of the table of *resource*, with its schema; of several the uppermost.

        A change of an entity changes what is read of it as one of the class above.
        """
        return self._database.entities.parts_of(resource.stored)[0].table.fullname

    def association_of(self, relation: Relation) -> str | None:
        """Return the name of the association table of *relation*; `None` without one."""
        if relation.through is None:
            return None
        return self._database.entities.association_table(relation.through.table).fullname

    async def prepare(self, names: Sequence[str]) -> Outcome[Sequence[str]]:
        """Create the table, and raise the generations *names*."""
        database = self._database
        if database.is_read_only:
            return Success((_READ_ONLY,))
        transaction = database.begin()
        try:
            await ensure_tables(database, (GENERATIONS_SYSTEM_TABLE,))
            for name in names:
                _ = await transaction.execute(self._upsert, self._raised(name), writes=True)
            await transaction.commit()
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        finally:
            await transaction.close()
        return Success(())

    async def read(self, names: Sequence[str]) -> Outcome[Mapping[str, str]]:
        """Return the committed generations of *names*, in one query."""
        parameters = {f"n{place}": name for place, name in enumerate(names)}
        try:
            answer = await self._database.executor.read(_select(len(names)), parameters)
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        found: dict[str, str] = {}
        for name, shard, value in answer.rows:
            found[name] = f"{found.get(name, '')}{shard}:{value} "
        return Success(found)

    async def raise_in(self, work: Any, names: Sequence[str]) -> Outcome[None]:
        """Raise the generations *names* in the transaction of *work*, a unit of work of this database."""
        try:
            for name in names:
                # Not called a write: that would set a savepoint before it, and nothing follows but the commit.
                _ = await work.transaction.execute(self._upsert, self._raised(name))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(None)

    def _raised(self, name: str) -> Mapping[str, object]:
        return {"name": name, "shard": secrets.randbelow(self._shards), "value": new_generation()}

    def _unavailable(self, error: BaseException) -> Failure[Error]:
        unavailable = as_unavailable(error, self._database.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)


@functools.cache
def _select(number: int) -> Executable:
    columns = GENERATIONS_TABLE.c
    names = [bindparam(f"n{place}", type_=columns.name.type) for place in range(number)]
    # In order, since what is made of the rows is compared.
    return select(GENERATIONS_TABLE).where(columns.name.in_(names)).order_by(columns.name, columns.shard)


def _upsert(dialect: str) -> Executable:
    key = list(GENERATIONS_TABLE.primary_key)
    match dialect:
        case "mysql" | "mariadb":
            double = mysql.insert(GENERATIONS_TABLE)
            return double.on_duplicate_key_update(value=double.inserted.value)
        case "sqlite":
            lite = sqlite.insert(GENERATIONS_TABLE)
            return lite.on_conflict_do_update(index_elements=key, set_={"value": lite.excluded.value})
        case _:  # `resolve` lets nothing pass but these and PostgreSQL
            made = postgresql.insert(GENERATIONS_TABLE)
            return made.on_conflict_do_update(index_elements=key, set_={"value": made.excluded.value})


_READ_ONLY: Final = (
    "answers can only be kept where a change can be marked, and the database takes no changes: declare its resources "
    "without a cache"
)
