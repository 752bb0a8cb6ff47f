"""What the audit trail costs: creates that are chained beside the same without, and recorded ones beside others' code.

`python -m benchmarks.inside.audited [--quick] [URL]` on SQLite, or on the empty database at the URL. Callers write at
the same time, so that those of one chain wait for each other. Prints medians of the ratios within each round, so that a
slow minute for everybody changes none; ends with 1 when the target is missed.
"""

import argparse
import asyncio
import base64
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import orjson
import uvloop
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel

from benchmarks.findings import Finding, Target
from benchmarks.inside.calling import call
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.infrastructure.relational.url import resolve
from fastapi_easy.settings import Settings

ROUNDS: Final = 15
CALLERS: Final = 16
CALLS: Final = 20
"""Of each caller in a round."""

KEY: Final = base64.b64encode(bytes(32)).decode()
TARGET: Final = Target(at_least=0.5)
BY_HAND: Final = Target(at_least=1.0)


class PlainReading(SQLModel, table=True):
    """Something that was measured."""

    __tablename__ = "bench_plain"
    id: int | None = Field(default=None, primary_key=True)
    sensor: int
    note: str = Field(max_length=40)


class AuditedReading(SQLModel, table=True):
    """The same, in another table."""

    __tablename__ = "bench_audited"
    id: int | None = Field(default=None, primary_key=True)
    sensor: int
    note: str = Field(max_length=40)


class RecordedReading(SQLModel, table=True):
    """The same, in a third table."""

    __tablename__ = "bench_recorded"
    id: int | None = Field(default=None, primary_key=True)
    sensor: int
    note: str = Field(max_length=40)


class ReadingByHand(SQLModel, table=True):
    """The same, in a fourth table."""

    __tablename__ = "bench_by_hand"
    id: int | None = Field(default=None, primary_key=True)
    sensor: int
    note: str = Field(max_length=40)


class NewReading(SQLModel):
    """The body of a create."""

    sensor: int
    note: str = Field(max_length=40)


class Readings(Container):
    """The same three times: nothing is recorded, changes are audited, and they are published as well."""

    plain = resource(PlainReading)
    audited = resource(AuditedReading, audit=True)
    recorded = resource(RecordedReading, audit=True, events=True)


def _by_hand(engine: AsyncEngine) -> FastAPI:
    """Return a program as the documentation of FastAPI and SQLAlchemy teaches, which records nothing."""
    new_session = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with new_session() as opened:
            yield opened

    @app.post("/by_hand", status_code=201)
    async def create(body: NewReading, session: Annotated[AsyncSession, Depends(session)]) -> ReadingByHand:
        reading = ReadingByHand(**body.model_dump())
        session.add(reading)
        await session.commit()
        return reading

    return app


async def _rate(app: FastAPI, path: str) -> float:
    """Creates per second."""
    body = orjson.dumps({"sensor": 1, "note": "a reading"})

    async def create() -> None:
        for _ in range(CALLS):
            status, answer = await call(app, "POST", path, body)
            if status != 201:
                raise RuntimeError(f"create answered {status}: {answer!r}")

    begun = time.perf_counter()
    _ = await asyncio.gather(*(create() for _ in range(CALLERS)))
    return CALLERS * CALLS / (time.perf_counter() - begun)


async def measure(url: str, rounds: int) -> list[Finding]:
    """Print the rates, and return their ratios beside their targets."""
    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": url, "pool_size": CALLERS}},
            "audit": {"keys": {"bench": KEY}},
        }
    )
    engine = create_async_engine(resolve(url), pool_size=CALLERS, max_overflow=0)
    kernel, by_hand = create_app(Readings(settings=settings)), _by_hand(engine)
    programs = {"/plain": kernel, "/audited": kernel, "/recorded": kernel, "/by_hand": by_hand}
    kept: list[dict[str, float]] = []
    async with kernel.router.lifespan_context(kernel):
        async with engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.tables["bench_by_hand"].create, checkfirst=True)
        for number in range(rounds + 1):
            # The first is a warm-up. Who is first takes turns.
            turns = [*programs.items()][:: -1 if number % 2 else 1]
            kept.append({path: await _rate(app, path) for path, app in turns})
    await engine.dispose()
    print("| create, 16 at once | per second |\n|---|--:|")
    for path in programs:
        print(f"| {path} | {median(each[path] for each in kept[1:]):,.0f} |")
    return [
        Finding("audited ÷ plain", median(each["/audited"] / each["/plain"] for each in kept[1:]), TARGET),
        Finding(
            "audited and published ÷ by hand without either",
            median(each["/recorded"] / each["/by_hand"] for each in kept[1:]),
            BY_HAND,
        ),
    ]


def main() -> int:
    """Measure at the URL that was given, or in a file that is gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside.audited", description=__doc__)
    _ = parser.add_argument("url", nargs="?", help="of an empty database; SQLite in a file unless given")
    _ = parser.add_argument("--quick", action="store_true", help="two rounds, to see that it works")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = f"sqlite:///{Path(folder) / 'readings.sqlite3'}"
        findings = uvloop.run(measure(chosen.url or own, 2 if chosen.quick else ROUNDS))
    for each in findings:
        print(f"{each.name}: {each}")
    return 0 if all(each.is_met for each in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
