"""Decimals of any declaration, on the default store and in memory: what fits is taken, and what does not is told so."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import sqlmodel
from sqlalchemy import DECIMAL, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of


class Base(DeclarativeBase): ...


class Price(Base):
    __tablename__ = "price"
    id: Mapped[int] = mapped_column(primary_key=True)
    plain: Mapped[Decimal | None]
    sql: Mapped[Decimal | None] = mapped_column(DECIMAL)
    whole: Mapped[Decimal | None] = mapped_column(Numeric(10))
    cents: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    wide: Mapped[Decimal | None] = mapped_column(Numeric(20, 8))
    long: Mapped[Decimal | None] = mapped_column(Numeric(38, 18))
    ratio: Mapped[float | None] = mapped_column(Numeric(10, 2, asdecimal=False))


class Coin(SQLModel, table=True):
    __tablename__ = "coin"
    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    plain: Decimal | None = None
    cents: Decimal | None = sqlmodel.Field(default=None, max_digits=10, decimal_places=2)


class Shop(Container):
    prices = resource(Price)
    coins = resource(Coin)


STORES: Final = ("sqlite", "memory")
TAKEN: Final[Mapping[str, Mapping[str, str]]] = {
    "plain": {"9.50": "9.5", "0.1": "0.1", "123456789012345": "123456789012345",
              "0.000000001234567": "0.000000001234567", "-1.5": "-1.5", "12345678.9012345": "12345678.9012345",
              "1000000000000000000000": "1000000000000000000000"},
    "sql": {"32.38": "32.38", "9.5": "9.5"},
    "whole": {"7": "7", "1234567890": "1234567890"},
    "cents": {"9.5": "9.50", "12345678.99": "12345678.99", "-0.01": "-0.01"},
    "wide": {"12345678901.5": "12345678901.50000000", "0.12345678": "0.12345678", "1.00000000": "1.00000000"},
    "long": {"0.123456789012345": "0.123456789012345000", "12345678901234.5": "12345678901234.500000000000000000"},
}  # fmt: skip
TOO_LONG: Final[Mapping[str, str]] = {
    "plain": "1234567890.123456",
    "sql": "0.1234567890123456",
    "wide": "123456789012.3456",
    "long": "12345678901.234567",
}
SENTENCE: Final = "Must have at most 15 significant digits"


def serve(path: Path, store: str, steps: Any) -> None:
    async def main() -> None:
        url = "memory://" if store == "memory" else f"sqlite:///{path}/prices.db"
        shop = Shop(settings=Settings(databases={"default": DatabaseSettings(url=url, migrations="auto")}))
        async with client_of(create_app(shop)) as client:
            await steps(client, shop)

    asyncio.run(main())


@pytest.mark.parametrize("store", STORES)
def test_takes_what_is_declared(tmp_path: Path, store: str) -> None:
    async def steps(client: httpx2.AsyncClient, _: Shop) -> None:
        for name, values in TAKEN.items():
            for given, stored in values.items():
                made = await client.post("/prices", json={name: given})
                assert made.status_code == 201, (name, given, made.text)
                assert Decimal(made.json()[name]) == Decimal(stored)
                assert store == "memory" or made.json()[name] == stored
                if store == "sqlite":
                    found = await client.get("/prices", params={name: made.json()[name]})
                    assert made.json() in found.json()["items"], (name, found.text)
        for name in ("plain", "cents"):
            made = await client.post("/coins", json={name: "9.50"})
            assert Decimal(made.json()[name]) == Decimal("9.5"), made.text
        assert (await client.post("/prices", json={"ratio": 9.25})).json()["ratio"] == 9.25

    serve(tmp_path, store, steps)


def test_more_digits_are_refused_by_the_same_sentence_everywhere(tmp_path: Path) -> None:
    async def steps(client: httpx2.AsyncClient, shop: Any) -> None:
        for name, value in TOO_LONG.items():
            refused = [
                await client.post("/prices", json={name: value}),
                await client.post(
                    "/prices/bulk", json={"atomic": True, "items": [{"create": {name: value}}]}
                ),
                # A float that others may have stored has up to 17 digits.
                await client.get("/prices", params={name: f"{value}789"}),
                await client.post("/prices/search", json={"where": {name: f"{value}789"}}),
            ]
            assert [each.json()["errors"][0]["message"] for each in refused] == [SENTENCE] * 4, name
            lines = json.dumps({name: value})
            imported = await client.post(
                "/prices/import", content=lines, headers={"content-type": "application/x-ndjson"}
            )
            assert SENTENCE in imported.text
            called = await shop.kernel().prices.create({name: Decimal(value)})
            assert [each.message for each in called.failure().faults] == [SENTENCE]
            past_the_checks = await shop.prices.repository().add({name: Decimal(value)})
            assert [each.message for each in past_the_checks.failure().faults] == [f"{SENTENCE}."]

    serve(tmp_path, "sqlite", steps)


def test_numbers_of_others_are_read_found_sorted_and_added_as_they_are(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "prices.db")
    for statement in (
        (
            "CREATE TABLE price (id INTEGER PRIMARY KEY, plain NUMERIC, sql DECIMAL_TEXT, whole NUMERIC,"
            " cents NUMERIC(10,2), wide NUMERIC, long NUMERIC, ratio NUMERIC)"
        ),
        (
            "INSERT INTO price (plain, sql, cents)"
            " VALUES ('9.50', '9.50', 9.5), (10, '10', 10), (0.1 + 0.2, '2.5', 10.45 * 1.1)"
        ),
    ):
        _ = connection.execute(statement)
    connection.commit()
    connection.close()

    async def steps(client: httpx2.AsyncClient, _: Shop) -> None:
        items = (await client.get("/prices")).json()["items"]
        assert [each["plain"] for each in items] == ["9.5", "10", "0.30000000000000004"]
        assert [each["sql"] for each in items] == ["9.5", "10", "2.5"]
        assert [each["cents"] for each in items] == ["9.50", "10.00", "11.495000000000001"]
        for name in ("plain", "sql", "cents"):
            for each in items:
                found = (await client.get("/prices", params={name: each[name]})).json()["items"]
                assert found == [each]
            up = [each[name] for each in (await client.get(f"/prices?sort={name}")).json()["items"]]
            assert up == sorted(up, key=Decimal)
        totals = (await client.get("/prices/aggregate?total=sum:plain,sum:sql,sum:cents,max:sql")).json()[
            "items"
        ][0]
        assert totals["totals"] == {
            "sum:plain": "19.80000000000000004",
            "sum:sql": "22.0",
            "sum:cents": "30.995000000000001",
            "max:sql": "10",
        }

    serve(tmp_path, "sqlite", steps)
