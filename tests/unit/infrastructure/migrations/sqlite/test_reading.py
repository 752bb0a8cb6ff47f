"""A file is read as it is at one moment."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, make_url

from fastapi_easy.infrastructure.migrations.relational.connections import MigrationConnections


async def test_what_others_change_meanwhile_is_not_seen(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE book (id INTEGER PRIMARY KEY)")
    connections = MigrationConnections(make_url(f"sqlite+aiosqlite:///{file}"))

    def columns(connection: Connection) -> list[str]:
        return [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(book)")]

    def look_twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = columns(connection)
        with sqlite3.connect(file) as changing:
            changing.execute("ALTER TABLE book ADD COLUMN isbn TEXT")
        return before, columns(connection)

    seen = await connections.read(look_twice)
    after = await connections.read(columns)
    await connections.close()

    assert seen == (["id"], ["id"])
    assert after == ["id", "isbn"]
