"""One relational database whose entities are Tortoise's models."""

import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

from tortoise import Model
from tortoise.context import TortoiseContext

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.tracer import Tracer
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.tortoise.clients.clients import (
    ClientDependencies,
    PooledClientMixin,
)
from fastapi_easy.infrastructure.persistence.tortoise.clients.connections import (
    SingleClientHandler,
    activate,
    make_context,
)
from fastapi_easy.infrastructure.persistence.tortoise.models.entities import TortoiseEntities
from fastapi_easy.infrastructure.persistence.tortoise.models.model_registry import register_models
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.relational.transaction import Transaction

_CLIENTS: Final = {"sqlite": "sqlite", "postgresql": "postgres", "mysql": "mysql"}
"""The module with the clients of each kind of database."""

_DATABASES_OF_MODEL: Final[WeakKeyDictionary[type[Model], WeakSet["TortoiseDatabase"]]] = WeakKeyDictionary()
"""The open databases that each model is kept in."""


class TortoiseDatabase(SqlAlchemyDatabase):
    """Implements `Database` for Tortoise's models on SQLite, PostgreSQL, MySQL and MariaDB.

    Args:
        name: Its name in the settings.

        url: As `SqlAlchemyDatabase` takes it; on PostgreSQL the driver is asyncpg.

        options: Limits.

        models: What is kept here.

        breaker: As for `SqlAlchemyDatabase`.

        tracer: Records each statement, but those of the models' own methods.

    Raises:
        DeclarationError: The URL names no database this adapter knows, or its driver is not installed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        options: ConnectionOptions | None = None,
        models: Iterable[type[Model]] = (),
        breaker: Callable[[], Breaker | None] = lambda: None,
        tracer: Tracer | None = None,
    ) -> None:
        super().__init__(name, url, options, breaker, tracer)
        # Before any of them is described: what leads to a model may be declared in another module.
        self._models = register_models(models)
        engine = self.executor.engine
        if engine.driver == "psycopg":
            raise DeclarationError(
                [
                    f"database {name!r} holds Tortoise models, which need the driver asyncpg: name it in the URL"
                ]
            )
        backend = "mysql" if engine.name == "mariadb" else engine.name
        self.entities = TortoiseEntities(backend, [model for each in self._models.values() for model in each])
        self._connections = SingleClientHandler(name)
        dependencies = ClientDependencies(
            name=self._connections.name,
            executor=self.executor,
            begin=self.begin,
            connections=self._connections,
        )
        # Tortoise's clients import their drivers, of which the other ones need not be installed.
        clients = importlib.import_module(f"{__package__}.clients.{_CLIENTS[backend]}")
        self._client: PooledClientMixin = clients.Client(dependencies)
        self._connections.client = self._client
        self._dependencies = dependencies
        self._context: TortoiseContext | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        return super().capabilities - {Capability.COMPOSITE_KEYS}

    async def open(self) -> None:
        """Introduce the models to Tortoise; nothing is connected before the first statement.

        Raises:
            DeclarationError: A model is kept in a database of another kind already.
        """
        await super().open()
        _ = self._registered_context()

    async def close(self) -> None:
        """Give back every connection."""
        for hosts in _DATABASES_OF_MODEL.values():
            hosts.discard(self)
        self._context = None
        await super().close()

    @contextlib.contextmanager
    def activate(self, transaction: Transaction | None = None) -> Iterator[None]:
        """Let the models' own methods work on this database inside the block: in this task, and in those it starts.

        Args:
            transaction: What they take part in; without one, in what is going on already, or each call for itself.
        """
        context, connections = self._registered_context(), self._connections
        with activate(context):
            if transaction is None:
                yield
                return
            token = connections.set(
                connections.name, self._client.transaction_client(self._dependencies, transaction)
            )
            try:
                yield
            finally:
                connections.reset(token)

    def _registered_context(self) -> TortoiseContext:
        if self._context is None:
            self._claim_models(model for each in self._models.values() for model in each)
            self._context = make_context(self._models, self._connections)
        return self._context

    def _claim_models(self, models: Iterable[type[Model]]) -> None:
        """Refuse models that would have to be spoken of in two kinds of SQL: Tortoise keeps one per process."""
        claimed = list(models)
        mistakes = [
            f"{model.__name__} is already stored in database {other.name!r} ({other.technology}), and Tortoise cannot"
            f" keep one model in two kinds of databases: declare another class for {self.name!r} ({self.technology})"
            for model in claimed
            for other in _DATABASES_OF_MODEL.get(model, ())
            if other.executor.engine.name != self.executor.engine.name
        ]
        if mistakes:
            raise DeclarationError(mistakes)
        for model in claimed:
            _DATABASES_OF_MODEL.setdefault(model, WeakSet()).add(self)
