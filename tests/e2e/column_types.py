"""Column types of users, as they are found in applications and recipes."""

import base64
import datetime
import enum
import ipaddress
import json
import pathlib
import uuid
import zlib
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, PlainSerializer, PlainValidator
from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    func,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, UserDefinedType

_START = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone, as the type reckons


class Guid(TypeDecorator):
    """SQLAlchemy's backend-agnostic recipe: PostgreSQL's own type, and 32 digits elsewhere."""

    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(CHAR(32))

    def process_bind_param(self, value, dialect):
        if value is None or dialect.name == "postgresql":
            return value
        return (value if isinstance(value, uuid.UUID) else uuid.UUID(value)).hex

    def process_result_value(self, value, dialect):
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class DashedGuid(TypeDecorator):
    impl = CHAR(36)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else str(uuid.UUID(str(value)))

    def process_result_value(self, value, dialect):
        return None if value is None else uuid.UUID(value)


class BytesGuid(TypeDecorator):
    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.bytes

    def process_result_value(self, value, dialect):
        return uuid.UUID(bytes=value)


class JsonText(TypeDecorator):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else json.dumps(value)

    def process_result_value(self, value, dialect):
        return None if value is None else json.loads(value)


class Epoch(TypeDecorator):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else int(value.timestamp())

    def process_result_value(self, value, dialect):
        return None if value is None else datetime.datetime.fromtimestamp(value, datetime.UTC)


class NaiveEpoch(TypeDecorator):
    """Milliseconds since 1970, reckoned with times without a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return (value - _START) // datetime.timedelta(milliseconds=1)

    def process_result_value(self, value, dialect):
        return _START + datetime.timedelta(milliseconds=value)


class TzDateTime(TypeDecorator):
    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is not None:
            if not value.tzinfo:
                raise TypeError("tzinfo is required")
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return value

    def process_result_value(self, value, dialect):
        return None if value is None else value.replace(tzinfo=datetime.UTC)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
    TOP = 10


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class NumberOf(TypeDecorator):
    """The recipe for an enumeration in a column of numbers."""

    impl = Integer
    cache_ok = True

    def __init__(self, members: type[enum.IntEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value, dialect):
        return None if value is None else int(value)

    def process_result_value(self, value, dialect):
        return None if value is None else self.members(value)


class ColorText(TypeDecorator):
    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.name

    def process_result_value(self, value, dialect):
        return Color[value]


class CommaList(TypeDecorator):
    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else ",".join(value)

    def process_result_value(self, value, dialect):
        return [] if not value else value.split(",")


class Sealed(TypeDecorator):
    """Text that is encrypted in another way each time."""

    impl = String(400)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        salt = uuid.uuid4().bytes[:1]
        return base64.b64encode(salt + bytes(each ^ salt[0] for each in value.encode())).decode()

    def process_result_value(self, value, dialect):
        raw = base64.b64decode(value)
        return bytes(each ^ raw[0] for each in raw[1:]).decode()


class Masked(TypeDecorator):
    """Text that is encrypted in the same way each time."""

    impl = String(400)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return base64.b64encode(value[::-1].encode()).decode()

    def process_result_value(self, value, dialect):
        return base64.b64decode(value).decode()[::-1]


class Zipped(TypeDecorator):
    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return zlib.compress(value)

    def process_result_value(self, value, dialect):
        return zlib.decompress(value)


class Cents(TypeDecorator):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else int(value * 100)

    def process_result_value(self, value, dialect):
        return None if value is None else Decimal(value) / 100


class PositiveCents(Cents):
    cache_ok = True

    def process_bind_param(self, value, dialect):
        assert value is None or value >= 0, "must not be negative"
        return super().process_bind_param(value, dialect)


class Money(TypeDecorator):
    impl = Numeric(12, 2)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else round(Decimal(value), 2)

    def process_result_value(self, value, dialect):
        return None if value is None else round(Decimal(value), 2)


class PathType(TypeDecorator):
    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else str(value)

    def process_result_value(self, value, dialect):
        return None if value is None else pathlib.PurePosixPath(value)


class AddressType(TypeDecorator):
    impl = String(50)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return str(value)

    def process_result_value(self, value, dialect):
        return ipaddress.ip_address(value)


class Email(TypeDecorator):
    """As in sqlalchemy-utils, and strict besides."""

    impl = String(100)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if "@" not in value:
            raise ValueError("must be an address")
        return value.lower()


class Phone:
    """A class that only this application knows."""

    def __init__(self, number: str) -> None:
        if not number.startswith("+"):
            raise ValueError("must begin with +")
        self.number = number

    def __str__(self) -> str:
        return self.number


class PhoneType(TypeDecorator):
    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.number

    def process_result_value(self, value, dialect):
        return Phone(value)


PhoneNumber = Annotated[Phone, PlainValidator(Phone), PlainSerializer(str, return_type=str)]


class Settings(BaseModel):
    theme: str
    size: int = 1


class SettingsType(TypeDecorator):
    impl = JSON
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value.model_dump()

    def process_result_value(self, value, dialect):
        return Settings.model_validate(value)


class YesNo(TypeDecorator):
    impl = CHAR(1)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else "Y" if value else "N"

    def process_result_value(self, value, dialect):
        return None if value is None else value == "Y"


class Versioned(UserDefinedType):
    """A type that is no decorator."""

    cache_ok = True

    def get_col_spec(self, **_):
        return "VARCHAR(30)"

    def bind_processor(self, dialect):
        return lambda value: None if value is None else f"v{value}"

    def result_processor(self, dialect, coltype):
        return lambda value: None if value is None else value[1:]


class Folded(TypeDecorator):
    """Text that the database itself changes, on its way in and out."""

    impl = String(50)
    cache_ok = True

    def bind_expression(self, bindvalue):
        return func.lower(bindvalue)

    def column_expression(self, column):
        return func.upper(column)
