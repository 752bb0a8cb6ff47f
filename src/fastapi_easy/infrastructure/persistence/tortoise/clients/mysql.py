"""Tortoise's clients on MySQL and MariaDB, through asyncmy or aiomysql."""

from tortoise.backends.mysql.client import MySQLClient, TransactionWrapper

from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import Ground, Joined, Pooled


class JoinedClient(Joined, TransactionWrapper):
    """In a transaction."""


class Client(Pooled, MySQLClient):
    """Outside of transactions."""

    joined = JoinedClient

    def __init__(self, ground: Ground) -> None:
        # Where the server is, only the pool has to know.
        MySQLClient.__init__(
            self, user="", password="", database="", host="", port=0, connection_name=ground.name
        )
        self.stand_on(ground)
