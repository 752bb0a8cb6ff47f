"""Recorded operations as differences: one change each, with what it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.operations import MigrateOperation
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateTableOp,
    DropTableOp,
    OpContainer,
)

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import added_column
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.scripts.describing.changes import describe
from fastapi_easy.infrastructure.migrations.scripts.describing.column_alterations import divided
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling
from fastapi_easy.infrastructure.migrations.scripts.recording import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One difference that a script asks for.

    Attributes:
        detected: What it is.

        line: Where the script asks for it.
    """

    detected: Detected
    line: int


def asked_in(recorded: Sequence[Recorded], spelling: Spelling, new_tables: set[str]) -> list[Asked]:
    """Return the differences of *recorded* in their order.

    Args:
        recorded: The operations.

        spelling: Writes types and defaults.

        new_tables: The tables that scripts before create; those of this one are added.
    """
    found: list[Asked] = []
    for each in recorded:
        for operation in _single(each.operation):
            change = describe(operation, spelling, new_tables)
            if change.kind is ChangeKind.CREATE_TABLE:
                new_tables.add(change.table)
            elif isinstance(operation, DropTableOp):
                new_tables.discard(change.table)
            found.append(Asked(detected=Detected(change=change, operation=operation), line=each.line))
    return found


def _single(operation: MigrateOperation) -> Iterator[MigrateOperation]:
    """Yield *operation* as operations that change one thing each."""
    match operation:
        case OpContainer():
            for each in operation.ops:
                yield from _single(each)
        case AlterColumnOp():
            yield from divided(operation)
        case AddColumnOp():
            for _, each in added_column(operation, _NOTHING):
                yield each
        case CreateTableOp():
            yield operation
            table = operation.to_table()
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                yield CreateIndexOp.from_index(index)
        case _:
            yield operation


_NOTHING = Change(kind=ChangeKind.UNKNOWN)
