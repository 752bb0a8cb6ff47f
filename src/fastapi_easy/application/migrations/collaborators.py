"""What the use cases of migrations are made of."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.application.migrations.assessing.assessor import Assessor
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.migration_scripts import ScriptSource
from fastapi_easy.domain.ports.schema_store import SchemaStore

_logger: Final = logging.getLogger("fastapi_easy.migrations")


def describe_process() -> str:
    """Return the host and the process, for whoever wonders who holds the lock."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def _to_nobody(_: MigrationEvent) -> None:
    """Publish nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationCollaborators:
    """What the use cases of migrations are made of, for one database.

    Attributes:
        store: Its stored schema and its ledger.

        assessor: Judges steps.

        clock: The time of events and of how long steps take.

        publish: Passes an event on, after what it tells of was committed.

        hooks: Code of users that is called before and after.

        scripts: Where plans come from instead of a comparison; `None` for a comparison.

        owner: Who asks, for the ledger and for those who wait.

        app_version: Of the program, for the ledger.

        sleep: Waits for some seconds.

        jitter: Returns a number from 0 to 1, so that those who wait do not come back at once.

        report: Is told what went wrong without keeping anything from being done.
    """

    store: SchemaStore
    assessor: Assessor
    clock: Clock
    publish: Callable[[MigrationEvent], Awaitable[None]] = _to_nobody
    hooks: MigrationHooks = field(default_factory=MigrationHooks)
    scripts: ScriptSource | None = None
    owner: str = field(default_factory=describe_process)
    app_version: str = ""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    report: Callable[[str], None] = _logger.warning
