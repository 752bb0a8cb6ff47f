"""SQLAlchemy's classes of which several share one table → `Variant`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import Mapper

from fastapi_easy.domain.resources.tables.variant import Variant


def variant_of(mapper: Mapper[Any], names: Mapping[Column[Any], str]) -> Variant | None:
    """Return what tells the entities of a class from others in its table; `None` when nothing does.

    Args:
        mapper: Of the class.

        names: The attributes that its columns are mapped to.
    """
    column = mapper.polymorphic_on
    if not isinstance(column, Column) or column not in names:
        return None
    classes = mapper.self_and_descendants
    return Variant(
        field=names[column],
        own=mapper.polymorphic_identity,
        known=tuple(each.polymorphic_identity for each in classes if each.polymorphic_identity is not None),
        # A table of its own holds no entities of others.
        is_whole=mapper.inherits is None or not mapper.single,
    )
