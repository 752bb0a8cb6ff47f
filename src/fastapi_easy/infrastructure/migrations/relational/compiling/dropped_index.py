"""A dropped index as it was, if the operation knows."""

from alembic.operations.ops import CreateIndexOp, DropIndexOp
from sqlalchemy import Column
from sqlalchemy.types import NullType


def created_again(operation: DropIndexOp) -> CreateIndexOp | None:
    """Return the operation that creates a dropped index again; `None` when nobody has said what it was.

    Alembic puts an index on a column `x` there then.
    """
    expressions = list(operation.to_index().expressions)
    match expressions:
        case [Column(name="x", type=NullType())]:
            return None
        case _:
            return operation.reverse()
