"""Written by hand on MongoDB as the documentation of FastAPI and PyMongo teaches: documents in and out of pydantic."""

import datetime
from typing import Annotated, Any, Literal

from bson import Decimal128
from fastapi import FastAPI, HTTPException, Query
from pymongo import AsyncMongoClient, ReturnDocument

from benchmarks.columns.bodies import ItemCreate, ItemPage, ItemRead, ItemUpdate
from benchmarks.columns.tables import POOL, URL

client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(URL, maxPoolSize=POOL, tz_aware=True)
database = client.get_default_database()
items = database["items"]
app = FastAPI()


def item_in(document: dict[str, Any]) -> ItemRead:
    """The item that *document* keeps."""
    return ItemRead(**{**document, "id": document["_id"], "price": document["price"].to_decimal()})


def kept(values: dict[str, Any]) -> dict[str, Any]:
    """*values* as documents have them."""
    return {**values, "price": Decimal128(values["price"])} if "price" in values else values


@app.get("/items/{item_id}")
async def get_item(item_id: int) -> ItemRead:
    """One item."""
    document = await items.find_one({"_id": item_id})
    if document is None:
        raise HTTPException(404)
    return item_in(document)


@app.get("/items")
async def list_items(
    owner_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    count: Literal["none", "exact"] = "none",
) -> ItemPage:
    """Some items, and how many there are if asked for."""
    wanted = {} if owner_id is None else {"owner_id": owner_id}
    found = await items.find(wanted).sort("_id").skip(offset).limit(limit).to_list()
    total = await items.count_documents(wanted) if count == "exact" else None
    return ItemPage(items=[item_in(document) for document in found], total=total)


@app.post("/items", status_code=201)
async def create_item(body: ItemCreate) -> ItemRead:
    """Add an item, with the next number as its key."""
    counter = await database["counters"].find_one_and_update(
        {"_id": "items"}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
    )
    assert counter is not None
    document = {
        "_id": counter["last"],
        **kept(body.model_dump()),
        "created_at": datetime.datetime.now(datetime.UTC),
    }
    _ = await items.insert_one(document)
    return item_in(document)


@app.patch("/items/{item_id}")
async def update_item(item_id: int, body: ItemUpdate) -> ItemRead:
    """Change what the body names."""
    changes = kept(body.model_dump(exclude_unset=True))
    document = await items.find_one_and_update(
        {"_id": item_id}, {"$set": changes}, return_document=ReturnDocument.AFTER
    )
    if document is None:
        raise HTTPException(404)
    return item_in(document)
