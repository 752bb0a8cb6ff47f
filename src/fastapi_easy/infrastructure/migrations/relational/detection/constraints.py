"""Primary keys, checks, exclusions and foreign keys: added, dropped, and changed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alembic.operations.ops import AddConstraintOp, CreateForeignKeyOp, ExecuteSQLOp
from sqlalchemy import ForeignKeyConstraint

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    ReferenceShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.constraint_names import named
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import reference_shape
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import is_same_expression
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair
from fastapi_easy.infrastructure.migrations.relational.detection.rules import match
from fastapi_easy.infrastructure.migrations.relational.detection.stored_objects import (
    drop_check,
    drop_reference,
)
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp, Detected


def compare_key(pair: TablePair) -> Iterator[Detected]:
    """Yield what has to be done to the primary key of *pair*."""
    stored, declared = pair.stored.key, pair.declared.shape.key
    before, after = ((each.columns if each is not None else ()) for each in (stored, declared))
    # SQLAlchemy creates some keys with the numbered column in front.
    numbered_first = tuple(each.name for each in pair.declared.table.primary_key.columns_autoinc_first)
    if before == after or (after and before == numbered_first):
        return
    operation = ChangePrimaryKeyOp(
        pair.table,
        before,
        after,
        name_before=None if stored is None else stored.name,
        name_after=None if declared is None else declared.name,
        schema=pair.schema,
    )
    kind = ChangeKind.ADD_PRIMARY_KEY if after else ChangeKind.DROP_PRIMARY_KEY
    change = pair.change(
        kind,
        columns=after or before,
        constraint_name=operation.name_after if after else operation.name_before,
        new_table=False,
        new_columns=bool(after) and set(after) <= pair.new_columns,
    )
    yield Detected(change=change, operation=operation)


def compare_checks(pair: TablePair) -> Iterator[Detected]:
    """Yield what has to be done to the checks and exclusions of *pair*."""
    stored, declared = pair.stored.checks, pair.declared.shape.checks

    def is_same(there: CheckShape, wanted: CheckShape) -> bool:
        return is_same_expression(there.expression, wanted.expression, loosely=pair.is_loose)

    matched = match(stored, declared, is_same)
    before = {stored[place].name: stored[place].expression for place in matched.dropped}
    for place in matched.dropped:
        check = stored[place]
        change = pair.change(
            ChangeKind.DROP_CHECK,
            check.name or "",
            expression=check.expression,
            constraint_name=check.name,
            # MariaDB takes it away with the definition of the column only.
            **({} if check.column is None else {"columns": (check.column,), "inline_check": True}),
        )
        yield Detected(change=change, operation=drop_check(check, pair.table, pair.schema))
    for place in matched.added:
        check = declared[place]
        name = check.name or named(pair, "check", [check.column] if check.column else [])
        facts = {"expression_before": before[name]} if name in before else {}
        operation: Any = AddConstraintOp.from_constraint(pair.declared.checks[place])
        operation.constraint_name = name
        change = pair.change(
            ChangeKind.ADD_CHECK,
            name,
            expression=check.expression,
            constraint_name=name,
            new_table=False,
            **facts,
        )
        yield Detected(change=change, operation=operation)
    yield from _exclusions(pair)
    yield from _unvalidated(pair, [each for at, each in enumerate(stored) if at not in matched.dropped])


def _exclusions(pair: TablePair) -> Iterator[Detected]:
    """Yield the declared exclusions that are missing; nobody declares all of those that there are."""
    declared = pair.declared.shape.exclusions
    matched = match(
        pair.stored.exclusions,
        declared,
        lambda there, wanted: is_same_expression(there.expression, wanted.expression, loosely=True),
    )
    for place in matched.added:
        name = declared[place].name or named(pair, "excl", [])
        operation: Any = AddConstraintOp.from_constraint(pair.declared.exclusions[place])
        operation.constraint_name = name
        change = pair.change(
            ChangeKind.ADD_EXCLUSION,
            name,
            expression=declared[place].expression,
            constraint_name=name,
            new_table=False,
        )
        yield Detected(change=change, operation=operation)


def compare_references(pair: TablePair) -> Iterator[Detected]:
    """Yield what has to be done to the foreign keys of *pair*; they may have any name."""
    items = [each for each in pair.declared.table.constraints if isinstance(each, ForeignKeyConstraint)]
    declared = [reference_shape(each, pair.dialect) for each in items]
    stored = pair.stored.references
    matched = match(stored, declared, lambda there, wanted: _is_same(there, wanted, pair))
    dropped = [stored[place] for place in matched.dropped]
    for reference in dropped:
        change = pair.change(
            ChangeKind.DROP_FOREIGN_KEY,
            reference.name or "",
            columns=reference.columns,
            constraint_name=reference.name,
            references=reference.table,
            referred_columns=reference.referred,
            on_delete=reference.on_delete,
            on_update=reference.on_update,
        )
        yield Detected(change=change, operation=drop_reference(reference, pair.table, pair.schema))
    for place in matched.added:
        reference = declared[place]
        before = next((each for each in dropped if _is_same_target(each, reference, pair)), None)
        name = reference.name or named(pair, "fkey", reference.columns)
        yield added_reference(
            pair.change,
            replace(reference, name=name),
            items[place],
            new_table=False,
            new_columns=set(reference.columns) <= pair.new_columns,
            **({} if before is None else {"on_delete_before": before.on_delete}),
        )
    yield from _unvalidated(pair, [each for at, each in enumerate(stored) if at not in matched.dropped])


def added_reference(
    change_of: Any, reference: ReferenceShape, item: ForeignKeyConstraint, **facts: Any
) -> Detected:
    """Return what adds the foreign key *item*.

    Args:
        change_of: Makes a change of its table.

        reference: As the server tells it, with the name that it gets.

        item: As it is declared.

        facts: More of them.
    """
    operation = CreateForeignKeyOp.from_constraint(item)
    operation.constraint_name = reference.name
    change = change_of(
        ChangeKind.ADD_FOREIGN_KEY,
        reference.name,
        columns=reference.columns,
        constraint_name=reference.name,
        references=reference.table,
        referred_columns=reference.referred,
        on_delete=reference.on_delete,
        on_update=reference.on_update,
        **facts,
    )
    return Detected(change=change, operation=operation)


def _is_same(there: ReferenceShape, wanted: ReferenceShape, pair: TablePair) -> bool:
    return (
        _is_same_target(there, wanted, pair)
        and (there.on_delete, there.on_update) == (wanted.on_delete, wanted.on_update)
        and there.options == wanted.options
    )


def _is_same_target(there: ReferenceShape, wanted: ReferenceShape, pair: TablePair) -> bool:
    if pair.server == "sqlite":
        # Its names are the same in any case, and a foreign key need not say which columns it points to.
        is_table = there.table.casefold() == wanted.table.rpartition(".")[2].casefold()
        return is_table and there.columns == wanted.columns and there.referred in {(), wanted.referred}
    return (there.table, there.columns, there.referred) == (wanted.table, wanted.columns, wanted.referred)


def _unvalidated(pair: TablePair, kept: list[CheckShape] | list[ReferenceShape]) -> Iterator[Detected]:
    """Yield what finishes constraints that were added without looking at the rows."""
    for each in kept:
        if each.valid or pair.server != "postgresql" or each.name is None:
            continue
        quote = pair.dialect.identifier_preparer.quote
        table = quote(pair.table) if pair.schema is None else f"{quote(pair.schema)}.{quote(pair.table)}"
        facts = (
            {"expression": each.expression}
            if isinstance(each, CheckShape)
            else {"columns": each.columns, "references": each.table, "referred_columns": each.referred}
        )
        change = pair.change(ChangeKind.VALIDATE_CONSTRAINT, each.name, constraint_name=each.name, **facts)
        sql = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote(each.name)}"
        yield Detected(change=change, operation=ExecuteSQLOp(sql))
