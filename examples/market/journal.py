"""What happened, as documents."""

import datetime
import uuid

from pydantic import BaseModel, Field

from fastapi_easy.domain import DomainEvent
from fastapi_easy.domain.ports import EntityRepository


class Event(BaseModel):
    """Something that happened to one entity."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    name: str
    key: str
    at: datetime.datetime


async def write_down(event: DomainEvent, journal: EntityRepository[Event]) -> None:
    """Keep *event*."""
    kept = Event(id=event.id, name=event.name, key=str(event.key), at=event.occurred_at)
    _ = (await journal.save(kept)).unwrap()
