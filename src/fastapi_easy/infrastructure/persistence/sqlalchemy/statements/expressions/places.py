"""Members of an enumeration → their places in its class, by which every server sorts them.

A server's own order is another: of texts that of their letters, of a native type that of its labels, which may have
been added in any order. No index serves an order by places.
"""

import enum
from typing import Any, assert_never

from sqlalchemy import ColumnElement, Integer, String, Text, case, cast, literal, literal_column
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import Enum, TypeDecorator

from fastapi_easy.domain.queries.ordering import places_of
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.server import Server


def place_expression(
    column: ColumnElement[Any], enumeration: type[enum.Enum], server: Server, compared: ColumnType
) -> ColumnElement[int]:
    """Build the expression of the place of *column*; null of null, and behind all members of what is none of them.

    Args:
        column: What holds the members.

        enumeration: Their class.

        server: The server of the column.

        compared: The type of values that the column is compared with.
    """
    stored, type_ = (
        (_label_of(column, server), _LabelOf(column.type))
        if isinstance(column.type, Enum)
        else (column, compared)
    )
    places = places_of(enumeration)
    whens = [(literal(member, type_), _number(place)) for member, place in places.items()]
    behind: ColumnElement[int] = case((column.is_not(None), _number(len(places))))
    return case(*whens, value=stored, else_=behind)


class PlaceOf(TypeDecorator[Any]):
    """The place of a member that a cursor holds, to compare with `place_expression`."""

    impl = Integer
    cache_ok = True

    def __init__(self, enumeration: type[enum.Enum]) -> None:
        super().__init__()
        self.enumeration = enumeration

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        places = places_of(self.enumeration)
        # What is stored and no member stands behind them all.
        return (
            None if value is None else places[value] if isinstance(value, self.enumeration) else len(places)
        )


class _LabelOf(TypeDecorator[Any]):
    """The text that a member of an enumeration is stored as."""

    impl = String
    cache_ok = True

    def __init__(self, declared: ColumnType) -> None:
        super().__init__()
        self.declared = declared

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        process: Any = self.declared.dialect_impl(dialect).bind_processor(dialect)
        return value if process is None else process(value)


def _number(place: int) -> ColumnElement[int]:
    return literal_column(str(place), type_=Integer())


def _label_of(column: ColumnElement[Any], server: Server) -> ColumnElement[str]:
    """Return the text of *column*: a label that the native type of the database lacks would be an error."""
    match server.name:
        case "postgresql":
            return cast(column, Text).collate("C")
        case "mysql":
            return cast(column, mysql.CHAR()).collate(str(server.bytewise))
        case "sqlite":
            return cast(column, Text)
        case _:
            assert_never(server.name)
