"""The contexts in which Tortoise looks for connections: one for each database, with one client."""

import contextlib
import itertools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final

from tortoise.apps import Apps
from tortoise.connection import ConnectionHandler, ConnectionToken
from tortoise.context import TortoiseContext

from fastapi_easy.infrastructure.persistence.tortoise.models.model_registry import Models, module_of
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import (
    CURRENT,
    name_connection,
    take_apps,
    take_connections,
    value_before,
)

_NUMBERS: Final = itertools.count(1)


class SingleClientHandler(ConnectionHandler):
    """Returns the one client of a database, whatever name it is asked for.

    Tortoise keeps the name of its connection in each model, once per process; two databases with the same models
    would otherwise have to share it.
    """

    def __init__(self, database: str) -> None:
        super().__init__()
        self.name = f"fastapi_easy {database} {next(_NUMBERS)}"
        self.client: Any = None
        name_connection(self, self.name)
        self._current: ContextVar[Any] = ContextVar(self.name, default=None)

    def get(self, conn_alias: str) -> Any:
        """Return the client of the current transaction, or that of the pool."""
        return self._current.get() or self.client

    def set(self, conn_alias: str, conn_obj: Any) -> ConnectionToken:
        """Use *conn_obj* from now on in this task, and in those it starts."""
        before = self._current.get()
        _ = self._current.set(conn_obj)
        return ConnectionToken(self, conn_alias, before)

    def reset(self, token: ConnectionToken | None) -> None:
        """Use what was used before *token* was given out."""
        if token is not None:
            _ = self._current.set(value_before(token))

    def discard(self, conn_alias: str) -> Any:
        """Do nothing: the client belongs to its database."""
        return None


def make_context(models: Models, connections: SingleClientHandler) -> TortoiseContext:
    """Make a context in which *models* are stored behind *connections*.

    Made by hand: `TortoiseContext.init` would set the time zone and the routers of the whole process.
    """
    made = TortoiseContext()
    take_connections(made, connections, connections.name)
    config = {
        label: {"models": [module_of(label, of)], "default_connection": connections.name}
        for label, of in models.items()
    }
    with activate(made):
        take_apps(made, Apps(config, connections))
    return made


@contextlib.contextmanager
def activate(context: TortoiseContext) -> Iterator[None]:
    """Store Tortoise's models in *context* inside the block: in this task, and in those it starts."""
    # Not `with context:`, which keeps its token on the context and so works in one task at a time only.
    before = CURRENT.get()
    _ = CURRENT.set(context)
    try:
        yield
    finally:
        _ = CURRENT.set(before)
