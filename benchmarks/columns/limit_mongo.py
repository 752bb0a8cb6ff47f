"""What an expert writes on MongoDB when only speed counts: Starlette's routes, PyMongo, orjson."""

import datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from bson import Decimal128
from pymongo import AsyncMongoClient, ReturnDocument
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.columns.tables import POOL, URL

JSON: Final = {"content-type": "application/json"}
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(URL, maxPoolSize=POOL, tz_aware=True)
database = client.get_default_database()
items = database["items"]


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": document["_id"],
        "title": document["title"],
        "price": str(document["price"]),
        "attributes": document["attributes"],
        "created_at": document["created_at"],
        "owner_id": document["owner_id"],
    }


def _answer(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_UTC_Z), status, JSON)


def _found(document: dict[str, Any] | None) -> Response:
    return _answer({"detail": "Not Found"}, 404) if document is None else _answer(_shown(document))


async def _values(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(await request.body())
    return {**body, "price": Decimal128(Decimal(body["price"]))} if "price" in body else body


async def get_item(request: Request) -> Response:
    """One item."""
    return _found(await items.find_one({"_id": int(request.path_params["id"])}))


async def list_items(request: Request) -> Response:
    """Some items of one owner, and how many there are."""
    wanted = {"owner_id": int(request.query_params["owner_id"])}
    found = await items.find(wanted).sort("_id").limit(int(request.query_params["limit"])).to_list()
    total = await items.count_documents(wanted)
    return _answer({"items": [_shown(document) for document in found], "total": total})


async def create_item(request: Request) -> Response:
    """Add an item, with the next number as its key."""
    values = await _values(request)
    counter = await database["counters"].find_one_and_update(
        {"_id": "items"}, {"$inc": {"last": 1}}, return_document=ReturnDocument.AFTER
    )
    assert counter is not None
    document = {"_id": counter["last"], **values, "created_at": datetime.datetime.now(datetime.UTC)}
    _ = await items.insert_one(document)
    return _answer(_shown(document), 201)


async def update_item(request: Request) -> Response:
    """Change what the body names."""
    changed = await items.find_one_and_update(
        {"_id": int(request.path_params["id"])},
        {"$set": await _values(request)},
        return_document=ReturnDocument.AFTER,
    )
    return _found(changed)


app = Starlette(
    routes=[
        Route("/items/{id}", get_item, methods=["GET"]),
        Route("/items", list_items, methods=["GET"]),
        Route("/items", create_item, methods=["POST"]),
        Route("/items/{id}", update_item, methods=["PATCH"]),
    ]
)
