"""A database that goes away under load and comes back, and what the callers see of it.

`python -m tests.e2e.outage postgres black 10` does it with the limits that an application has by itself, and prints
the figures; `test_outage` does it with shorter ones.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.services import release
from tests.services.wanted import empty_database
from tests.wire import Wire, wired

CALLERS = 20
PAUSE = 0.01
"""Seconds that a caller does nothing between two calls."""

MOMENT = 0.5
"""Seconds in which word gets round that a connection has been lost; until then it is used as if it stood."""


class Parcel(SQLModel, table=True):
    """Something to be stored."""

    __tablename__ = "outage_parcels"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Post(Container):
    parcels = resource(Parcel)


class ParcelDocument(BaseModel):
    """The same in MongoDB."""

    id: int | None = None
    name: str


class DocumentPost(Container):
    parcels = resource(ParcelDocument)


@dataclass(frozen=True, slots=True)
class Call:
    """How one call went: when it ended, how long it took, whether it writes, and what it was answered."""

    at: float
    seconds: float
    writes: bool
    status: int
    code: str
    retry_after: str | None


@dataclass(slots=True)
class Report:
    """Everything that happened, on the clock of `time.monotonic`."""

    deadline: float
    gone: float = 0.0
    back: float = 0.0
    reached: int = 0
    """Connections that were tried while the database was away; those that nobody took are not known."""
    asked: int = 0
    """Calls that were let through then, repetitions among them: refused neither by the breaker nor at the line."""
    naive: int = 0
    """Calls that would have been, had everybody gone on asking as before, once each."""
    pause: float = 0.0
    """How long the breaker was last open for."""
    calls: list[Call] = field(default_factory=list)
    leaks: dict[str, int] = field(default_factory=dict)

    @property
    def meanwhile(self) -> list[Call]:
        """The calls that ended while it was away, past those that had begun before, or in that very moment."""
        known = self.gone + MOMENT
        return [each for each in self.calls if known < each.at - each.seconds and each.at < self.back]

    @property
    def unknown(self) -> list[Call]:
        """The calls of which nobody knows what became of them."""
        return [each for each in self.calls if each.code == "outcome_unknown"]

    @property
    def recovery(self) -> float:
        """Seconds from its return to the first call that succeeded."""
        return min(
            (each.at for each in self.calls if each.at > self.back and each.status < 300), default=9e9
        ) - (self.back)

    def figures(self) -> str:
        """In words."""
        seconds = sorted(each.seconds for each in self.meanwhile)
        refused = Counter(f"{each.status} {each.code}" for each in self.meanwhile)
        share = max(self.reached, self.asked) / max(1, self.naive)
        return (
            f"away for {self.back - self.gone:.1f} s: {len(self.meanwhile)} calls answered {dict(refused)}, "
            f"p50 {seconds[len(seconds) // 2] * 1000:.1f} ms, p99 {seconds[int(len(seconds) * 0.99)] * 1000:.0f} ms; "
            f"longest of all {max(each.seconds for each in self.calls):.2f} s (deadline {self.deadline:.0f} s); "
            f"{self.reached} connections tried, {self.asked} calls let through of {self.naive} ({share:.1%}); "
            f"back after {self.recovery:.2f} s "
            f"(break {self.pause:.1f} s); leaks {self.leaks}"
        )


async def endure(store: str, fault: str, seconds: float, options: dict[str, Any], deadline: float) -> Report:
    """Let *store* go away for *seconds* by *fault*, one of `refuse`, `black` and `cut`, under load."""
    report = Report(deadline)
    others = set(asyncio.all_tasks())
    with empty_database(store) as url:
        async with wired(url) as (address, wire):
            database = DatabaseSettings.model_validate({"url": address, **options})
            post: Any = DocumentPost if store == "mongo" else Post
            shop = post(settings=Settings(databases={"default": database}, deadline=deadline))
            async with client_of(create_app(shop)) as client:
                client.timeout = httpx2.Timeout(60)
                loading = asyncio.Event()
                callers = [
                    asyncio.ensure_future(_call(client, number, loading, report)) for number in range(CALLERS)
                ]
                # The first calls meet what has not been made yet.
                await asyncio.sleep(0.7)
                usual = len(report.calls)
                await asyncio.sleep(0.7)
                report.naive = round((len(report.calls) - usual) / 0.7 * seconds)
                report.gone, taken = time.monotonic(), wire.taken
                before = _let_through(report, shop)
                with _gone(wire, fault):
                    await asyncio.sleep(seconds)
                    report.reached = wire.taken - taken
                    report.asked = _let_through(report, shop) - before
                    report.pause = _pause_of(shop)
                    report.back = time.monotonic()
                if fault == "refuse":
                    await wire.listen()
                await _until_well(report, shop, 60)
                loading.set()
                _ = await asyncio.gather(*callers)
                pool = shop.databases.default().pool
                report.leaks = {"connections": pool.in_use, "waiting": pool.waiting}
    await asyncio.sleep(0.1)
    report.leaks["tasks"] = len([each for each in asyncio.all_tasks() - others if not each.done()])
    return report


async def _call(client: httpx2.AsyncClient, number: int, loading: asyncio.Event, report: Report) -> None:
    writes = number % 4 == 0
    while not loading.is_set():
        begun = time.monotonic()
        asked = client.post("/parcels", json={"name": "a"}) if writes else client.get("/parcels?limit=1")
        answer = await asked
        now = time.monotonic()
        code = "" if answer.status_code < 300 else answer.json()["code"]
        report.calls.append(
            Call(now, now - begun, writes, answer.status_code, code, answer.headers.get("retry-after"))
        )
        await asyncio.sleep(PAUSE)


async def _until_well(report: Report, shop: Any, patience: float) -> None:
    for _ in range(int(patience / 0.05)):
        await asyncio.sleep(0.05)
        # A probe that was under way may still have come to nothing.
        report.pause = max(report.pause, _pause_of(shop))
        if report.recovery < patience:
            break
    # And a while after that.
    await asyncio.sleep(0.5)


@contextmanager
def _gone(wire: Wire, fault: str) -> Iterator[None]:
    match fault:
        case "refuse":
            wire.refuse()
        case "black":
            wire.is_black = True
        case _:
            wire.cut()
    try:
        yield
    finally:
        wire.is_black = wire.is_cut = False


def _let_through(report: Report, shop: Any) -> int:
    """How many attempts were neither refused by the breaker nor sent away from the line."""
    attempts = len(report.calls) + sum(shop.retry().retries.values())
    return attempts - int(shop.breakers.default().circuit.refused) - int(shop.databases.default().pool.shed)


def _pause_of(shop: Any) -> float:
    return float(shop.breakers.default()._pause)


async def main(store: str, fault: str, seconds: float) -> None:
    """Print what an application sees that sets nothing."""
    print(store, fault, (await endure(store, fault, seconds, {}, 30.0)).figures())


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
    finally:
        release()
