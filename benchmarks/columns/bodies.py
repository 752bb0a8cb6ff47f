"""The bodies and answers of the API as pydantic models; `by_hand`, `tuned` and `fastcrud` declare the same."""

import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Title = Annotated[str, Field(max_length=200)]
Price = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class ItemCreate(BaseModel):
    """The body of `POST /items`."""

    title: Title
    price: Price
    attributes: dict[str, Any]
    owner_id: int


class ItemUpdate(BaseModel):
    """The body of `PATCH /items/{id}`; what is left out stays."""

    title: Title | None = None
    price: Price | None = None
    attributes: dict[str, Any] | None = None
    owner_id: int | None = None


class ItemRead(BaseModel):
    """An item, as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    price: Decimal
    attributes: dict[str, Any]
    created_at: datetime.datetime
    owner_id: int


class ItemPage(BaseModel):
    """Some items, and how many there are."""

    items: list[ItemRead]
    total: int | None
