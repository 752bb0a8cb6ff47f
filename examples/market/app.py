"""The market on the web: `fastapi-easy run examples.market.app:app`, with three databases in the environment.

FASTAPI_EASY_DATABASES__CATALOGUE__URL=postgresql+asyncpg://…
FASTAPI_EASY_DATABASES__CARTS__URL=sqlite:///carts.sqlite3
FASTAPI_EASY_DATABASES__JOURNAL__URL=mongodb://…
"""

from fastapi import FastAPI

from examples.market.books import Book, Publisher
from examples.market.carts import Cart, Item
from examples.market.journal import Event, write_down
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import READ_ONLY, DomainEvent


class Market(Container):
    """Three stores behind one kind of interface."""

    publishers = resource(Publisher, database="catalogue")
    books = resource(Book, database="catalogue", version="version", upsert=("isbn",))
    carts = resource(Cart, database="carts")
    items = resource(Item, database="carts")
    events = resource(Event, database="journal", operations=READ_ONLY)


def market() -> FastAPI:
    """The whole market, on the databases the environment names."""
    container = Market()

    async def on_anything(event: DomainEvent) -> None:
        await write_down(event, container.events.entities())

    _ = container.event_bus().subscribe(DomainEvent, on_anything)
    return create_app(container, title="Market", version="1.0.0")


app = market()
