"""Database URLs: the dialect and the driver that each means."""

import importlib.util
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, assert_never

from sqlalchemy import URL

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.relational.urls.mysql import mysql_arguments
from fastapi_easy.infrastructure.relational.urls.postgres import postgres_arguments
from fastapi_easy.infrastructure.relational.urls.reading import read_url

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
    url = read_url(text)
    scheme, _, named = url.drivername.partition("+")
    dialect = _DIALECTS.get(scheme)
    if dialect is None:
        known = ", ".join(sorted(_DIALECTS))
        raise DeclarationError(
            [f"no SQL database is reached with a URL that begins with {scheme!r}: use one of {known}"]
        )
    if dialect == "sqlite" and url.host:
        raise DeclarationError(
            [
                f"two slashes are followed by a host, which a file does not have: write three, sqlite:///{url.host}"
            ]
        )
    driver = _driver(dialect, named)
    if importlib.util.find_spec(driver) is None:
        extra = _EXTRAS[driver]
        raise DeclarationError([f'{driver} is not installed: pip install "fastapi_easy[{extra}]"'])
    resolved = url.set(drivername=f"{dialect}+{driver}")
    # So that what the driver cannot do is said at start.
    _ = connect_arguments(resolved)
    return resolved


def connect_arguments(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return *url* without the words in its query, and what its driver is given instead of them.

    Raises:
        DeclarationError: The driver cannot do one of them, a value is unknown, or a file cannot be read.
    """
    driver = driver_of(url)
    match driver:
        case "asyncpg" | "psycopg":
            return postgres_arguments(url, driver)
        case "asyncmy" | "aiomysql":
            return mysql_arguments(url, driver)
        case "aiosqlite":
            return url, {}
        case _:
            assert_never(driver)


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
        [f"the driver {named!r} cannot be used with {dialect}; use one of {', '.join(drivers)}"]
    )


def _recommended_driver(drivers: tuple[Driver, ...]) -> Driver:
    """Return the driver to recommend when none is installed: for MySQL the one that needs no compiler."""
    return "aiomysql" if "aiomysql" in drivers else drivers[0]
