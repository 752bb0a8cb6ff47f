"""Tables of SQLite that others write, the values they write there, and what holds for each of them."""

import asyncio
import datetime
import enum
import json
import re
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx2
from hypothesis import strategies as st
from sqlalchemy import JSON, DateTime, Numeric, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of

Stored: TypeAlias = int | float | str | bytes | None
Steps: TypeAlias = Callable[[httpx2.AsyncClient], Awaitable[None]]


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


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    made: Mapped[datetime.datetime | None] = mapped_column(DateTime, server_default=func.now())


class Leaf(Model):
    """As Tortoise creates it: decimals are texts, times have a zone, durations are numbers."""

    id = fields.IntField(primary_key=True)
    price = fields.DecimalField(max_digits=10, decimal_places=2, null=True)
    made = fields.DatetimeField(null=True)
    day = fields.DateField(null=True)
    lasts = fields.TimeDeltaField(null=True)
    token = fields.UUIDField(null=True)
    color = fields.CharEnumField(Color, null=True)

    class Meta:
        table = "leaf"


class Shop(Container):
    things = resource(Thing)
    notes = resource(Note)


class StrictShop(Container):
    things = resource(Thing, reading="strict")


class LeafShop(Container):
    leaves = resource(Leaf)


class Undecodable(bytes):
    """A text that is no UTF-8."""


ODD: Final[Sequence[Stored]] = (
    None, "", "abc", "true", "Infinity", "0", "-1", 0, 1, 5, 2.5, 1e19, 1e300, 9e999, -9e999, 2**62 + 1, 1_767_261_600,
    b"", b"\x00\xff", Undecodable(b"caf\xe9"), "2026-01-01", "2026-13-45", "NaN", "1_000",
)  # fmt: skip
TIMES: Final[Sequence[Stored]] = (
    "2026-01-01 10:00:00", "2026-01-01 10:00:00.000000", "2026-01-01T10:00:00", "2026-01-01T10:00:00Z",
    "2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00.5", "2026-01-01 10:00:00.500", "2026-01-01 10:00",
    "2026-01-01 10:00:00.1234567", "2026-01-01 10:00:00.1234560", "2026-01-01 09:59:59.999999",
    "2026-02-31 10:00:00", "2026-01-01 24:00:00", "0000-00-00 00:00:00", "0001-01-01T00:00:00+02:00",
    "12000-01-01 00:00:00", "2026-01-01 00:00:00", "2026-01-01T00:00:00.000Z", "1970-01-01 01:00:00",
)  # fmt: skip
HOURS: Final[Sequence[Stored]] = (
    "10:00:00", "10:00", "10:00:00.000000", "10:00:00.5", "24:00:00", "10:00:00Z", "25:61:00", "10:00:00.123",
)  # fmt: skip
NUMBERS: Final[Sequence[Stored]] = (
    "9.50", 9.5, 10, "10", 10.450000000000001, 0.1 + 0.2, 12345678901234567, "007", " 7", "1e3", -0.0, 1e16, 1e-7,
)  # fmt: skip
TOKENS: Final[Sequence[Stored]] = (
    "0d8f1c4e2b7a4c0e9a3d5f6b7c8d9e0f", "0D8F1C4E2B7A4C0E9A3D5F6B7C8D9E0F",
    "0d8f1c4e-2b7a-4c0e-9a3d-5f6b7c8d9e0f", "{0d8f1c4e-2b7a-4c0e-9a3d-5f6b7c8d9e0f}", uuid.UUID(int=7).bytes,
    "1d8f1c4e2b7a4c0e9a3d5f6b7c8d9e0f",
)  # fmt: skip
COLORS: Final = ("RED", "BLUE", "green")
OF_THINGS: Final[Mapping[str, Sequence[Stored]]] = {
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
    "color": COLORS,
    "doc": ('{"a": 1}', "{", "[1]", "1", "null"),
}
OF_LEAVES: Final[Mapping[str, Sequence[Stored]]] = {
    "price": NUMBERS,
    "made": TIMES,
    "day": TIMES,
    "lasts": (0, 1, 3_600_000_000, "5"),
    "token": TOKENS,
    "color": ("red", "blue", "green"),
}
NUMERIC: Final = {"whole", "ratio", "price", "free"}
NUMBER: Final = re.compile(r"-?[0-9]+([.][0-9]+)?", re.ASCII)
EVERY_ODD: Final[Mapping[str, Stored]] = {
    "whole": "abc", "ratio": "", "price": "?", "free": b"\xff", "day": "", "at": "24:00:00", "made": 1_767_261_600,
    "lasts": "long", "token": "none", "name": Undecodable(b"caf\xe9"), "yes": "true", "blob": "text", "color": "green",
    "doc": "{",
}  # fmt: skip
"""A value for each field that it cannot hold."""

UNSORTED: Final = {"blob", "color", "doc"}


def new_file(folder: Path) -> Path:
    path = folder / "shop.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


def serve(path: Path, container: type[Container], steps: Steps, *, mode: Any = "off") -> None:
    async def main() -> None:
        database = DatabaseSettings(url=f"sqlite:///{path}", migrations=mode)
        async with client_of(
            create_app(container(settings=Settings(databases={"default": database})))
        ) as client:
            await steps(client)

    asyncio.run(main())


def store(path: Path, table: str, rows: Sequence[Mapping[str, Stored]]) -> None:
    connection = sqlite3.connect(path)
    for row in rows:
        values = ", ".join(
            "CAST(? AS TEXT)" if isinstance(each, Undecodable) else "?" for each in row.values()
        )
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"
        _ = connection.execute(sql, tuple(row.values()))
    connection.commit()
    connection.close()


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for each in statements:
        _ = connection.execute(each)
    connection.commit()
    connection.close()


def rows_of(columns: Mapping[str, Sequence[Stored]]) -> st.SearchStrategy[list[dict[str, Stored]]]:
    row = {name: st.sampled_from((*pool, *pool, *pool, *ODD)) for name, pool in columns.items()}
    return st.lists(st.fixed_dictionaries(row), min_size=1, max_size=8)


async def answer(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    got = await client.get(path, params=parameters)
    assert got.status_code == 200, (path, parameters, got.text)
    return got.json()


async def walk(client: httpx2.AsyncClient, path: str, sort: str, **filters: str) -> list[Any]:
    found: list[Any] = []
    parameters = {"sort": sort, "limit": "2", **filters}
    for _ in range(60):
        page = await answer(client, path, **parameters)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        parameters["cursor"] = page["next_cursor"]
    raise AssertionError(f"the walk by {sort} does not end")


def runs(items: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the values of field *name*, each once where equal ones follow each other, without nulls."""
    shown = [json.dumps(each[name]) for each in items if each[name] is not None]
    return [each for place, each in enumerate(shown) if not place or shown[place - 1] != each]


async def check_walks(client: httpx2.AsyncClient, path: str, name: str, ids: list[int]) -> None:
    up, down = await walk(client, path, name), await walk(client, path, f"-{name}")
    assert [sorted(each["id"] for each in found) for found in (up, down)] == [ids, ids], (name, up, down)
    # Values that are shown alike are equal, and so follow each other; the others come in the reverse order.
    assert runs(up, name) == runs(down, name)[::-1], name
    # Bytes among whole numbers are shown as a text.
    assert name == "whole" or len(set(runs(up, name))) == len(runs(up, name)), (name, runs(up, name))


async def check_filters(client: httpx2.AsyncClient, path: str, name: str, items: Sequence[Any]) -> None:
    """Send back everything that is shown, in a query string and in a search, and walk what it finds."""
    for value in {json.dumps(each[name]): each[name] for each in items}.values():
        if value is None:
            continue
        text = spelt(value)
        same = [each["id"] for each in items if spelt(each[name]) == text]
        others = [each["id"] for each in items if spelt(each[name]) != text]
        found = (await answer(client, path, **{name: text, "limit": "100"}))["items"]
        assert sorted(each["id"] for each in found) == same, (name, text)
        rest = (await answer(client, path, **{f"{name}__not_in": [text, text], "limit": "100"}))["items"]
        assert sorted(each["id"] for each in rest) == others, (name, text)
        searched = await client.post(f"{path}/search", json={"where": {name: value}, "limit": 100})
        assert searched.status_code == 200, (name, value, searched.text)
        known = {each["id"] for each in items if json.dumps(each[name]) == json.dumps(value)}
        assert known <= {each["id"] for each in searched.json()["items"]} <= set(same), (name, value)
        if len(same) > 2:
            walked = await walk(client, path, "-id", **{name: text})
            assert [each["id"] for each in walked] == same[::-1], (name, text)


def spelt(value: object) -> str:
    """Return *value* as a query string names it."""
    return value if isinstance(value, str) else json.dumps(value)


def sum_of(numbers: Sequence[Decimal]) -> Decimal:
    with localcontext(Context(prec=2000)):
        return sum(numbers, Decimal(0))


async def check_totals(client: httpx2.AsyncClient, path: str, name: str) -> None:
    ordered = (await answer(client, path, sort=name, limit=100))["items"]
    values = [each[name] for each in ordered if each[name] is not None]
    asked = [
        f"{function}:{name}" for function in ("count", "min", "max", *(("sum",) if name in NUMERIC else ()))
    ]
    totals = (await answer(client, f"{path}/aggregate", total=asked))["items"][0]["totals"]
    ends = [values[0], values[-1]] if values else [None, None]
    assert [totals[f"count:{name}"], totals[f"min:{name}"], totals[f"max:{name}"]] == [len(values), *ends], (
        name
    )
    if name in {"price", "free"}:
        numbers = [
            Decimal(str(each))
            for each in values
            if isinstance(each, int | float) or (isinstance(each, str) and NUMBER.fullmatch(each))
        ]
        found = totals[f"sum:{name}"]
        assert (Decimal(found) if found else None) == (sum_of(numbers) if numbers else None)


async def check(client: httpx2.AsyncClient, path: str, columns: Mapping[str, Any], ids: list[int]) -> None:
    items = (await answer(client, path, limit=100))["items"]
    assert [each["id"] for each in items] == ids
    for each in items:
        assert await answer(client, f"{path}/{each['id']}") == each
    for form in ("", "?as=csv"):
        assert (await client.get(f"{path}/export{form}")).status_code == 200
    for name in columns:
        if name not in UNSORTED:
            await check_walks(client, path, name, ids)
        if name not in {*UNSORTED, "yes"}:
            await check_totals(client, path, name)
        if name not in {"blob", "doc"}:
            await check_filters(client, path, name, items)
