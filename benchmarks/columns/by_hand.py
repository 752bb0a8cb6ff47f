"""Written by hand as the documentation of FastAPI and SQLAlchemy teaches: a session for each request, ORM classes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.columns.bodies import ItemCreate, ItemPage, ItemRead, ItemUpdate
from benchmarks.columns.tables import POOL, URL, Item

engine = create_async_engine(URL, pool_size=POOL, max_overflow=0)
if URL.startswith("sqlite"):

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, record: Any) -> None:
        """As durable as the kernel keeps it."""
        connection.execute("PRAGMA journal_mode = WAL").close()
        connection.execute("PRAGMA synchronous = NORMAL").close()


new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with new_session() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


@app.get("/items/{item_id}", response_model=ItemRead)
async def get_item(item_id: int, session: Session) -> Item:
    """One item."""
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return item


@app.get("/items", response_model=ItemPage)
async def list_items(
    session: Session,
    owner_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    count: Literal["none", "exact"] = "none",
) -> dict[str, object]:
    """Some items, and how many there are if asked for."""
    wanted = select(Item)
    counted = select(func.count()).select_from(Item)
    if owner_id is not None:
        wanted, counted = wanted.where(Item.owner_id == owner_id), counted.where(Item.owner_id == owner_id)
    items = (await session.scalars(wanted.order_by(Item.id).limit(limit).offset(offset))).all()
    total = await session.scalar(counted) if count == "exact" else None
    return {"items": items, "total": total}


@app.post("/items", response_model=ItemRead, status_code=201)
async def create_item(body: ItemCreate, session: Session) -> Item:
    """Add an item."""
    item = Item(**body.model_dump())
    session.add(item)
    await session.commit()
    return item


@app.patch("/items/{item_id}", response_model=ItemRead)
async def update_item(item_id: int, body: ItemUpdate, session: Session) -> Item:
    """Change what the body names."""
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    await session.commit()
    return item
