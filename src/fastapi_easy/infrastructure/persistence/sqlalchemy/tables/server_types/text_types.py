"""The column types that let a server spell and read values of its own types."""

import enum
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Numeric, Text, cast, func, literal_column, type_coerce
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.unexpected_values import ComparedDecimal


class ServerValue(TypeDecorator[Any]):
    """Values that the server converts on their way in and out.

    Args:
        declared: The type of the column.

        read_as: The type without a length that parameters are cast to, so that nothing is cut off or filled up; by
            default the declared one.
    """

    impl = Text
    cache_ok = True
    # As columns of no special type, whatever operators the declared one has.
    comparator_factory = TypeDecorator.Comparator

    def __init__(self, declared: ColumnType, read_as: ColumnType | None = None) -> None:
        super().__init__()
        self.declared = declared
        self.read_as = declared if read_as is None else read_as

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        """Return the type of the column, which tables are created with."""
        return self.declared

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return nothing: the server reads what is given."""
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Return nothing: the server has spelt it."""
        return None

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return what the server makes of a parameter."""
        return cast(type_coerce(bindvalue, Text()), self.read_as)

    def column_expression(self, column: Any) -> Any:
        """Return what is selected in place of *column*."""
        return cast(column, Text)


class ServerText(ServerValue):
    """Values as PostgreSQL spells them where it converts them to text."""

    cache_ok = True


class AddressText(ServerText):
    """IP addresses as PostgreSQL shows them: as text it would add /32 to those of a single host."""

    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        """Return what is selected in place of *column*."""
        return func.nullif(func.concat(column), literal_column("''"))


class MoneyAmount(ServerValue):
    """Amounts as decimals, where the server's own spelling has a sign of currency.

    Attributes:
        compared: The type of what amounts are compared with: as an amount of money, that would be rounded.
    """

    cache_ok = True
    compared: ColumnType = ComparedDecimal()

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return what the server makes of a parameter."""
        return cast(type_coerce(bindvalue, Numeric()), self.read_as)

    def column_expression(self, column: Any) -> Any:
        """Return what is selected in place of *column*."""
        return cast(column, Numeric)


class ServerTexts(ServerValue):
    """Arrays whose items are values as PostgreSQL spells them.

    Args:
        declared: The type of the column.

        labels: What the items that are members of an enumeration are stored as.
    """

    cache_ok = False

    def __init__(self, declared: ColumnType, labels: Mapping[enum.Enum, str]) -> None:
        super().__init__(declared)
        self.labels = labels

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what spells the items of a list."""
        labels = self.labels
        return lambda items: None if items is None else [labels.get(each, each) for each in items]

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return what the server makes of a parameter."""
        return cast(_coerced(bindvalue, self), self.declared)

    def column_expression(self, column: Any) -> Any:
        """Return what is selected in place of *column*."""
        return cast(column, postgresql.ARRAY(Text))


class _SpeltItems(TypeDecorator[Any]):
    """A list of texts, of items that the array's own type has spelt."""

    impl = postgresql.ARRAY(Text)
    cache_ok = False

    def __init__(self, spelt_by: ServerTexts) -> None:
        super().__init__()
        self.spelt_by = spelt_by

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the texts of the items."""
        spell = self.spelt_by.bind_processor(dialect)
        return value if spell is None else spell(value)


def _coerced(bindvalue: Any, type_: ServerTexts) -> Any:
    return type_coerce(bindvalue, _SpeltItems(type_))


class SetText(ServerValue):
    """What a SET of MariaDB holds, as the server spells it: its members with commas in between."""

    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return the parameter as it is."""
        return type_coerce(bindvalue, Text())

    def column_expression(self, column: Any) -> Any:
        """Return *column* as it is."""
        return column


class YearNumber(ServerValue):
    """The years of MariaDB's."""

    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return the parameter as a number."""
        return type_coerce(bindvalue, BigInteger())

    def column_expression(self, column: Any) -> Any:
        """Return *column* as it is."""
        return column


class BitNumber(YearNumber):
    """The bits of MariaDB's as a whole number without a sign."""

    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        """Return what is selected in place of *column*, which drivers would give as bytes."""
        return cast(column, mysql.INTEGER(unsigned=True))


class DomainValue(TypeDecorator[Any]):
    """A domain of PostgreSQL's in the tables that are created; statements have the type beneath it.

    Args:
        declared: The domain.

        inner: The type beneath it, as statements have it.
    """

    impl = Text
    cache_ok = False

    def __init__(self, declared: ColumnType, inner: ColumnType) -> None:
        super().__init__()
        self.declared = declared
        self.inner = inner

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        """Return the domain."""
        return self.declared
