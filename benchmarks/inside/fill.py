"""Puts rows into an empty store for a column to find: `fill hand|kernel COUNT`, with the URL in the settings."""

import asyncio
import itertools
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bson import Decimal128
from pymongo import MongoClient
from sqlalchemy import create_engine, insert

from benchmarks.columns.tables import URL, Base, Item
from benchmarks.rows import rows
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Success

CHUNK: Final = 1000


def chunks(count: int) -> Iterator[list[dict[str, Any]]]:
    """The rows, not too many at a time."""
    every: Iterable[dict[str, Any]] = rows(count)
    return iter(lambda: list(itertools.islice(every, CHUNK)), [])


def fill_by_hand(count: int) -> None:
    """Make the table or the collection as `by_hand` has it."""
    if URL.startswith("mongodb"):
        with MongoClient[dict[str, Any]](URL) as client:
            database = client.get_default_database()
            for chunk in chunks(count):
                _ = database["items"].insert_many([document(row) for row in chunk])
            _ = database["items"].create_index("owner_id")
            _ = database["counters"].insert_one({"_id": "items", "last": count})
        return
    engine = create_engine(URL.replace("+aiosqlite", ""))
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for chunk in chunks(count):
            _ = connection.execute(insert(Item), chunk)
    engine.dispose()


def document(row: dict[str, Any]) -> dict[str, Any]:
    """*row* as MongoDB keeps it."""
    values = {name: value for name, value in row.items() if name != "id"}
    return {"_id": row["id"], **values, "price": Decimal128(row["price"])}


async def fill_by_kernel(count: int) -> None:
    """Let the kernel make the table or the collection, and write the rows."""
    container: Any
    if URL.startswith("mongodb"):
        from benchmarks.columns import kernel_mongo  # noqa: PLC0415 - one of two

        container = kernel_mongo.Bench()
    else:
        from benchmarks.columns import kernel  # noqa: PLC0415

        container = kernel.Bench()
    async with open_kernel(container):
        for chunk in chunks(count):
            async with container.items.unit_of_work() as work:
                added = await work.repository("items").add_all(chunk)
                assert isinstance(added, Success), added
                committed = await work.commit()
                assert isinstance(committed, Success), committed
    if URL.startswith("mongodb"):
        # Which indexes a list needs is the user's own business.
        with MongoClient[dict[str, Any]](URL) as client:
            _ = client.get_default_database()["items"].create_index("owner_id")


if __name__ == "__main__":
    how, number = sys.argv[1], int(sys.argv[2])
    if how == "hand":
        fill_by_hand(number)
    else:
        asyncio.run(fill_by_kernel(number))
