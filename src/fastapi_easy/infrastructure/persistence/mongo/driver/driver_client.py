"""Making the driver's client, PyMongo's or Motor's, with the limits of `ConnectionOptions`."""

import importlib
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.errors import ConfigurationError
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_counter import ConnectionCounter
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import UNUSABLE_URL, Address

DriverClient: TypeAlias = Any
"""`pymongo.AsyncMongoClient` or `motor.motor_asyncio.AsyncIOMotorClient`, which has no types."""

DriverDatabase: TypeAlias = Any
"""A database of a `DriverClient`."""

Session: TypeAlias = Any
"""A session of a `DriverClient`; `None` where a call belongs to no transaction."""

CLIENT_TIMEOUT_MARGIN: Final = 1.0
"""Seconds that the client waits longer than the server, so that the server's answer is the usual one."""

CODEC_OPTIONS: Final[CodecOptions[Any]] = CodecOptions(
    # Naive times are UTC; the codec makes them aware, which is quicker than the driver's own way.
    tz_aware=False,
    uuid_representation=UuidRepresentation.STANDARD,
    # A date beyond the years of Python, or a text that is no UTF-8, must not keep all others from being read.
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="backslashreplace",
)


def make_driver_client(
    address: Address, options: ConnectionOptions, counter: ConnectionCounter
) -> DriverClient:
    """Make the client of the driver that *address* names. No I/O.

    Args:
        address: Where the database is.

        options: Limits.

        counter: Is told of each connection.

    Raises:
        DeclarationError: The driver does not understand the URL.
    """
    arguments: dict[str, Any] = {
        **({} if _has_url_option(address.url, "appname") else {"appname": "fastapi_easy"}),
        "maxPoolSize": options.pool_size,
        "waitQueueTimeoutMS": _milliseconds(options.pool_timeout),
        "connectTimeoutMS": _milliseconds(options.connect_timeout),
        "serverSelectionTimeoutMS": _milliseconds(options.connect_timeout),
        "socketTimeoutMS": _milliseconds(options.statement_timeout + CLIENT_TIMEOUT_MARGIN),
        "maxIdleTimeMS": options.recycle * 1000,
        "event_listeners": [counter],
    }
    make = (
        importlib.import_module("motor.motor_asyncio").AsyncIOMotorClient
        if address.driver == "motor"
        else pymongo.AsyncMongoClient
    )
    try:
        return make(address.url, **arguments)
    except (ConfigurationError, ValueError):
        # What the driver says may repeat a part of the password.
        raise DeclarationError([UNUSABLE_URL]) from None


def open_driver_database(client: DriverClient, address: Address) -> DriverDatabase:
    """Return the database of *client* that *address* names, with the guarantees the adapter relies on. No I/O.

    Reads go to the primary, so that they see the writes before them. Writes wait for a majority, so that none is
    rolled back when another server takes over, unless the URL says `w=…`.
    """
    return client.get_database(
        address.database,
        codec_options=CODEC_OPTIONS,
        read_preference=ReadPreference.PRIMARY,
        write_concern=None if _has_url_option(address.url, "w") else WriteConcern("majority"),
    )


def _has_url_option(url: str, option: str) -> bool:
    return any(name.lower() == option for name, _ in parse_qsl(urlsplit(url).query))


def _milliseconds(seconds: float) -> int:
    # 0 would turn a limit off.
    return max(1, round(seconds * 1000))
