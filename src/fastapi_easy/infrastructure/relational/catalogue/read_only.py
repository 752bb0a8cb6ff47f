"""Whether a database takes changes, as far as it tells without one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.server import ServerName

_QUESTIONS: Final[Mapping[ServerName, str]] = {
    # On a standby every transaction is read-only.
    "postgresql": "SELECT current_setting('transaction_read_only') = 'on'",
    # A number before MariaDB 12, a word since.
    "mysql": "SELECT CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')",
    "sqlite": "PRAGMA query_only",
}


async def asks_read_only(executor: Executor, server: ServerName) -> bool:
    """Ask the database whether it takes no changes; that it answers at all shows that it is up."""
    answer = await executor.ping(_QUESTIONS[server])
    return bool(answer) or (server == "sqlite" and _is_read_only_file(executor))


def _is_read_only_file(executor: Executor) -> bool:
    url = executor.engine.url
    name, _, query = (url.database or "").partition("?")
    path = name.removeprefix("file:")
    options = {**dict(each.split("=", 1) for each in query.split("&") if "=" in each), **url.query}
    is_declared = options.get("mode") == "ro" or options.get("immutable") == "1"
    return is_declared or (Path(path).exists() and not os.access(path, os.W_OK))
