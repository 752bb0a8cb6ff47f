"""Parsing the URL of a database."""

import importlib.util
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from fastapi_easy.domain.errors import DeclarationError

DEFAULT_DATABASE: Final = "fastapi_easy"

_DRIVERS: Final = {"": "pymongo", "pymongo": "pymongo", "motor": "motor"}
_EXTRAS: Final = {"pymongo": "mongo", "motor": "motor"}
_UNREADABLE_URL: Final = "the database URL cannot be read; it looks like mongodb://user@host/name"

UNUSABLE_URL: Final = (
    "the driver cannot use the database URL; check the hosts and the options, and that user and password have "
    "every special character escaped, as urllib.parse.quote_plus does"
)


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """The address of a database.

    Attributes:
        url: The URL as the driver takes it.

        database: Its name on the server.

        driver: `pymongo` or `motor`.
    """

    url: str
    database: str
    driver: str


def resolve(url: str) -> Address:
    """Parse *url* into the address of a database and its driver.

    Args:
        url: `mongodb://…`, `mongodb+srv://…`; with `mongodb+motor://…` through Motor.

    Raises:
        DeclarationError: It cannot be read, or its driver is not known or not installed.
    """
    scheme, separator, rest = url.partition("://")
    family, *suffixes = scheme.split("+")
    # The URL may hold a password, so no message repeats it.
    if family != "mongodb" or not separator or not rest.strip("/"):
        raise DeclarationError([_UNREADABLE_URL])
    is_srv = "srv" in suffixes
    named = "+".join(suffix for suffix in suffixes if suffix != "srv")
    if named not in _DRIVERS:
        raise DeclarationError(
            [f"the driver {named!r} cannot be used with mongodb; leave it out, or name motor"]
        )
    driver = _DRIVERS[named]
    if importlib.util.find_spec(driver) is None:
        raise DeclarationError([f'{driver} is not installed: pip install "fastapi_easy[{_EXTRAS[driver]}]"'])
    plain = f"mongodb{'+srv' if is_srv else ''}://{rest}"
    try:
        path = urlsplit(plain).path
    except ValueError:
        raise DeclarationError([_UNREADABLE_URL]) from None
    return Address(plain, unquote(path.strip("/")) or DEFAULT_DATABASE, driver)
