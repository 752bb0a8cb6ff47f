"""The form in which we store the value of a column, in statements."""

from typing import Any, cast

from sqlalchemy import CHAR, ColumnElement, Float, LargeBinary, and_, case, func, literal_column, type_coerce
from sqlalchemy import cast as sql_cast

from fastapi_easy.infrastructure.relational.sqlite.checked_types import SqliteUuid
from fastapi_easy.infrastructure.relational.sqlite.number_types import SqliteDecimal
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import SqliteType
from fastapi_easy.infrastructure.relational.sqlite.time_types import SqliteDateTime


def normal_form(column: ColumnElement[Any], declared: SqliteType[Any]) -> ColumnElement[Any]:
    """Return the form in which we store the values of *column*, whose type is *declared*.

    The usual other spellings are converted by SQLite itself, in a fraction of the time that a function in Python takes.
    """
    stored: ColumnElement[Any] = type_coerce(column, CHAR())
    kind = func.typeof(stored)
    other = kind == literal_column("'text'"), func.coalesce(_converted(stored, declared), stored)
    forms: tuple[tuple[ColumnElement[bool], ColumnElement[Any]], ...]
    match declared:
        case SqliteDateTime():
            own: ColumnElement[str] = literal_column(f"'{declared.own_pattern}'")
            # Times of whole seconds, as `CURRENT_TIMESTAMP` writes them, if there is such a day: only where SQLite has
            # to calculate it finds that there is none.
            is_whole = and_(
                func.datetime(stored, literal_column("'+0 days'")) == stored,
                stored >= literal_column("'0001'"),
            )
            zeros: ColumnElement[str] = literal_column("'.000000'")
            forms = (stored.op("GLOB")(own), stored), (is_whole, stored.op("||")(zeros)), other
        case SqliteDecimal():
            # A JSON text of such characters alone is a number, and is cast to the same one that Python reads.
            is_plain = and_(
                func.length(stored) <= literal_column("16"),
                stored.op("GLOB")(literal_column("'[-0-9]*'")),
                stored.op("NOT GLOB")(literal_column("'*[^-.0-9]*'")),
                func.json_valid(stored),
            )
            forms = (is_plain, sql_cast(stored, Float())), other
        case SqliteUuid():
            is_binary = and_(kind == literal_column("'blob'"), func.length(stored) == literal_column("16"))
            forms = other, (is_binary, _converted(func.hex(stored), declared))
        case _:
            forms = (other,)
    return type_coerce(case(*forms, else_=stored), declared)


def _converted(stored: ColumnElement[Any], declared: SqliteType[Any]) -> ColumnElement[Any]:
    return cast(ColumnElement[Any], getattr(func, declared.normal_form)(sql_cast(stored, LargeBinary())))
