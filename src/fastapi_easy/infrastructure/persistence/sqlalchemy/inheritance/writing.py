"""The writes of a resource whose entities are stored in several tables.

Each write that is about stored entities locks them first, in all tables, and then writes one table after the other by
the key: a condition may be about any of the tables, and need not hold any more once the first of them is written.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.infrastructure.persistence.sqlalchemy.inheritance.removing import (
    TopWriter,
    in_chunks,
    padded,
    refusals_of,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements import build as statements
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.store_defaults import split_store_defaults
from fastapi_easy.infrastructure.persistence.sqlalchemy.writing import Writer
from fastapi_easy.infrastructure.relational.transaction import Transaction


def writer_of(plan: Plan, transaction: Transaction, journal_rows: Sequence[JournalRow] = ()) -> Writer:
    """Return what writes the rows of *plan* in *transaction*, with *journal_rows* in the statement of a write."""
    if plan.is_one_table:
        return Writer(plan, transaction, journal_rows)
    return TopWriter(plan, transaction) if len(plan.parts) == 1 else TablesWriter(plan, transaction)


class TablesWriter(TopWriter):
    """Writes rows that lie in several tables.

    Args:
        plan: The plan of the resource.

        transaction: The transaction that the writes belong to.
    """

    __slots__ = ("_writers",)

    def __init__(self, plan: Plan, transaction: Transaction) -> None:
        super().__init__(plan, transaction)
        self._writers = [(part, Writer(part, transaction)) for part in plan.parts]

    async def add(self, values: Values) -> Row:
        """Insert a row into each table, the uppermost first, which makes the key."""
        (row,) = await self._add([self._complete(values)])
        return row

    async def add_all(self, many: Sequence[Values], *, is_stored: bool = False) -> Sequence[Row]:
        """Insert many rows, and return them in the same order; *is_stored* as a store held them before."""
        version = self._plan.resource.version
        complete = [self._complete(values) for values in many]
        if is_stored and version is not None:
            complete = [
                each | {version: old.get(version, 1)} for each, old in zip(complete, many, strict=True)
            ]
        return await self._add(complete, is_stored=is_stored) if complete else []

    async def change(
        self, key: Key, patch: Values, expected_version: str | None, scope: Specification
    ) -> Row:
        """Set the fields of *patch* on the row with *key*, if it is one of *scope*, in the tables concerned."""
        plan = self._plan
        self._reject_nulls(plan.find_nulls(patch, whole=False))
        changes, target = self._changes(key, patch), self._target_row(key, scope)
        async with self._transaction.atomic():
            row = await self._lock_version(target, expected_version)
            key, changed = plan.resource.key_of(row), dict(row)
            for part, writer, own in self._concerned(changes):
                with refusals_of(part, (patch,)):
                    changed |= await writer.set_values(key, own)
            if changes and plan.triggers.exist:
                return await self._read(key)
        return Row(changed)

    async def change_where(self, specification: Specification, patch: Values, max_affected: int) -> int:
        """Set the fields of *patch* on every row that *specification* means, in the tables concerned."""
        plan = self._plan
        self._reject_nulls(plan.find_nulls(patch, whole=False))
        if any(name in patch for name in plan.resource.key):
            raise ValueError("the key of an entity never changes")
        async with self._transaction.atomic():
            keys = await self._lock_keys(specification, max_affected)
            for part, _, own in self._concerned(self._without_version(patch)):
                given, reset = split_store_defaults(part, own)
                statement = statements.change_keys(part, tuple(given), reset)
                for chunk in in_chunks(keys):
                    parameters = {"fe_keys": padded(chunk), **statements.new_values(given)}
                    with refusals_of(part, (patch,)):
                        _ = await self._transaction.execute(statement, parameters, writes=True)
        return len(keys)

    async def _add(self, complete: Sequence[dict[str, object]], *, is_stored: bool = False) -> Sequence[Row]:
        """Insert rows of values that are complete."""
        plan = self._plan
        made: list[dict[str, Any]] = [{} for _ in complete]
        async with self._transaction.atomic():
            for part, writer in self._writers:
                own = [_own_values(part, each) for each in complete]
                # From the second table on the key is the one that the first has made, and no mistake of a caller's.
                given = [one | _key_of(part, held) for one, held in zip(own, made, strict=True)]
                with refusals_of(
                    part, own if part is plan.parts[0] else [_without_key(part, one) for one in own]
                ):
                    rows = (
                        [await writer.add(given[0])]
                        if len(given) == 1 and not is_stored
                        else await writer.add_all(given, is_stored=is_stored)
                    )
                made = [{**row, **held} for held, row in zip(made, rows, strict=True)]
            if plan.triggers.exist:
                return [await self._read(plan.resource.key_of(Row(each))) for each in made]
        return [Row({name: each[name] for name in plan.names}) for each in made]

    def _concerned(self, changes: Values) -> Iterator[tuple[Plan, Writer, dict[str, object]]]:
        """Yield the tables that *changes* are about, and those that every change of an entity is written to."""
        if not changes:
            return
        for part, writer in self._writers:
            own = _own_values(part, changes)
            if own or _is_always_written(part):
                yield part, writer, own


def _is_always_written(part: Plan) -> bool:
    fields = part.resource.stored_fields.values()
    return part.resource.version is not None or any(field.update_default for field in fields)


def _own_values(part: Plan, values: Values) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in part.columns}


def _key_of(part: Plan, values: Values) -> dict[str, object]:
    return {name: values[name] for name in part.resource.key if name in values}


def _without_key(part: Plan, values: Values) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in part.resource.key}
