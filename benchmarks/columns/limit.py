"""What an expert writes when only speed counts: Starlette's routes, statements by hand, asyncpg, orjson.

The database writes what JSON wants as text, and jsonb is passed through as it comes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.columns.tables import POOL, URL

COLUMNS: Final = "id, title, price::text AS price, attributes, created_at, owner_id"
CASTS: Final = {"title": "text", "price": "text::numeric", "attributes": "jsonb", "owner_id": "bigint"}
"""The fields that may be written, and as what."""

JSON: Final = {"content-type": "application/json"}
ONE: Final = f"SELECT {COLUMNS} FROM items WHERE id = $1"  # noqa: S608 - no text of a caller
CREATE: Final = (
    "INSERT INTO items (title, price, attributes, owner_id) "  # noqa: S608
    f"VALUES ($1, $2::text::numeric, $3, $4) RETURNING {COLUMNS}"
)
PAGE: Final = {
    (owned, counted): f"SELECT {COLUMNS}{count} FROM items {where} ORDER BY id LIMIT $1 OFFSET $2"  # noqa: S608
    for owned, where in ((True, "WHERE owner_id = $3"), (False, ""))
    for counted, count in ((True, f", (SELECT count(*) FROM items {where}) AS total"), (False, ""))  # noqa: S608
}
"""Statements by whether only the rows of one owner, and whether the total are asked for."""

pool: "asyncpg.Pool[asyncpg.Record]"


async def _keep_as_it_is(connection: Any) -> None:
    """Nothing here changes a connection, so nothing has to be reset."""


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """The pool, while the application runs."""
    global pool
    async with asyncpg.create_pool(
        URL.replace("+asyncpg", ""), min_size=POOL, max_size=POOL, reset=_keep_as_it_is
    ) as pool:
        yield


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "price": row["price"],
        "attributes": orjson.Fragment(row["attributes"]),
        "created_at": row["created_at"],
        "owner_id": row["owner_id"],
    }


def _answer(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_UTC_Z), status, JSON)


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


async def get_item(request: Request) -> Response:
    """One item."""
    key = _whole(request.path_params["id"])
    row = None if key is None else await pool.fetchrow(ONE, key)
    return _answer({"detail": "Not Found"}, 404) if row is None else _answer(_shown(row))


async def list_items(request: Request) -> Response:
    """Some items, and how many there are if asked for."""
    asked = request.query_params
    limit, offset = _whole(asked.get("limit", "20")), _whole(asked.get("offset", "0"))
    owners = [_whole(asked["owner_id"])] if "owner_id" in asked else []
    if limit is None or offset is None or None in owners or limit > 1000:
        return _answer({"detail": "owner_id, limit and offset are whole numbers"}, 422)
    counted = asked.get("count") == "exact"
    statement = PAGE[bool(owners), counted]
    rows = await pool.fetch(statement, limit, offset, *owners)
    total = None
    if counted:
        # Beyond the last row there is none to tell how many there were.
        found = rows or await pool.fetch(statement, 1, 0, *owners)
        total = found[0]["total"] if found else 0
    return _answer({"items": [_shown(row) for row in rows], "total": total})


async def create_item(request: Request) -> Response:
    """Add an item."""
    try:
        body = orjson.loads(await request.body())
        values = (body["title"], body["price"], orjson.dumps(body["attributes"]).decode(), body["owner_id"])
        row = await pool.fetchrow(CREATE, *values)
    except (orjson.JSONDecodeError, KeyError, TypeError, asyncpg.DataError) as error:
        return _answer({"detail": str(error)}, 422)
    assert row is not None
    return _answer(_shown(row), 201)


async def update_item(request: Request) -> Response:
    """Change what the body names."""
    key = _whole(request.path_params["id"])
    try:
        body = orjson.loads(await request.body())
        if "attributes" in body:
            body["attributes"] = orjson.dumps(body["attributes"]).decode()
        changes = ", ".join(f"{name} = ${number}::{CASTS[name]}" for number, name in enumerate(body, 2))
        statement = f"UPDATE items SET {changes} WHERE id = $1 RETURNING {COLUMNS}"  # noqa: S608 - names of CASTS
        row = None if key is None else await pool.fetchrow(statement, key, *body.values())
    except (orjson.JSONDecodeError, KeyError, TypeError, asyncpg.DataError) as error:
        return _answer({"detail": str(error)}, 422)
    return _answer({"detail": "Not Found"}, 404) if row is None else _answer(_shown(row))


app = Starlette(
    routes=[
        Route("/items/{id}", get_item, methods=["GET"]),
        Route("/items", list_items, methods=["GET"]),
        Route("/items", create_item, methods=["POST"]),
        Route("/items/{id}", update_item, methods=["PATCH"]),
    ],
    lifespan=lifespan,
)
