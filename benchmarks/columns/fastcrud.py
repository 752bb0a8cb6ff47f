"""FastCRUD, as its README uses it.

Its router answers created rows with decimals as floats, and changes with null. So that this column answers what the
others do, these two endpoints are written with the `FastCRUD` class, the README's second way. Lists have its own shape,
always with a total.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastcrud import FastCRUD, FilterConfig, crud_router
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.columns.bodies import ItemCreate, ItemRead, ItemUpdate
from benchmarks.columns.tables import POOL, URL, Item

engine = create_async_engine(URL, pool_size=POOL, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)
crud = FastCRUD(Item)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with new_session() as opened:
        yield opened


app.include_router(
    crud_router(
        session=session,
        model=Item,
        crud=crud,
        create_schema=ItemCreate,
        update_schema=ItemUpdate,
        select_schema=ItemRead,
        path="/items",
        filter_config=FilterConfig(owner_id=None),
        included_methods=["read", "read_multi"],
    )
)


Session = Annotated[AsyncSession, Depends(session)]


@app.post("/items", status_code=201)
async def create_item(body: ItemCreate, session: Session) -> ItemRead:
    """Add an item."""
    created: ItemRead = await crud.create(session, body, schema_to_select=ItemRead, return_as_model=True)
    return created


@app.patch("/items/{item_id}")
async def update_item(item_id: int, body: ItemUpdate, session: Session) -> ItemRead:
    """Change what the body names."""
    changed: ItemRead | None = await crud.update(
        session, body, schema_to_select=ItemRead, return_as_model=True, one_or_none=True, id=item_id
    )
    if changed is None:
        raise HTTPException(404)
    return changed
