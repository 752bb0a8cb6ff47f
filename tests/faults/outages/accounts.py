"""Accounts of servers whose passwords change while a program runs, as operators rotate them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
import pymysql
import pytest

from tests.services.scratch import drop_scratch_database, scratch_database
from tests.services.wanted import wanted

STORES = {"postgresql": "postgres", "mysql": "mariadb", "mongodb": "mongo"}
"""The servers by the scheme of their URLs."""

FIRST = "first-secret"
SECOND = "second-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that owns a database.

    Attributes:
        url: Where a program finds the database, with the first password.

        rotate: Sets another password. Connections that are open stay so.
    """

    url: str
    rotate: Callable[[str], None]

    def url_with(self, driver: str, *, password: str | None = None, database: str | None = None) -> str:
        """Return the URL for *driver*; with another password or database if one is given."""
        parts = urlsplit(self.url)
        user, _, rest = parts.netloc.partition(":")
        told = rest if password is None else f"{password}@{rest.rpartition('@')[2]}"
        path = parts.path if database is None else f"/{database}"
        return urlunsplit(parts._replace(scheme=driver, netloc=f"{user}:{told}", path=path))


@contextmanager
def account_on(store: str) -> Iterator[Account]:
    """An account of its own on the server *store*, gone at the end."""
    service = wanted(store)
    url = scratch_database(service)
    name = f"rotated_{uuid.uuid4().hex[:8]}"
    try:
        with _MAKERS[store](url, name) as account:
            yield account
    finally:
        drop_scratch_database(service, url)


@contextmanager
def _postgres(url: str, name: str) -> Iterator[Account]:
    with psycopg.connect(url, autocommit=True) as admin:
        file = Path(_one(admin, "SHOW hba_file"))
        before = _read(file)
        database = _one(admin, "SELECT current_database()")
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{FIRST}'")
        admin.execute(f'ALTER DATABASE "{database}" OWNER TO {name}')
        admin.execute(f"GRANT CREATE ON SCHEMA public TO {name}")
        # The server of the tests trusts everybody: not this one.
        file.write_text(f"host all {name} 127.0.0.1/32 scram-sha-256\n{before}")
        admin.execute("SELECT pg_reload_conf()")

        def rotate(password: str) -> None:
            admin.execute(f"ALTER ROLE {name} PASSWORD '{password}'")

        try:
            yield Account(url=_with_user(url, name), rotate=rotate)
        finally:
            file.write_text(before)
            admin.execute("SELECT pg_reload_conf()")
            rotate("gone")
            admin.execute(f"REASSIGN OWNED BY {name} TO postgres")
            admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@contextmanager
def _mariadb(url: str, name: str) -> Iterator[Account]:
    parts = urlsplit(url)
    made = pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username or "root", autocommit=True
    )
    with closing(made) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{FIRST}'")
        cursor.execute(f"GRANT ALL ON `{parts.path.strip('/')}`.* TO '{name}'@'%'")

        def rotate(password: str) -> None:
            cursor.execute(f"ALTER USER '{name}'@'%' IDENTIFIED BY '{password}'")

        try:
            yield Account(url=_with_user(url, name), rotate=rotate)
        finally:
            cursor.execute(f"DROP USER '{name}'@'%'")


@contextmanager
def _mongo(url: str, name: str) -> Iterator[Account]:
    database = urlsplit(url).path.strip("/")
    with pymongo.MongoClient[dict[str, Any]](url) as admin:
        roles = [{"role": "readWrite", "db": database}, {"role": "dbAdmin", "db": database}]
        admin[database].command("createUser", name, pwd=FIRST, roles=roles)

        def rotate(password: str) -> None:
            admin[database].command("updateUser", name, pwd=password)

        try:
            yield Account(url=_with_user(url, name), rotate=rotate)
        finally:
            admin[database].command("dropUser", name)


_MAKERS = {"postgres": _postgres, "mariadb": _mariadb, "mongo": _mongo}


def _with_user(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{name}:{FIRST}@{parts.netloc.rpartition('@')[2]}"))


def _one(admin: "psycopg.Connection[Any]", question: str) -> str:
    row = admin.execute(question).fetchone()
    return "" if row is None else str(row[0])


def _read(file: Path) -> str:
    try:
        with file.open("r+") as opened:
            return opened.read()
    except OSError as error:
        pytest.skip(f"the server's {file.name} cannot be changed by the tests: {error.strerror}")
