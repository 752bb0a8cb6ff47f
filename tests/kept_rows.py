"""The rows of the system's own tables, as plainly as each store gives them."""

from typing import Any

from sqlalchemy import select

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import prepare
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of


async def kept_rows(database: Any, table: SystemTable) -> list[dict[str, Any]]:
    if isinstance(database, MemoryDatabase):
        return [dict(row) for row in database.system_rows(table)]
    if isinstance(database, MongoDatabase):
        found = database.client.collection(table.name).find({}, {"_id": 0}).sort("$natural", 1)
        return [dict(each) async for each in found]
    _ = (await prepare(database, [table])).unwrap()
    rows = await database.executor.run_sync(
        lambda connection: connection.execute(select(table_of(table))).all()
    )
    return [dict(row._mapping) for row in rows]
