"""Values inside of JSON columns → expressions, null wherever the kind of the path cannot hold what is there.

No expression fails, whatever a document holds: a value is converted only behind a test of its JSON type, and a CASE
computes no branch that it does not take. Paths are written into the statement, not bound, so that the server finds the
index whose expression is the same; as plain text, since an index finds its table by the columns of its expression, and
would take a `literal_column` for one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    text,
    type_coerce,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import JSON, NullType

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import unwrap_decorators
from fastapi_easy.infrastructure.relational.server import Server

_Term = ColumnElement[Any]

_LEAST: Final = text("-9223372036854775808")
_GREATEST: Final = text("9223372036854775807")
_TOO_LARGE: Final = text("1.8e308")
_TOO_SMALL: Final = text("2.3e-308")
"""Between these two PostgreSQL converts a number to a double without an error."""


def path_expression(column: _Term, path: DocumentPath, server: Server) -> _Term:
    """Build the expression of the value at *path* in the JSON *column*.

    Raises:
        DeclarationError: The column holds JSON in a form of the user's own, which the database cannot look into.
    """
    declared = unwrap_decorators(column.type)
    impl = getattr(declared, "impl_instance", declared)
    if not isinstance(impl, JSON):
        raise DeclarationError(
            [
                (
                    f"query.json_paths names {path.field.name!r}, but the column of {path.document!r} is of no JSON"
                    " type of the database: leave the path out, or use another column type"
                )
            ]
        )
    build = _BUILDERS[server.name]
    return build(column, path, server)


def _on_postgres(column: _Term, path: DocumentPath, server: Server) -> _Term:
    # The class may call JSON what is JSONB in the database, for which the cast is nothing.
    document: _Term = cast(column, postgresql.JSONB)
    place = text(f"'{{{','.join(path.members)}}}'")
    found: _Term = document.op("#>", return_type=NullType())(place)
    written: ColumnElement[str] = document.op("#>>", return_type=Text())(place)
    number: _Term = cast(written, Numeric)

    def where_type(name: str, value: _Term) -> _Term:
        return case((func.jsonb_typeof(found, type_=Text()) == text(f"'{name}'"), value))

    match path.field.kind:
        case Kind.INTEGER:
            is_whole = and_(number >= _LEAST, number <= _GREATEST, func.trunc(number) == number)
            return where_type("number", case((is_whole, cast(number, BigInteger))))
        case Kind.FLOAT:
            size = func.abs(number)
            fits = and_(size < _TOO_LARGE, size > _TOO_SMALL)
            zero: _Term = cast(text("0"), Double)
            return where_type("number", case((fits, cast(number, Double)), (number == text("0"), zero)))
        case Kind.BOOLEAN:
            return where_type("boolean", cast(written, Boolean))
        case _:
            # One collation for every comparison, so that one index serves all of them.
            return where_type("string", written).collate("C")


def _on_sqlite(column: _Term, path: DocumentPath, server: Server) -> _Term:
    place = text("'$" + "".join(f'."{name}"' for name in path.members) + "'")
    value: _Term = func.json_extract(column, place, type_=NullType())
    kind: _Term = func.json_type(column, place, type_=NullType())
    is_number = or_(kind == text("'integer'"), kind == text("'real'"))

    def where_valid(*whens: Any, type_: Any) -> _Term:
        # A text that is no JSON would be an error.
        is_json = func.json_valid(column) == text("1")
        return type_coerce(case((is_json, case(*whens))), type_)

    match path.field.kind:
        case Kind.INTEGER:
            whole: _Term = cast(value, Integer())
            is_whole = and_(is_number, whole == value)
            return where_valid((is_whole, whole), type_=BigInteger())
        case Kind.FLOAT:
            number: _Term = cast(value, REAL())
            is_finite = number - number == text("0")
            return where_valid((and_(is_number, is_finite), number), type_=Double())
        case Kind.BOOLEAN:
            return where_valid(
                (kind == text("'true'"), text("1")),
                (kind == text("'false'"), text("0")),
                type_=Boolean(create_constraint=False),
            )
        case _:
            return where_valid((kind == text("'text'"), value), type_=String())


def _on_mysql(column: _Term, path: DocumentPath, server: Server) -> _Term:
    place = text("'$" + "".join(f'."{name}"' for name in path.members) + "'")
    found: _Term = func.json_extract(column, place, type_=NullType())
    written: ColumnElement[str] = func.json_unquote(found, type_=String())
    kind: _Term = func.json_type(found, type_=NullType())

    def of_type(*names: str) -> ColumnElement[bool]:
        return or_(*(kind == text(f"'{name}'") for name in names))

    whole = of_type("INTEGER", "UNSIGNED INTEGER")
    broken = of_type("DOUBLE", "DECIMAL")
    # Of no type: to texts SQLAlchemy appends.
    double: _Term = type_coerce(written, NullType()) + text("0e0")
    match path.field.kind:
        case Kind.INTEGER:
            number: _Term = cast(written, mysql.DECIMAL(65, 0))
            fits = and_(number >= _LEAST, number <= _GREATEST)
            as_double = and_(double >= _LEAST, double < text("9.223372036854775807e18"))
            fraction = func.floor(double) == double
            return case(
                (and_(whole, fits), cast(number, mysql.BIGINT)),
                (and_(broken, as_double, fraction), cast(cast(double, mysql.DECIMAL(65, 0)), mysql.BIGINT)),
            )
        case Kind.FLOAT:
            # What is too large becomes the largest number of all.
            is_finite = func.abs(double) < text("1.7976931348623157e308")
            return type_coerce(case((and_(or_(whole, broken), is_finite), double)), Double())
        case Kind.BOOLEAN:
            is_true = written == text("'true'")
            return type_coerce(case((of_type("BOOLEAN"), is_true)), Boolean(create_constraint=False))
        case _:
            string: _Term = case((of_type("STRING"), written))
            # As texts of columns, byte for byte in the character set that has all characters.
            converted = func.convert(string.op("USING")(text("utf8mb4")), type_=String())
            return converted.collate(str(server.bytewise))


_BUILDERS: Final[
    Mapping[Literal["postgresql", "mysql", "sqlite"], Callable[[_Term, DocumentPath, Server], _Term]]
] = {"postgresql": _on_postgres, "mysql": _on_mysql, "sqlite": _on_sqlite}
