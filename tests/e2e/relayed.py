"""A shop that publishes its changes to a broker whose answers a test decides."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from returns.result import Failure, Success
from sqlmodel import Field, SQLModel

from fastapi_easy.container import Container, resource
from fastapi_easy.domain.errors import Fault, Invalid, Outcome, Unavailable
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.settings import Settings


class Parcel(SQLModel, table=True):
    __tablename__ = "relayed_parcels"
    id: int | None = Field(default=None, primary_key=True)
    label: str
    weight: int = 0


class Depot(Container):
    parcels = resource(Parcel, events=True)


@dataclass
class ListBroker:
    """Implements `Broker`: keeps what was published, unless it is poisoned by its label or the broker is away.

    Attributes:
        published: Topic, key, label and weight of each message, in order.
    """

    name: str = "list"
    is_away: bool = False
    poison: str | None = None
    published: list[tuple[str, int, str, int]] = field(default_factory=list)
    on_publish: Callable[[], None] = lambda: None

    async def open(self) -> Outcome[None]:
        return Success(None)

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        # Others get their turn, as with a broker that takes its time.
        await asyncio.sleep(0)
        if self.is_away:
            return Failure(Unavailable(self.name))
        data = json.loads(message.body)["data"]
        values = data.get("values") or {"label": "", "weight": 0}
        if values["label"] == self.poison:
            return Failure(Invalid((Fault("", "it is poisoned", "poison"),)))
        self.published.append((message.topic, data["key"], values["label"], values["weight"]))
        self.on_publish()
        return Success(None)

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        raise NotImplementedError

    async def check(self) -> Outcome[None]:
        return await self.open()

    async def close(self, grace: float = 10.0) -> None:
        pass


def depot(url: str, broker: ListBroker | None = None, **events: Any) -> Any:
    settings = Settings.model_validate({"databases": {"default": {"url": url}}, "events": events})
    return Depot(settings=settings, broker=broker)
