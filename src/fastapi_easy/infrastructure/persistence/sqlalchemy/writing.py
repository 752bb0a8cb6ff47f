"""The writes of one resource inside a transaction."""

from collections.abc import Awaitable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Delete, Executable, Insert, Update

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row, Rows
from fastapi_easy.domain.errors import Key, NotFound, Stale, TooLarge
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.infrastructure.persistence.sqlalchemy.batching import (
    InsertBatch,
    concatenate,
    find_nulls,
    inserted_rows,
    make_batches,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.combined_write import with_journal_rows
from fastapi_easy.infrastructure.persistence.sqlalchemy.generated_keys import (
    advance_sequences,
    keep_zero_keys,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements import build as statements
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.array_inserts import can_insert_arrays
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.store_defaults import (
    made_from_others,
    split_store_defaults,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.write_rejected import (
    WriteRejected,
    check_inserted,
    check_view,
    left_out,
)
from fastapi_easy.infrastructure.relational.driver.executor import StatementResult
from fastapi_easy.infrastructure.relational.errors import null_not_allowed
from fastapi_easy.infrastructure.relational.transaction import Transaction

CHUNK: Final = 1_000
"""Rows sent in one statement; SQLAlchemy splits them further where the number of parameters is limited."""

_LONGEST_NUMBER: Final = 18
"""Digits of a whole number that always fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class _TargetRow:
    """The row that a write is about.

    Attributes:
        key: Its key.

        form: The form of the specification that the row has to satisfy.

        parameters: The values of key and specification; `None` when no row can have that key.
    """

    key: Key
    form: ConditionTemplate
    parameters: dict[str, object] | None


class Writer:
    """Writes rows of one resource in a transaction. Each method makes all of its changes or none.

    Args:
        plan: The plan of the resource.

        transaction: The transaction that the writes belong to.

        journal_rows: Rows of the journal to insert in the same statement as a write.
    """

    __slots__ = ("_journal_rows", "_plan", "_transaction")

    def __init__(self, plan: Plan, transaction: Transaction, journal_rows: Sequence[JournalRow] = ()) -> None:
        self._plan = plan
        self._transaction = transaction
        self._journal_rows = journal_rows

    def add(self, values: Values) -> Awaitable[Row]:
        """Insert a row."""
        return self._insert(self._complete(values))

    async def add_all(self, many: Sequence[Values], *, is_stored: bool = False) -> Sequence[Row]:
        """Insert many rows, and return them in the same order; *is_stored* as a store held them before."""
        plan = self._plan
        groups = make_batches(plan, many, is_stored=is_stored)
        self._reject_nulls(find_nulls(plan, many, groups))
        if not groups:
            return []
        parts: list[tuple[Sequence[int], Rows]] = []
        async with self._transaction.atomic():
            async with keep_zero_keys(plan, self._transaction, many) if is_stored else nullcontext():
                for group in groups:
                    parts += [
                        (part.places, await self._add_part(part, is_stored=is_stored))
                        for part in group.chunks(CHUNK)
                    ]
            if is_stored:
                await advance_sequences(plan, self._transaction, many)
        if len(groups) == 1:
            return concatenate([rows for _, rows in parts])
        made = {place: row for places, rows in parts for place, row in zip(places, rows, strict=True)}
        return [made[place] for place in range(len(many))]

    async def change(
        self, key: Key, patch: Values, expected_version: str | None, scope: Specification
    ) -> Row:
        """Set the fields of *patch* on the row with *key*, if it is one of *scope*."""
        plan = self._plan
        self._reject_nulls(plan.find_nulls(patch, whole=False))
        changes = self._changes(key, patch)
        target = self._target_row(key, scope)
        version_parameter = self._version_parameter(expected_version)
        if expected_version is not None and not (version_parameter and changes):
            current = await self._lock_version(target, expected_version)
            if not changes:
                return current
        changed = await (self._change(target, changes, version_parameter) if changes else self._find(target))
        if changed is None and expected_version is not None:
            # Raises why: the row is gone, or has another version. If neither, it has got the version since the first
            # try, and is locked now, so that a second try finds it.
            _ = await self._lock_version(target, expected_version)
            changed = await self._change(target, changes, version_parameter)
        if changed is None:
            raise await self._refusal(target)
        return changed

    async def set_values(self, key: Key, changes: Values) -> Row:
        """Set *changes* on the row with *key*, which is there and locked; nothing but its version if there are none."""
        target = self._target_row(key)
        changed = await self._change(target, changes, {})
        if changed is None:
            raise await self._refusal(target)
        return changed

    async def remove(self, key: Key, expected_version: str | None, scope: Specification) -> None:
        """Delete the row with *key*, if it is one of *scope*."""
        target = self._target_row(key, scope)
        version_parameter = self._version_parameter(expected_version)
        if expected_version is not None and not version_parameter:
            _ = await self._lock_version(target, expected_version)
        removed = await self._remove(target, version_parameter)
        if not removed and expected_version is not None:
            _ = await self._lock_version(target, expected_version)
            removed = await self._remove(target, version_parameter)
        if not removed:
            raise await self._refusal(target)

    async def change_where(self, specification: Specification, patch: Values, max_affected: int) -> int:
        """Set the fields of *patch* on every row that *specification* means."""
        plan = self._plan
        self._reject_nulls(plan.find_nulls(patch, whole=False))
        if any(name in patch for name in plan.resource.key):
            raise ValueError("the key of an entity never changes")
        form, values = parameterize(specification, plan.terms)
        affected = await self._check_max_affected(form, values, max_affected)
        changes = self._without_version(patch)
        if not changes or not affected:
            return affected
        given, reset = split_store_defaults(plan, changes)
        statement = statements.change_where(plan, tuple(given), form, reset)
        changed = await self._execute_bulk(
            statement, {**name_parameters(values), **statements.new_values(given)}, max_affected
        )
        # No server counts what the code of a view has changed.
        return affected if plan.triggers.is_view else changed

    async def remove_where(self, specification: Specification, max_affected: int) -> int:
        """Delete every row that *specification* means."""
        form, values = parameterize(specification, self._plan.terms)
        if not await self._check_max_affected(form, values, max_affected):
            return 0
        return await self._execute_bulk(
            statements.remove_where(self._plan, form), name_parameters(values), max_affected
        )

    async def _execute_bulk(self, statement: Executable, parameters: Values, max_affected: int) -> int:
        async with self._transaction.atomic():
            answer = await self._transaction.execute(statement, parameters, writes=True)
            # Others may have added rows since they were counted.
            if answer.affected > max_affected:
                raise WriteRejected(TooLarge("affected", max_affected, "entities"))
        return answer.affected

    async def _check_max_affected(self, form: ConditionTemplate, values: list[Any], max_affected: int) -> int:
        answer = await self._transaction.execute(
            statements.count_up_to(self._plan, form),
            {**name_parameters(values), "fe_limit": max_affected + 1},
        )
        affected = int(answer.rows[0][0])
        if affected > max_affected:
            raise WriteRejected(TooLarge("affected", max_affected, "entities"))
        return affected

    async def _change(self, target: _TargetRow, changes: Values, version_parameter: Values) -> Row | None:
        """Set *changes* on the row of *target*; `None` when there is none with the version of *version_parameter*."""
        plan = self._plan
        if target.parameters is None:
            return None
        changes, reset = split_store_defaults(plan, changes)
        statement = statements.change(
            plan, tuple(changes), target.form, versioned=bool(version_parameter), reset=reset
        )
        given = {**target.parameters, **statements.new_values(changes), **version_parameter}
        returned = plan.returns_updated
        answer = await self._write(statement, given, last=returned)
        if returned and not (answer.records and plan.triggers.after_update):
            return plan.row(answer.rows[0]) if answer.records else None
        # Read by the key alone: after the change the row may no longer satisfy the specification.
        return await self._read(target.key) if answer.affected or returned else None

    async def _remove(self, target: _TargetRow, version_parameter: Values) -> bool:
        if target.parameters is None:
            return False
        is_view = self._plan.triggers.is_view
        # No server counts what the code of a view has removed.
        is_there = is_view and await self._find(target) is not None
        statement = statements.remove(self._plan, target.form, versioned=bool(version_parameter))
        answer = await self._write(statement, {**target.parameters, **version_parameter}, last=True)
        if is_view:
            return is_there and await self._find(target) is None
        return bool(answer.records if self._journal_rows else answer.affected)

    def _write(
        self, statement: Insert | Update | Delete, parameters: dict[str, object], *, last: bool
    ) -> Awaitable[StatementResult]:
        """Execute the statement of a write, with its rows of the journal; *last* as in `Transaction.execute`."""
        if self._plan.triggers.exist:
            return self._write_past_triggers(statement, parameters)
        if self._journal_rows:
            combined, more = with_journal_rows(self._plan, statement, self._journal_rows)
            return self._transaction.execute(combined, {**parameters, **more}, writes=True, last=last)
        return self._transaction.execute(statement, parameters, writes=True, last=last)

    async def _write_past_triggers(
        self, statement: Insert | Update | Delete, parameters: dict[str, object]
    ) -> StatementResult:
        """Execute the statement of a write, which is not the last: its row may have to be read again."""
        check_view(self._plan, statement)
        if not self._plan.triggers.keep_parts:
            return await self._transaction.execute(statement, parameters, writes=True)
        async with self._transaction.atomic():
            return await self._transaction.execute(statement, parameters, writes=True)

    async def _lock_version(self, target: _TargetRow, version: str | None) -> Row:
        """Lock the row of *target* and return it, if it has *version*, where one is expected."""
        plan = self._plan
        if target.parameters is None:
            raise self._not_found(target)
        statement = statements.by_key(plan, plan.names, target.form, locked=True)
        answer = await self._transaction.execute(statement, target.parameters)
        if not answer.records:
            raise self._not_found(target)
        row = plan.row(answer.rows[0])
        current = None if version is None else plan.resource.version_of(row)
        if current is not None and current != version:
            raise WriteRejected(Stale(plan.resource.name, target.key, current))
        return row

    async def _find(self, target: _TargetRow) -> Row | None:
        plan = self._plan
        if target.parameters is None:
            return None
        answer = await self._transaction.execute(
            statements.by_key(plan, plan.names, target.form), target.parameters
        )
        return plan.row(answer.rows[0]) if answer.records else None

    async def _read(self, key: Key) -> Row:
        row = await self._find(self._target_row(key))
        if row is None and self._plan.triggers.exist:
            raise left_out(self._plan.resource)
        if row is None:
            raise LookupError(f"{self._plan.resource.name} did not return the row that was just written")
        return row

    async def _insert(self, complete: dict[str, object], *, is_stored: bool = False) -> Row:
        """Insert a row of values that are complete."""
        plan = self._plan
        statement = statements.add(plan, tuple(complete), is_stored=is_stored)
        answer = await self._write(statement, statements.new_values(complete), last=plan.returns_inserted)
        if answer.records:
            check_inserted(plan, answer, 1)
            row = plan.row(answer.rows[0])
            return await self._read(plan.resource.key_of(row)) if plan.triggers.after_insert else row
        if plan.returns_inserted:
            raise left_out(self._plan.resource)
        # MySQL has no RETURNING: the key that it has generated leads to the row.
        made = iter(answer.key or ())
        key = [complete.get(name, each) for name, each in zip(plan.resource.key, made, strict=False)]
        return await self._read(key[0] if len(key) == 1 else tuple(key))

    async def _add_part(self, part: InsertBatch, *, is_stored: bool) -> Rows:
        """Insert rows that have values for the same fields, and give them back in their order."""
        plan = self._plan
        fields = tuple(part.columns)
        if not plan.returns_inserted or not fields:
            rows = [await self._insert(each, is_stored=is_stored) for each in part.rows()]
            return Rows(plan.names, [tuple(row.values()) for row in rows])
        return await self._read_all_again(await self._insert_part(part, fields, is_stored=is_stored))

    async def _insert_part(self, part: InsertBatch, fields: Sequence[str], *, is_stored: bool) -> Rows:
        """Insert rows that have values for *fields*, as the statement returns them."""
        plan = self._plan
        if can_insert_arrays(plan, fields):
            answer = await self._transaction.execute(
                statements.add_arrays(plan, fields, is_stored=is_stored),
                statements.new_values(part.columns),
                writes=True,
            )
            return self._inserted_rows(part, answer)
        # SQLite returns rows in the order of their insertion, but does not promise it, and does not sort them.
        # Where triggers may leave rows out, SQLAlchemy could not sort what is left.
        sorted_by_server = plan.server.name != "sqlite" and not plan.triggers.exist
        statement = statements.add_many(plan, sorted_by_server=sorted_by_server, is_stored=is_stored)
        parameters = [{plan.columns[name].key: value for name, value in each.items()} for each in part.rows()]
        check_view(plan, statement)
        answer = await self._transaction.execute(statement, parameters, writes=True)
        return Rows(plan.names, answer.rows) if sorted_by_server else self._inserted_rows(part, answer)

    def _inserted_rows(self, part: InsertBatch, answer: StatementResult) -> Rows:
        check_inserted(self._plan, answer, len(part.places))
        return inserted_rows(self._plan, part, answer)

    async def _read_all_again(self, rows: Rows) -> Rows:
        """Return *rows*, which were just inserted, as they are after the triggers."""
        plan = self._plan
        if not plan.triggers.after_insert:
            return rows
        keys = [plan.resource.key_of(row) for row in rows]
        if len(plan.resource.key) > 1:
            again = [await self._read(key) for key in keys]
            return Rows(plan.names, [tuple(row.values()) for row in again])
        answer = await self._transaction.execute(statements.by_keys(plan), {"fe_keys": keys})
        place = plan.names.index(plan.resource.key[0])
        found = {record[place]: record for record in answer.rows}
        if any(key not in found for key in keys):
            raise left_out(self._plan.resource)
        return Rows(plan.names, [found[key] for key in keys])

    def _complete(self, values: Values) -> dict[str, object]:
        plan = self._plan
        complete = plan.with_defaults(values)
        if plan.default_functions:
            # The parameters are called otherwise than SQLAlchemy would call them for such a function.
            complete |= made_from_others(plan, plan.default_functions, complete)
        self._reject_nulls(self._plan.find_nulls(complete, whole=True))
        return complete

    def _target_row(self, key: Key, scope: Specification = EVERYTHING) -> _TargetRow:
        form, values = parameterize(scope, self._plan.terms)
        parameters = self._plan.key_values(key)
        return _TargetRow(
            key, form, None if parameters is None else {**parameters, **name_parameters(values)}
        )

    async def _refusal(self, target: _TargetRow) -> WriteRejected:
        """Return why the row of *target* was not written: it is not there, or a trigger has left the write out."""
        if self._plan.triggers.exist and await self._find(target) is not None:
            return left_out(self._plan.resource)
        return self._not_found(target)

    def _not_found(self, target: _TargetRow) -> WriteRejected:
        return WriteRejected(NotFound(self._plan.resource.name, target.key))

    def _version_parameter(self, expected: str | None) -> dict[str, object]:
        """Return the parameter for the version *expected*; empty where only Python can compare it."""
        if self._plan.resource.version is None or expected is None or not expected.isdecimal():
            return {}
        number = int(expected[:_LONGEST_NUMBER])
        return {"fe_version": number} if str(number) == expected else {}

    def _changes(self, key: Key, patch: Values) -> dict[str, object]:
        names = self._plan.resource.key
        identity = dict(zip(names, (key,) if len(names) == 1 else key, strict=True))
        if any(name in patch and patch[name] != identity[name] for name in names):
            raise ValueError("the key of an entity never changes")
        return {n: each for n, each in self._without_version(patch).items() if n not in identity}

    def _without_version(self, patch: Values) -> dict[str, object]:
        return {name: value for name, value in patch.items() if name != self._plan.resource.version}

    def _reject_nulls(self, fields: Iterable[str]) -> None:
        nulls = tuple(fields)
        if nulls:
            raise WriteRejected(null_not_allowed(nulls))
