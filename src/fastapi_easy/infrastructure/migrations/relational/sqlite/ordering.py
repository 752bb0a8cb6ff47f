"""The order in which differences can be carried out on SQLite."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from alembic.operations.ops import (
    AlterColumnOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableOp,
    DropColumnOp,
    DropIndexOp,
    DropTableOp,
    ExecuteSQLOp,
    MigrateOperation,
    RenameTableOp,
)

from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import fold
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.table_changes import is_table_change

Operation = TypeVar("Operation", bound=MigrateOperation)

RENAME_TABLE: Final = 0
RENAME_COLUMN: Final = 1
DROP_INDEX: Final = 2
CREATE_TABLE: Final = 3
CHANGE_TABLE: Final = 4
DROP_TABLE: Final = 5
CREATE_INDEX: Final = 6
RUN_SQL: Final = 7
PHASES: Final = range(RUN_SQL + 1)


def operation_of(detected: Detected, kind: type[Operation]) -> Operation:
    """Return the operation of *detected*, which is a *kind*.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(detected.operation, kind):
        raise TypeError(f"{type(detected.operation).__name__} is no {kind.__name__}")
    return detected.operation


def phase(operation: MigrateOperation) -> int:
    """Return when *operation* is carried out.

    Raises:
        SqliteRefusal: SQLite has no such thing.
    """
    if isinstance(operation, AlterColumnOp) and operation.modify_name is not None:
        return RENAME_COLUMN
    for kind, place in _PHASES:
        if isinstance(operation, kind):
            return place
    if is_table_change(operation):
        return CHANGE_TABLE
    raise SqliteRefusal(f"SQLite has nothing for the operation {type(operation).__name__}")


def segments(detected: Sequence[Detected]) -> Iterator[list[Detected]]:
    """Yield runs of differences that may be put in order; SQL that a person has written stays where it is."""
    current: list[Detected] = []
    for each in detected:
        if phase(each.operation) == RUN_SQL:
            if current:
                yield current
            yield [each]
            current = []
        else:
            current.append(each)
    if current:
        yield current


def table_of(operation: MigrateOperation) -> str:
    """Return the name of the table that *operation* is about; empty for none.

    Raises:
        SqliteRefusal: It is in another schema.
    """
    schema = getattr(operation, "schema", None)
    if isinstance(operation, CreateForeignKeyOp):
        schema = operation.kw.get("source_schema")
    if schema not in {None, "main"}:
        raise SqliteRefusal(f"tables of attached databases are not changed: {schema}")
    if isinstance(operation, CreateForeignKeyOp):
        return str(operation.source_table)
    return str(getattr(operation, "table_name", None) or getattr(operation, "table", ""))


def divided_by_name(
    dropped: Iterable[Detected], renamed: Iterable[Detected]
) -> tuple[list[Detected], list[Detected]]:
    """Divide *dropped* into the tables whose names others get, and the rest."""
    wanted = {fold(str(operation_of(each, RenameTableOp).new_table_name)) for each in renamed}
    return _divided(dropped, lambda each: fold(table_of(each.operation)) in wanted)


def divided_by_column(
    changes: Iterable[Detected], renamed: Iterable[Detected]
) -> tuple[list[Detected], list[Detected]]:
    """Divide *changes* into the dropped columns whose names others get, and the rest."""
    renames = [operation_of(each, AlterColumnOp) for each in renamed]
    wanted = {(fold(each.table_name), fold(str(each.modify_name))) for each in renames}
    renamed_away = {(fold(each.table_name), fold(each.column_name)) for each in renames}

    def is_in_the_way(each: Detected) -> bool:
        operation = each.operation
        if not isinstance(operation, DropColumnOp):
            return False
        named = (fold(operation.table_name), fold(operation.column_name))
        return named in wanted - renamed_away

    return _divided(changes, is_in_the_way)


def targets(group: Iterable[Detected]) -> frozenset[str]:
    """Return the tables that new foreign keys in *group* point to, in the spelling that SQLite compares."""
    operations = (each.operation for each in group)
    return frozenset(fold(each.referent_table) for each in operations if isinstance(each, CreateForeignKeyOp))


def _divided(
    detected: Iterable[Detected], is_first: Callable[[Detected], bool]
) -> tuple[list[Detected], list[Detected]]:
    parts: tuple[list[Detected], list[Detected]] = ([], [])
    for each in detected:
        parts[0 if is_first(each) else 1].append(each)
    return parts


_PHASES: Final[tuple[tuple[type[MigrateOperation], int], ...]] = (
    (RenameTableOp, RENAME_TABLE),
    (DropIndexOp, DROP_INDEX),
    (CreateTableOp, CREATE_TABLE),
    (DropTableOp, DROP_TABLE),
    (CreateIndexOp, CREATE_INDEX),
    (ExecuteSQLOp, RUN_SQL),
)
