"""Whether a step took effect."""

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.step import Effect, Probe
from fastapi_easy.infrastructure.migrations.relational.probing.mysql import find_mysql_effect
from fastapi_easy.infrastructure.migrations.relational.probing.postgres import find_postgres_effect
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import read_parts
from fastapi_easy.infrastructure.relational.server import server_name_of


def find_effect(connection: Connection, probe: Probe) -> Effect:
    """Return how much of a step is visible on PostgreSQL, MySQL or MariaDB.

    Args:
        connection: What is asked; nothing is written.

        probe: Of the step; see `wanted` for what it may hold.

    Raises:
        LookupError: The server is none of these.
    """
    if probe.kind == "none":
        return Effect.UNKNOWN
    if probe.kind == "parts":
        return together([find_effect(connection, each) for each in read_parts(probe)])
    match server_name_of(connection.dialect.name):
        case "postgresql":
            return find_postgres_effect(connection, probe)
        case "mysql":
            return find_mysql_effect(connection, probe)
        case "sqlite":
            raise LookupError("SQLite's steps have probes of their own")


def together(effects: list[Effect]) -> Effect:
    """Return the effect of a step with several parts: partial when only some are there."""
    found = set(effects)
    if len(found) == 1:
        return found.pop()
    return Effect.UNKNOWN if Effect.UNKNOWN in found else Effect.PARTIAL
