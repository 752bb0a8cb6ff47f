"""Imported by the process that others are forked from: what is imported late is there once they start."""

import asyncio
import tempfile

import asyncpg  # noqa: F401 (the driver of the accounts)

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.settings import Settings
from tests.faults.messaging.shop import Ledger, tables_made


async def _open_once() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(tables_made(f"sqlite:///{folder}/ledger.sqlite3"))
        async with open_kernel(Ledger(settings=settings)):
            pass


asyncio.run(_open_once())
