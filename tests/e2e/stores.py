"""The stores, as URLs of empty databases."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.wanted import empty_database

CHOSEN = "FASTAPI_EASY_DATABASES__DEFAULT__URL"
SQL_STORES = ("sqlite", "postgres", "mariadb")

EVERY_STORE = ("memory", *SQL_STORES)

MONGO = "mongo"
"""For pydantic models and dataclasses only."""


def store_names(*others: str) -> tuple[str, ...]:
    """Every SQL store and *others*, or the one that the environment has chosen."""
    return ("chosen",) if CHOSEN in os.environ else (*SQL_STORES, *others)


@contextmanager
def empty_store(name: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database on the store *name*, gone at the end."""
    if name == "chosen":
        yield os.environ[CHOSEN]
    elif name == "memory":
        yield "memory://"
    elif name == "sqlite":
        yield f"sqlite:///{folder / 'shop.sqlite3'}"
    else:
        with empty_database(name) as url:
            yield url
