"""Every name of Tortoise's that it keeps to itself.

Known to be what they are taken for in 1.1.5 to 1.1.9. Nothing can stand in for most of them, and when one is gone an
app with Tortoise's models does not start: the version has a cap, `tortoise-orm<1.2` (ADR 15). Besides those read here,
`clients` defines `_in_transaction`, which Tortoise's `in_transaction()` calls.
"""

from contextvars import ContextVar
from typing import Any, Final

import tortoise.context
from tortoise.apps import Apps
from tortoise.connection import ConnectionHandler, ConnectionToken
from tortoise.context import TortoiseContext

CURRENT: Final[ContextVar[TortoiseContext | None]] = tortoise.context._current_context
"""The context in which Tortoise looks for everything: `_current_context`.

The public `with context:` keeps its token on the context and so works in one task at a time only.
"""


def meta_of(model: Any) -> Any:
    """Return what Tortoise knows about *model*: `_meta`. There is no other way to its fields."""
    return model._meta


def is_generated(relation: Any) -> bool:
    """Tell whether *relation* is the end that Tortoise made of one declared on the other model: `_generated`."""
    return bool(relation._generated)


def name_connection(handler: ConnectionHandler, name: str) -> None:
    """Tell *handler* that its one connection is called *name*, in `_db_config`."""
    handler._db_config = {name: {}}


def value_before(token: ConnectionToken) -> Any:
    """Return the client that was in use before *token* was given out: `_old_value`."""
    return token._old_value


def take_connections(context: TortoiseContext, connections: ConnectionHandler, name: str) -> None:
    """Have *context* use *connections*, by `_connections`, and the one called *name*, by `_default_connection`.

    `TortoiseContext.init` would set the time zone and the routers of the whole process.
    """
    context._connections = connections
    context._default_connection = name


def take_apps(context: TortoiseContext, apps: Apps) -> None:
    """Have *context* use the models of *apps*, by `_apps`, and count as initialised, by `_inited`."""
    context._apps = apps
    context._inited = True
