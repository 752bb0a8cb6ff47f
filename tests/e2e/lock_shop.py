"""An application whose action holds a lock."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Field, SQLModel

from fastapi_easy.application import Context
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Outcome, Success
from fastapi_easy.domain.ports import UnitOfWork

of_the_moment: Any = None


class Parcel(SQLModel, table=True):
    __tablename__ = "parcels_under_locks"

    id: int | None = Field(default=None, primary_key=True)


@dataclass(frozen=True)
class SendParcel:
    """Send it, once at a time."""

    async def perform(self, key: Any, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        async with of_the_moment.locks().hold(f"parcel:{key}", wait=0):
            return Success(None)


class Post(Container):
    parcels = resource(Parcel, actions=[SendParcel])


class Confused(Container):
    parcels = resource(Parcel, database="locks")
