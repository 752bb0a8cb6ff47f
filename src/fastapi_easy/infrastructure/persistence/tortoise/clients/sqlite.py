"""Tortoise's clients on SQLite, through aiosqlite."""

import datetime
from typing import Any

from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper

from fastapi_easy.domain.values.naive_times import in_utc
from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import (
    ClientDependencies,
    PooledClientMixin,
    TransactionClientMixin,
)


class _ComparableTimesMixin:
    """Writes times the one way in which they can be compared, since SQLite compares them as texts."""

    def _encode_values(self, values: Any) -> Any:
        return None if values is None else [_text(each) for each in values]


class TransactionClient(_ComparableTimesMixin, TransactionClientMixin, SqliteTransactionWrapper):
    """In a transaction."""


class Client(_ComparableTimesMixin, PooledClientMixin, SqliteClient):
    """Outside of transactions."""

    transaction_client = TransactionClient

    def __init__(self, dependencies: ClientDependencies) -> None:
        SqliteClient.__init__(self, "", connection_name=dependencies.name)
        self.configure(dependencies)


def _text(value: Any) -> Any:
    match value:
        case datetime.datetime():
            return in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")
        case datetime.time():
            return value.replace(tzinfo=None).isoformat("microseconds")
        case _:
            return value
