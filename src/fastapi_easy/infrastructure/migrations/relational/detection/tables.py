"""Whole tables: created with their indexes, and dropped."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from alembic.operations.ops import (
    CreateTableCommentOp,
    CreateTableOp,
    DropConstraintOp,
    DropTableOp,
)
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint, sort_tables_and_constraints

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.column_types import StoredTypes
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    ReferenceShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.constraint_names import shortened
from fastapi_easy.infrastructure.migrations.relational.detection.constraints import added_reference
from fastapi_easy.infrastructure.migrations.relational.detection.declared.guessed import guess_shape
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    name_of,
    reference_shape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair, facts_of
from fastapi_easy.infrastructure.migrations.relational.detection.rules import created_index
from fastapi_easy.infrastructure.migrations.relational.detection.stored_objects import (
    drop_reference,
    table_from,
)
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.server import ServerName, server_name_of


def created_tables(
    tables: Sequence[Table], dialect: Dialect, gone: Sequence[TableShape]
) -> Iterator[Detected]:
    """Yield what creates *tables* with their indexes, those first that others point to.

    Foreign keys that go round in a circle, or ask for it by `use_alter`, come last, except on SQLite, which cannot add
    any and needs no other order.

    Args:
        tables: As they are declared; those to be created have their late foreign keys removed.

        dialect: SQLAlchemy's.

        gone: The tables that a new one may be the new name of: those that are dropped, or left behind.
    """
    late: list[ForeignKeyConstraint] = []
    ordered: list[Table] = list(tables)
    if server_name_of(dialect.name) != "sqlite":
        wanted = set(tables)
        sorted_ = sort_tables_and_constraints(tables)  # type: ignore[no-untyped-call] # SQLAlchemy's own
        ordered = [table for table, _ in sorted_ if table is not None and table in wanted]
        late = [each for table, keys in sorted_ if table is None for each in keys if each.parent in wanted]
        late.sort(key=lambda each: (each.table.name, each.column_keys))
        for reference in late:
            reference.table.constraints.discard(reference)
    for table in ordered:
        yield from _created(table, dialect, gone)
    for reference in late:
        yield _late_reference(reference, dialect)


def _created(table: Table, dialect: Dialect, gone: Sequence[TableShape]) -> Iterator[Detected]:
    name = name_of(table, dialect)
    columns = tuple(each.name for each in table.columns)
    alike = next((each.name for each in gone if set(each.columns) == set(columns)), None)
    guessed = guess_shape(name, table, dialect)
    types = tuple(each.type for each in guessed.shape.columns.values())
    facts = facts_of({"columns": columns, "column_types": types, "new_table": True})
    if alike is not None:
        facts["probable_rename_of"] = alike
    yield Detected(
        change=Change(kind=ChangeKind.CREATE_TABLE, table=name, facts=facts),
        operation=_creation(table),
    )
    for shape, item in zip(guessed.shape.indexes, guessed.items, strict=True):
        if isinstance(item, Index):
            yield created_index(partial(_change_of, name), shape, item, new_table=True, new_columns=True)


def _creation(table: Table) -> CreateTableOp:
    """Return what creates *table*; its constraints, which are a set, come in the same order each time."""
    operation = CreateTableOp.from_table(table)
    columns = [each for each in operation.columns if isinstance(each, Column)]
    constraints = [each for each in operation.columns if isinstance(each, Constraint)]
    operation.columns = [*columns, *sorted(constraints, key=_place)]
    return operation


def _place(constraint: Constraint) -> tuple[int, str, tuple[str, ...]]:
    kinds = (PrimaryKeyConstraint, UniqueConstraint, ForeignKeyConstraint, CheckConstraint)
    kind = next((at for at, each in enumerate(kinds) if isinstance(constraint, each)), len(kinds))
    columns = tuple(str(each.name) for each in getattr(constraint, "columns", ()))
    return kind, str(constraint.name or ""), (*columns, str(getattr(constraint, "sqltext", "")))


def _late_reference(reference: ForeignKeyConstraint, dialect: Dialect) -> Detected:
    shape = reference_shape(reference, dialect)
    name = shape.name or shortened("_".join([reference.table.name, *shape.columns, "fkey"]))
    named = ReferenceShape(
        name=name,
        columns=shape.columns,
        table=shape.table,
        referred=shape.referred,
        on_delete=shape.on_delete,
        on_update=shape.on_update,
        options=shape.options,
    )
    change_of = partial(_change_of, name_of(reference.table, dialect))
    return added_reference(change_of, named, reference, new_table=True, new_columns=True)


def _change_of(table: str, kind: ChangeKind, name: str = "", **facts: Any) -> Change:
    return Change(kind=kind, table=table, name=name, facts=facts_of(facts))


def dropped_tables(tables: Sequence[TableShape], types: StoredTypes, dialect: Dialect) -> Iterator[Detected]:
    """Yield what drops *tables*, those first that point to others; foreign keys that go round in a circle before."""
    server = server_name_of(dialect.name)
    left = {each.name: each for each in sorted(tables, key=lambda each: each.name)}
    ordered: list[TableShape] = []
    while left:
        free = [each for each in left.values() if not _pointed_to(each.name, left)]
        if not free:
            # All of what is left goes round in circles.
            for each in left.values():
                for reference in each.references:
                    if reference.table in left and reference.table != each.name and server != "sqlite":
                        yield _dropped_reference(each, reference)
            free = list(left.values())
        for each in free:
            ordered.append(each)
            del left[each.name]
    for shape in ordered:
        yield _dropped(shape, types, server)


def _pointed_to(name: str, by: Mapping[str, TableShape]) -> bool:
    return any(
        reference.table == name for each in by.values() if each.name != name for reference in each.references
    )


def _split(name: str) -> tuple[str | None, str]:
    schema, _, table = name.rpartition(".")
    return schema or None, table


def _dropped_reference(shape: TableShape, reference: ReferenceShape) -> Detected:
    schema, table = _split(shape.name)
    change = _change_of(
        shape.name,
        ChangeKind.DROP_FOREIGN_KEY,
        reference.name or "",
        columns=reference.columns,
        constraint_name=reference.name,
        references=reference.table,
        referred_columns=reference.referred,
        on_delete=reference.on_delete,
        on_update=reference.on_update,
    )
    operation: DropConstraintOp = drop_reference(reference, table, schema)
    return Detected(change=change, operation=operation)


def _dropped(shape: TableShape, types: StoredTypes, server: ServerName) -> Detected:
    schema, table = _split(shape.name)
    column_types = {
        each.name: types.type_of(schema, table, each.name, each.type) for each in shape.columns.values()
    }
    stored = table_from(shape, table, schema, column_types, server)
    change = _change_of(shape.name, ChangeKind.DROP_TABLE, columns=tuple(shape.columns))
    return Detected(change=change, operation=DropTableOp.from_table(stored))


def compare_comment(pair: TablePair) -> Iterator[Detected]:
    """Yield the comment on the table of *pair*, if it is declared and another one is stored."""
    wanted = pair.declared.shape.comment
    if wanted is None or wanted == pair.stored.comment or not pair.dialect.supports_comments:
        return
    yield Detected(
        change=pair.change(ChangeKind.CHANGE_COMMENT),
        operation=CreateTableCommentOp(
            pair.table, wanted, schema=pair.schema, existing_comment=pair.stored.comment
        ),
    )
