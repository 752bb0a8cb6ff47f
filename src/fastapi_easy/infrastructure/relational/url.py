"""Database URLs: the dialect and the driver that each means."""

import importlib.util
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fastapi_easy.domain.errors import DeclarationError

Driver: TypeAlias = Literal["aiosqlite", "asyncpg", "psycopg", "asyncmy", "aiomysql"]

_DIALECTS: Final[Mapping[str, str]] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
}

_DRIVERS: Final[Mapping[str, tuple[Driver, ...]]] = {
    "sqlite": ("aiosqlite",),
    "postgresql": ("asyncpg", "psycopg"),
    "mysql": ("asyncmy", "aiomysql"),
    "mariadb": ("asyncmy", "aiomysql"),
}
"""The supported drivers, the preferred one first."""

_EXTRAS: Final[Mapping[Driver, str]] = {
    "aiosqlite": "sqlite",
    "asyncpg": "postgres",
    "psycopg": "psycopg",
    "asyncmy": "mysql-fast",
    "aiomysql": "mysql",
}


def resolve(text: str) -> URL:
    """Parse a database URL, and name its driver where it leaves that open.

    Args:
        text: `sqlite:///shop.db`, `postgresql://…`, `mysql+aiomysql://…`; a driver that is named is respected.

    Raises:
        DeclarationError: The URL cannot be read, no adapter knows it, or its driver is not installed.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise DeclarationError(
            ["the database URL cannot be read; it looks like postgresql://user@host/name"]
        ) from None
    scheme, _, named = url.drivername.partition("+")
    dialect = _DIALECTS.get(scheme)
    if dialect is None:
        known = ", ".join(sorted(_DIALECTS))
        raise DeclarationError(
            [f"no SQL adapter for a database URL that begins with {scheme!r}; it knows {known}"]
        )
    driver = _driver(dialect, named)
    if importlib.util.find_spec(driver) is None:
        extra = _EXTRAS[driver]
        raise DeclarationError([f'{driver} is not installed: pip install "fastapi_easy[{extra}]"'])
    return url.set(drivername=f"{dialect}+{driver}")


def driver_of(url: URL) -> Driver:
    """Return the driver of *url*, which `resolve` has named."""
    return _driver(url.get_backend_name(), url.get_driver_name())


def _driver(dialect: str, named: str) -> Driver:
    drivers = _DRIVERS[dialect]
    for each in drivers:
        if each == named:
            return each
    if named in {"", "asyncio"}:
        return next(
            (each for each in drivers if importlib.util.find_spec(each) is not None),
            _recommended_driver(drivers),
        )
    raise DeclarationError(
        [f"the driver {named!r} cannot be used with {dialect}; it has to be one of {', '.join(drivers)}"]
    )


def _recommended_driver(drivers: tuple[Driver, ...]) -> Driver:
    """Return the driver to recommend when none is installed: for MySQL the one that needs no compiler."""
    return "aiomysql" if "aiomysql" in drivers else drivers[0]
