"""What each adapter declares about each store, as the table of `docs/reference/stores.md`.

`make tables` writes it there; `test_reference` compares. The servers are met, since some things depend on them.
"""

import asyncio
import importlib
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fastapi_easy.domain import Capability
from fastapi_easy.domain.ports import Database, SchemaMode
from tests.docs.pages import DOCS, table_under
from tests.services import release
from tests.services.wanted import empty_database

PAGE = DOCS / "reference" / "stores.md"
HEADING = "## Capabilities"

_ROOM = "fastapi_easy.infrastructure.persistence"
_ADAPTERS = {
    "SQLAlchemy, SQLModel": ("sqlalchemy", "SqlAlchemyDatabase", ("sqlite", "postgres", "mariadb")),
    "Tortoise": ("tortoise", "TortoiseDatabase", ("sqlite", "postgres", "mariadb")),
    "MongoDB": ("mongo", "MongoDatabase", ("mongo",)),
}
"""The room of each adapter, its database and the servers it is tried on."""


def declared() -> Mapping[tuple[str, str], frozenset[Capability]]:
    """What each adapter says that it can do on each store."""
    memory = _class("memory", "MemoryDatabase")("default")
    found = {("memory", "memory"): memory.capabilities}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for adapter, (room, name, servers) in _ADAPTERS.items():
            for server in servers:
                embedded = f"sqlite:///{folder / room}"
                url = embedded if server == "sqlite" else stack.enter_context(empty_database(server))
                database = _class(room, name)("default", url)
                asyncio.run(_detect_server(database))
                found[adapter, _store_of(database)] = database.capabilities
    alone = _class("mongo", "MongoDatabase")("default", "mongodb://host/name")
    # No server of that kind is started for this alone.
    alone._has_transactions = False
    return {**found, ("MongoDB", "stand-alone"): alone.capabilities}


def _store_of(database: Database) -> str:
    return "replica set" if database.technology == "MongoDB" else database.technology


async def _detect_server(database: Database) -> None:
    await database.open()
    prepared = await database.prepare((), SchemaMode.CREATE)
    has_transactions = getattr(database, "has_transactions", None)
    if has_transactions is not None:
        await has_transactions()
    await database.close()
    assert not prepared.unwrap()


def _class(room: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{_ROOM}.{room}.connection"), name)


def rows() -> list[dict[str, str]]:
    """The rows of the table, by the names of its columns."""
    return [
        {
            "adapter": adapter,
            "store": store,
            **{f"`{each}`": "yes" if each in has else "no" for each in Capability},
        }
        for (adapter, store), has in declared().items()
    ]


def shown() -> list[dict[str, str]]:
    """The rows that the page shows."""
    return table_under(PAGE, HEADING)


def table() -> str:
    """The table, in Markdown."""
    written = rows()
    lines = [written[0].keys(), ["---"] * len(written[0]), *(row.values() for row in written)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace(" --- ", "---")


def write() -> None:
    """Put the table into the page, in the place of the one under its heading."""
    before, heading, after = PAGE.read_text().partition(f"\n{HEADING}\n")
    lines = after.splitlines(keepends=True)
    begin = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next(number for number, line in enumerate(lines) if number > begin and not line.startswith("|"))
    PAGE.write_text(before + heading + "".join(lines[:begin]) + table() + "".join(lines[end:]))


if __name__ == "__main__":
    try:
        write()
    finally:
        release()
