"""Empty stores of leases, one of each kind, for measurements."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.services import drop_scratch_database, obtain, scratch_database
from tests.services.service import new_folder

SERVERS: Final = {"PostgreSQL": "postgres", "MariaDB": "mariadb", "MongoDB": "mongo", "Redis": "redis"}
"""The servers that keep leases, and their names among the services of the tests."""

_FILES: Final = {"SQLite": "sqlite:///{}/locks.sqlite3", "files": "file://{}/locks"}
"""The URLs of what keeps leases in a folder."""

STORES: Final = (*SERVERS, *_FILES)


@asynccontextmanager
async def lease_store(name: str) -> AsyncIterator[str]:
    """The URL of an empty store, one of `STORES`; it is removed at the end."""
    if name in _FILES:
        folder = new_folder("leases")
        try:
            yield _FILES[name].format(folder)
        finally:
            shutil.rmtree(folder)
        return
    service = obtain(SERVERS[name])
    url = scratch_database(service)
    try:
        yield url
    finally:
        drop_scratch_database(service, url)
