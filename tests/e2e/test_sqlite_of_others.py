"""SQLite files that others write: whatever they hold is shown, is found again, and is walked past once."""

import asyncio
import datetime
import enum
import json
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, DateTime, Numeric, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of

Stored: TypeAlias = int | float | str | bytes | None
Step: TypeAlias = Callable[[httpx2.AsyncClient], Awaitable[None]]


class Base(DeclarativeBase): ...


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Thing(Base):
    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
    whole: Mapped[int | None]
    ratio: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    free: Mapped[Decimal | None]
    day: Mapped[datetime.date | None]
    at: Mapped[datetime.time | None]
    made: Mapped[datetime.datetime | None]
    lasts: Mapped[datetime.timedelta | None]
    token: Mapped[uuid.UUID | None]
    name: Mapped[str | None]
    yes: Mapped[bool | None]
    blob: Mapped[bytes | None]
    color: Mapped[Color | None]
    doc: Mapped[Any | None] = mapped_column(JSON)


class Shop(Container):
    things = resource(Thing)


class Undecodable(bytes):
    """A text that is no UTF-8."""


SORTED: Final = ("whole", "ratio", "price", "free", "day", "at", "made", "lasts", "token", "name")
FILTERED: Final = (*SORTED, "yes", "color")

ODD: Final[Sequence[Stored]] = (
    None, "", "abc", "true", "Infinity", "0", "-1", 0, 1, 5, 2.5, 1e19, 1e300, 9e999, -9e999, 2**62 + 1,
    1_767_261_600, b"", b"\x00\xff", Undecodable(b"caf\xe9"), "2026-01-01", "2026-13-45", "NaN", "1_000",
)  # fmt: skip
TIMES: Final[Sequence[Stored]] = (
    "2026-01-01 10:00:00", "2026-01-01 10:00:00.000000", "2026-01-01T10:00:00", "2026-01-01T10:00:00Z",
    "2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00.5", "2026-01-01 10:00:00.500", "2026-01-01 10:00",
    "2026-01-01 10:00:00.1234567", "2026-01-01 10:00:00.1234560", "2026-01-01 09:59:59.999999", "2026-02-31 10:00:00",
    "2026-01-01 24:00:00", "0000-00-00 00:00:00", "0001-01-01T00:00:00+02:00", "12000-01-01 00:00:00",
    "2026-01-01 00:00:00", "2026-01-01T00:00:00.000Z", "1970-01-01 01:00:00", "1970-01-01 01:00:00.000000",
)  # fmt: skip
HOURS: Final[Sequence[Stored]] = (
    "10:00:00", "10:00", "10:00:00.000000", "10:00:00.5", "24:00:00", "10:00:00Z", "25:61:00", "10:00:00.123",
)  # fmt: skip
NUMBERS: Final[Sequence[Stored]] = (
    "9.50", 9.5, 10, "10", 10.450000000000001, 0.1 + 0.2, 12345678901234567, "007", " 7", "1e3", -0.0, 1e16, 1e-7,
)  # fmt: skip
TOKENS: Final[Sequence[Stored]] = (
    "0d8f1c4e2b7a4c0e9a3d5f6b7c8d9e0f", "0D8F1C4E2B7A4C0E9A3D5F6B7C8D9E0F", "0d8f1c4e-2b7a-4c0e-9a3d-5f6b7c8d9e0f",
    "{0d8f1c4e-2b7a-4c0e-9a3d-5f6b7c8d9e0f}", uuid.UUID(int=7).bytes, "1d8f1c4e2b7a4c0e9a3d5f6b7c8d9e0f",
)  # fmt: skip
POOLS: Final[Mapping[str, Sequence[Stored]]] = {
    "whole": NUMBERS,
    "ratio": NUMBERS,
    "price": NUMBERS,
    "free": NUMBERS,
    "day": TIMES,
    "at": HOURS,
    "made": TIMES,
    "lasts": TIMES,
    "token": TOKENS,
    "name": ("a", "B", "é", "10", ""),
    "yes": (0, 1, "yes", 2),
    "blob": (b"x", "x"),
    "color": ("RED", "BLUE", "green"),
    "doc": ('{"a": 1}', "{", "[1]", "1", "null"),
}


def serve(url: str, container: type[Container], steps: Step) -> None:
    async def main() -> None:
        databases = {"default": {"url": url, "schema_mode": "off"}}
        shop = container(settings=Settings(databases=databases, secret="s" * 40))
        async with client_of(create_app(shop)) as client:
            await steps(client)

    asyncio.run(main())


def store(path: Path, table: str, rows: Sequence[Mapping[str, Stored]]) -> None:
    with sqlite3.connect(path) as connection:
        for row in rows:
            values = ", ".join(
                f"CAST(? AS TEXT)" if isinstance(each, Undecodable) else "?" for each in row.values()
            )
            _ = connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", tuple(row.values())
            )
    connection.close()


def rows_of(columns: Mapping[str, Sequence[Stored]]) -> st.SearchStrategy[list[dict[str, Stored]]]:
    row = st.fixed_dictionaries(
        {name: st.sampled_from((*pool, *pool, *pool, *ODD)) for name, pool in columns.items()}
    )
    return st.lists(row, min_size=1, max_size=8)


async def answer(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    got = await client.get(path, params=parameters)
    assert got.status_code == 200, (path, parameters, got.status_code, got.text)
    return got.json()


async def walk(client: httpx2.AsyncClient, sort: str) -> list[Any]:
    found, parameters = [], {"sort": sort, "limit": "2"}
    for _ in range(20):
        page = await answer(client, "/things", **parameters)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        parameters["cursor"] = page["next_cursor"]
    raise AssertionError(f"the walk by {sort} does not end")


def runs(items: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the values of field *name*, each once where equal ones follow each other, without nulls."""
    shown = [json.dumps(each[name]) for each in items if each[name] is not None]
    return [each for place, each in enumerate(shown) if not place or shown[place - 1] != each]


@given(rows_of(POOLS))
@settings(max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_shown_is_found_and_walks_are_complete(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Stored]]) -> None:
    path = tmp_path_factory.mktemp("others") / "shop.db"
    Base.metadata.create_all(create_engine(f"sqlite:///{path}"))
    store(path, "thing", rows)
    everything = list(range(1, len(rows) + 1))

    async def steps(client: httpx2.AsyncClient) -> None:
        items = (await answer(client, "/things", limit=100))["items"]
        assert [each["id"] for each in items] == everything
        for each in items:
            assert await answer(client, f"/things/{each['id']}") == each
        assert (await client.get("/things/export")).status_code == 200
        assert (await client.get("/things/export?as=csv")).status_code == 200
        for name in SORTED:
            up, down = await walk(client, name), await walk(client, f"-{name}")
            assert sorted(each["id"] for each in up) == everything, (name, [e[name] for e in items], [e[name] for e in up])
            assert sorted(each["id"] for each in down) == everything, (name, [e[name] for e in items], [e[name] for e in down])
            # Equal values follow each other, and other values come in the reverse order.
            runs_up, runs_down = runs(up, name), runs(down, name)
            assert runs_up == runs_down[::-1], (name, runs_up, runs_down)
            # Bytes among whole numbers look like a text.
            assert name == "whole" or len(set(runs_up)) == len(runs_up), (name, runs_up)
            totals = await client.get(f"/things/aggregate", params={"measures": f"min:{name},max:{name},count", "group_by": name})
            assert totals.status_code in (200, 400,404,422), totals.text
        for name in FILTERED:
            for each in items:
                value = each[name]
                if value is None or isinstance(value, dict) or (name == "yes" and not isinstance(value, bool)):
                    continue
                shown = json.dumps(value) if not isinstance(value, str) else value
                got = await client.get("/things", params={name: shown, "limit": "100"})
                same = [e["id"] for e in items if e[name] == value]
                assert got.status_code in (200, 422), (name, shown, got.text)
                if got.status_code == 200:
                    assert sorted(e["id"] for e in got.json()["items"]) == same, (name, shown, got.text, items)
                NOT.setdefault((name, got.status_code), set()).add(repr(shown))

    serve(f"sqlite:///{path}", Shop, steps)
