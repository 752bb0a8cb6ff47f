"""The constraints of new tables in an order that is the same each time."""

from typing import Any

from alembic.operations.ops import CreateTableOp
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.schema import ColumnCollectionConstraint

_KINDS = (PrimaryKeyConstraint, UniqueConstraint, CheckConstraint, ForeignKeyConstraint)


def with_ordered_constraints(operation: CreateTableOp) -> CreateTableOp:
    """Order the constraints of *operation*, and return it.

    SQLAlchemy keeps those of a table in a set, and copies of a table have them in the order of that set: without this
    the same classes give another text, and thereby another plan, from one process to the next.
    """
    constraints = [each for each in operation.columns if isinstance(each, ColumnCollectionConstraint)]
    others = [each for each in operation.columns if not isinstance(each, ColumnCollectionConstraint)]
    operation.columns = [*others, *sorted(constraints, key=_place)]
    return operation


def _place(constraint: ColumnCollectionConstraint) -> tuple[Any, ...]:
    kind = next((place for place, cls in enumerate(_KINDS) if isinstance(constraint, cls)), len(_KINDS))
    condition = str(constraint.sqltext) if isinstance(constraint, CheckConstraint) else ""
    columns = tuple(str(each.name) for each in constraint.columns)
    return (kind, str(constraint.name or ""), columns, condition)
