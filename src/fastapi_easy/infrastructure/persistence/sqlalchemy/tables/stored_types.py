"""What a column is in the database, where that is not what the class says and changes what is read or compared."""

import math
from typing import Any, Final, assert_never

from sqlalchemy import ARRAY, BigInteger, Double, Enum, Float, Integer, Numeric, String, Time
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, UserDefinedType

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.column_types import ColumnType, MysqlDecimal
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.single_precision import (
    MysqlStoredFloat,
    PostgresSingleItem,
    PostgresStoredFloat,
    StoredFloat,
)
from fastapi_easy.infrastructure.relational.unexpected_values import PostgresNumber

_FRACTIONS: Final = frozenset({"numeric", "decimal", "real", "double precision", "float", "double"})


class PaddedText(UserDefinedType[str]):
    """`CHAR(n)` of PostgreSQL, which pads what it holds with blanks, and ignores them where it compares."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        """Return PostgreSQL's name of the type without a length, so that nothing is cut off."""
        return "BPCHAR"


class StoredInteger(TypeDecorator[int]):
    """Whole numbers in a column that may also hold fractions."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any, dialect: object) -> Any:
        """Return the whole number, or what stands for a fraction."""
        if value is None or isinstance(value, int):
            return value
        return int(value) if math.isfinite(value) and value == int(value) else UnexpectedValue(str(value))


class UnpaddedText(TypeDecorator[str]):
    """What a `CHAR(n)` is compared with once a function has taken its blanks."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:
        """Return *value* without the blanks at its end."""
        return None if value is None else value.rstrip(" ")


def type_as_stored(adapted: ColumnType, stored: str, server: Server) -> ColumnType:
    """Return the type to use in place of *adapted*, our own of a column, now that the database says what it is.

    Args:
        adapted: As the class has it.

        stored: The name of the type in the database, with `[]` for an array.

        server: Where the column is.
    """
    if isinstance(adapted, Integer) and stored in _FRACTIONS:
        return StoredInteger()
    match server.name:
        case "postgresql":
            return _on_postgres(adapted, stored)
        case "mysql":
            return _on_mysql(adapted, stored)
        case "sqlite":
            # Its columns have no types, and hold any value.
            return adapted
        case _:
            assert_never(server.name)


def _on_postgres(adapted: ColumnType, stored: str) -> ColumnType:
    match stored, adapted:
        case (("real" | "double precision"), _) if _is_number(adapted):
            return _float_on_postgres(adapted, is_single=stored == "real")
        case "real[]", ARRAY() if _is_number(adapted.item_type):
            return postgresql.ARRAY(PostgresSingleItem(is_single=True), dimensions=adapted.dimensions)
        case "character", String() if not isinstance(adapted, Enum):
            return PaddedText()
        case (("time with time zone" | "time without time zone"), Time()):
            return Time(timezone=stored == "time with time zone")
        case _, StoredFloat():
            return PostgresNumber(Double())
        case _:
            return adapted


def _on_mysql(adapted: ColumnType, stored: str) -> ColumnType:
    if stored == "float" and _is_number(adapted):
        return MysqlStoredFloat(is_single=True, as_decimal=_has_decimals(adapted))
    if stored == "double" and _has_decimals(adapted):
        return MysqlStoredFloat(is_single=False, as_decimal=True)
    return adapted


def _float_on_postgres(adapted: ColumnType, *, is_single: bool) -> ColumnType:
    as_decimal = _has_decimals(adapted)
    if is_single or as_decimal:
        return PostgresStoredFloat(is_single=is_single, as_decimal=as_decimal)
    return PostgresNumber(Double())


def _is_number(adapted: ColumnType) -> bool:
    return isinstance(adapted, Numeric | Float | MysqlDecimal | PostgresNumber | StoredFloat)


def _has_decimals(adapted: ColumnType) -> bool:
    match adapted:
        case StoredFloat():
            return adapted.as_decimal
        case PostgresNumber():
            return adapted.is_decimal
        case Float():
            # The field of such a type is one of floats, whatever the type says.
            return False
        case Numeric():
            return bool(adapted.asdecimal)
        case _:
            return isinstance(adapted, MysqlDecimal)
