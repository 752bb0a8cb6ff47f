"""Stores that are emptied before each test with a command or two for each table, and no transaction."""

from functools import partial

from sqlalchemy import Connection, Table

from fastapi_easy.testing.conformance import Store


class RelationalStore(Store):
    """A store on SQLAlchemy's engine; `remove_where` would take three statements for each table."""

    async def clear(self) -> None:
        """Remove every entity, and forget what was published."""
        plans = [await self.database.plan(each) for each in self.resources.values()]
        tables = [part.table for plan in reversed(plans) for part in reversed(plan.parts or [plan])]
        await self.database.executor.run_sync(partial(_empty, tables))
        self.event_bus.events.clear()


class MongoStore(Store):
    """A store on MongoDB; `remove_where` would take a transaction for each collection."""

    async def clear(self) -> None:
        """Remove every entity, and forget what was published."""
        client = self.database.client
        for resource in reversed(tuple(self.resources.values())):
            collection = client.collection(self.database.plan(resource).collection)
            _ = await client.call(partial(collection.delete_many, {}), is_write=True)
        self.event_bus.events.clear()


def _empty(tables: list[Table], connection: Connection) -> None:
    for table in tables:
        _ = connection.execute(table.delete())
