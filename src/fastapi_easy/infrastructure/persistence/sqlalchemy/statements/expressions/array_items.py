"""Whether an array of PostgreSQL's holds a value of another column."""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, SmallInteger, String, any_, cast
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.infrastructure.entities.bounds import is_storable
from fastapi_easy.infrastructure.relational.column_types import ColumnType

_DIALECT: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]
_TEXT: Final = Field(name="item", kind=Kind.TEXT)


def holds_item(array: ColumnElement[Any], item: ColumnElement[Any]) -> ColumnElement[bool]:
    """Build the condition that *array* holds *item*, in the form that an index on it serves where there is one."""
    own = item_type(array)
    if _spelled(own) != _spelled(item.type):
        # Made one of its items, a larger number would be an error.
        return item == any_(array)
    return array.op("@>", is_comparison=True)(cast(postgresql.array([item]), postgresql.ARRAY(own)))


def item_type(array: ColumnElement[Any]) -> ColumnType:
    """Return the type of what is compared with the items of *array*; of texts, without a length to be cut off at."""
    items: Any = array.type
    found: ColumnType = items.item_type
    return type(found)() if isinstance(found, String) and found.length is not None else found


def may_be_item(array: ColumnElement[Any], value: object) -> bool:
    """Return whether *array* could hold *value*, so that it may be sent as one of its items."""
    match value:
        case int():
            bits = _bits(item_type(array))
            return -(1 << (bits - 1)) <= value < 1 << (bits - 1)
        case str():
            return is_storable(_TEXT, value, allows_nul=False)
        case _:
            return True


def _bits(type_: ColumnType) -> int:
    if isinstance(type_, SmallInteger):
        return 16
    return 32 if isinstance(type_, Integer) and not isinstance(type_, BigInteger) else 64


def _spelled(type_: ColumnType) -> str:
    # Texts of any length are one type, but for what is cut off.
    return "text" if isinstance(type_, String) else type_.compile(dialect=_DIALECT)
