"""Types on SQLite that look at what else is stored in their columns before they take it for what was declared."""

import uuid
from typing import Any

from sqlalchemy import CHAR, BigInteger, Enum, Integer, LargeBinary, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import Processor, SqliteType, encoder
from fastapi_easy.infrastructure.relational.sqlite.spellings import read_uuid


class SqliteUuid(SqliteType[uuid.UUID]):
    """UUIDs as 32 hexadecimal digits, or as 36 characters with *dashes*."""

    impl = CHAR
    cache_ok = True

    def __init__(self, dashes: bool = False) -> None:
        super().__init__(36 if dashes else 32)
        self.dashes = dashes

    @property
    def normal_form(self) -> str:  # type: ignore[override] # one of two
        """The function that returns the form with the dashes that we store, or without them."""
        return "dashed_uuid_form" if self.dashes else "uuid_form"

    @property
    def own_length(self) -> int:  # type: ignore[override] # one of two
        """The length with dashes or without them."""
        return 36 if self.dashes else 32

    @property
    def odd_characters(self) -> str:  # type: ignore[override] # one of two
        """What is neither a small hexadecimal digit nor a dash where those belong."""
        return "*[^-0-9a-f]*" if self.dashes else "*[^0-9a-f]*"

    def bind_processor(self, dialect: Dialect) -> Processor:
        return encoder(uuid.UUID.__str__ if self.dashes else lambda value: value.hex)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        length, read_other = self.own_length, self.watch.over(read_uuid)

        def read(stored: Any) -> Any:
            if stored is None:
                return None
            return read_uuid(stored) if len(stored) == length else read_other(stored)

        return read


class SqliteBytes(TypeDecorator[bytes]):
    """Bytes; a text or a number in their place is none, and is not made into bytes."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def read(stored: Any) -> bytes | None:
            if stored is not None and stored.__class__ is not bytes:
                raise ValueError("not bytes")
            result: bytes | None = stored
            return result

        return read


class CheckedInteger(TypeDecorator[int]):
    """Whole numbers in a column that holds other values as well, which SQLite's own type lets through."""

    impl = BigInteger
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _checked(int)


class CheckedText(TypeDecorator[str]):
    """Texts in a column that holds other values as well, which SQLite's own type lets through."""

    impl = String
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return _checked(str)


def checked(declared: ColumnType) -> ColumnType | None:
    """Return the type to use in place of *declared*, whose values are not decoded; `None` for all other types."""
    if type(declared) is CheckedInteger or type(declared) is CheckedText:
        return declared
    if isinstance(declared, Integer):
        return CheckedInteger()
    is_text = isinstance(declared, String) and not isinstance(declared, Enum)
    return CheckedText(getattr(declared, "length", None)) if is_text else None


def _checked(expected: type) -> Processor:
    def read(stored: Any) -> Any:
        if stored is None or stored.__class__ is expected:
            return stored
        raise ValueError("not what was declared")

    return read
