"""The shop on the web: `fastapi-easy run examples.bookshop.app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from examples.bookshop.seed import plant
from examples.bookshop.shop import Bookshop
from fastapi_easy.bootstrap import create_app


def bookshop() -> FastAPI:
    """The whole shop, on the databases the environment names."""
    shop = Bookshop()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Fill the shelves before the doors open."""
        await plant(shop)
        yield

    return create_app(
        shop,
        lifespan=lifespan,
        title="Bookshop",
        version="1.0.0",
        description="Books, who wrote them, and orders.",
        contact={"name": "The bookshop", "url": "https://bookshop.example"},
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
    )


app = bookshop()
