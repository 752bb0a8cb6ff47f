"""fastapi_easy on MongoDB, as its documentation writes it."""

import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


def now() -> datetime.datetime:
    """The time of day: aware, UTC."""
    return datetime.datetime.now(datetime.UTC)


class Item(BaseModel):
    """What `by_hand_mongo` keeps."""

    __collection__ = "items"

    id: int | None = None
    title: str = Field(max_length=200)
    price: Decimal = Field(max_digits=12, decimal_places=2)
    attributes: dict[str, Any]
    created_at: datetime.datetime = Field(default_factory=now)
    owner_id: int


class Bench(Container):
    """One resource."""

    items = resource(Item)


app = create_app(Bench())
