"""Tortoise's clients on SQLite, through aiosqlite."""

import datetime
from typing import Any

from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper

from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import Ground, Joined, Pooled


class _Comparable:
    """Writes times the one way in which they can be compared, since SQLite compares them as texts."""

    def _sent(self, values: Any) -> Any:
        return None if values is None else [_text(each) for each in values]


class JoinedClient(_Comparable, Joined, SqliteTransactionWrapper):
    """In a transaction."""


class Client(_Comparable, Pooled, SqliteClient):
    """Outside of transactions."""

    joined = JoinedClient

    def __init__(self, ground: Ground) -> None:
        SqliteClient.__init__(self, "", connection_name=ground.name)
        self.stand_on(ground)


def _text(value: Any) -> Any:
    match value:
        case datetime.datetime():
            aware = value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value
            return aware.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        case datetime.time():
            return value.replace(tzinfo=None).isoformat("microseconds")
        case _:
            return value
