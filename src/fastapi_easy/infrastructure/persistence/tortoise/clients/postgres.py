"""Tortoise's clients on PostgreSQL, through asyncpg."""

from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper

from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import (
    ClientDependencies,
    PooledClientMixin,
    TransactionClientMixin,
)


class TransactionClient(TransactionClientMixin, TransactionWrapper):
    """In a transaction."""


class Client(PooledClientMixin, AsyncpgDBClient):
    """Outside of transactions."""

    transaction_client = TransactionClient

    def __init__(self, dependencies: ClientDependencies) -> None:
        AsyncpgDBClient.__init__(self, connection_name=dependencies.name)
        self.configure(dependencies)
