"""Tortoise's clients on PostgreSQL, through asyncpg."""

from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper

from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import Ground, Joined, Pooled


class JoinedClient(Joined, TransactionWrapper):
    """In a transaction."""


class Client(Pooled, AsyncpgDBClient):
    """Outside of transactions."""

    joined = JoinedClient

    def __init__(self, ground: Ground) -> None:
        AsyncpgDBClient.__init__(self, connection_name=ground.name)
        self.stand_on(ground)
