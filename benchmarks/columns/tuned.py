"""FastAPI tuned by hand: rows instead of objects, no transaction where there is one statement, bytes made once."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from typing_extensions import TypedDict

from benchmarks.columns.bodies import ItemCreate, ItemRead, ItemUpdate
from benchmarks.columns.tables import POOL, URL, Item

engine = create_async_engine(
    URL,
    pool_size=POOL,
    max_overflow=0,
    isolation_level="AUTOCOMMIT",
    json_serializer=lambda value: orjson.dumps(value).decode(),
    json_deserializer=orjson.loads,
)
app = FastAPI()


class Page(TypedDict):
    """Some items, and how many there are."""

    items: list[dict[str, Any]]
    total: int | None


ITEMS: Final = Item.__table__
NAMES: Final = tuple(ItemRead.model_fields)
COLUMNS: Final = tuple(ITEMS.c[name] for name in NAMES)
OWNED: Final = ITEMS.c.owner_id == bindparam("owner_id")
ONE: Final = select(*COLUMNS).where(ITEMS.c.id == bindparam("item_id"))
ALL: Final = select(*COLUMNS).order_by(ITEMS.c.id).limit(bindparam("limit")).offset(bindparam("offset"))
COUNT: Final = select(func.count()).select_from(ITEMS)
OF_OWNER: Final = (ALL.where(OWNED), COUNT.where(OWNED))
CREATE: Final = insert(Item).returning(*COLUMNS)
WRITE_ONE: Final = TypeAdapter(dict[str, Any]).dump_json
WRITE_PAGE: Final = TypeAdapter(Page).dump_json


async def connection() -> AsyncIterator[AsyncConnection]:
    """A connection for one request."""
    async with engine.connect() as opened:
        yield opened


Connection = Annotated[AsyncConnection, Depends(connection)]


def _shown(row: Sequence[Any] | None, status: int = 200) -> Response:
    if row is None:
        raise HTTPException(404)
    return Response(WRITE_ONE(dict(zip(NAMES, row, strict=True))), status, media_type="application/json")


@app.get("/items/{item_id}", response_model=ItemRead)
async def get_item(item_id: int, connection: Connection) -> Response:
    """One item."""
    return _shown((await connection.execute(ONE, {"item_id": item_id})).first())


@app.get("/items")
async def list_items(
    connection: Connection,
    owner_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    count: Literal["none", "exact"] = "none",
) -> Response:
    """Some items, and how many there are if asked for."""
    wanted, counted = (ALL, COUNT) if owner_id is None else OF_OWNER
    values = {"owner_id": owner_id, "limit": limit, "offset": offset}
    rows = (await connection.execute(wanted, values)).all()
    total = await connection.scalar(counted, values) if count == "exact" else None
    page: Page = {"items": [dict(zip(NAMES, row, strict=True)) for row in rows], "total": total}
    return Response(WRITE_PAGE(page), media_type="application/json")


@app.post("/items", status_code=201, response_model=ItemRead)
async def create_item(body: ItemCreate, connection: Connection) -> Response:
    """Add an item."""
    return _shown((await connection.execute(CREATE, body.model_dump())).first(), 201)


@app.patch("/items/{item_id}", response_model=ItemRead)
async def update_item(item_id: int, body: ItemUpdate, connection: Connection) -> Response:
    """Change what the body names."""
    changed = update(Item).where(Item.id == item_id).values(**body.model_dump(exclude_unset=True))
    return _shown((await connection.execute(changed.returning(*COLUMNS))).first())
