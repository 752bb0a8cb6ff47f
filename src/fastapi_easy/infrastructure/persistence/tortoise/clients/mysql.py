"""Tortoise's clients on MySQL and MariaDB, through asyncmy or aiomysql."""

from tortoise.backends.mysql.client import MySQLClient, TransactionWrapper

from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import (
    ClientDependencies,
    PooledClientMixin,
    TransactionClientMixin,
)


class TransactionClient(TransactionClientMixin, TransactionWrapper):
    """In a transaction."""


class Client(PooledClientMixin, MySQLClient):
    """Outside of transactions."""

    transaction_client = TransactionClient

    def __init__(self, dependencies: ClientDependencies) -> None:
        # Where the server is, only the pool has to know.
        MySQLClient.__init__(
            self, user="", password="", database="", host="", port=0, connection_name=dependencies.name
        )
        self.configure(dependencies)
