"""A program that calls the kernel in Python is answered as one that asks over HTTP is."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from returns.result import Failure
from sqlmodel import Field, SQLModel

from fastapi_easy.application import Context, Kernel
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Key, Outcome, Patch, QueryRules, Row, to_one
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of


class Composer(SQLModel, table=True):
    """Writes pieces."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=120)
    country: str | None = None


class Piece(SQLModel, table=True):
    """Can be bought as a score."""

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(min_length=1, max_length=200)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
    composer_id: int | None = Field(default=None, foreign_key="composer.id")


@dataclass(frozen=True)
class DiscountPiece:
    """Make a piece cheaper."""

    percent: int

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Set the price."""
        pieces = work.repository("pieces")
        found = await pieces.read(key)
        if isinstance(found, Failure):
            return found
        price = found.unwrap().price * (100 - self.percent) / 100
        return await pieces.update(key, Patch({"price": price.quantize(Decimal("0.01"))}))


class Publisher(Container):
    """Sells pieces."""

    composers = resource(Composer)
    pieces = resource(
        Piece,
        actions=[DiscountPiece],
        query=QueryRules(search=["title"]),
        relations={"composer": to_one(Composer, by="composer_id")},
    )


def publisher(folder: Path) -> Any:
    """One that keeps its pieces in a file of SQLite."""
    url = f"sqlite:///{folder / 'pieces.sqlite3'}"
    return Publisher(settings=Settings(databases={"default": DatabaseSettings.model_validate({"url": url})}))


async def test_a_whole_program_runs_on_sqlite(tmp_path: Path) -> None:
    shop = publisher(tmp_path)
    async with open_kernel(shop) as kernel:
        clara = (await kernel.composers.create(name="Clara Schumann", country="DE")).unwrap()
        for title, price in (("Romance", "7.50"), ("Trio", "19.00"), ("Lied", "3.25")):
            await kernel.pieces.create(title=title, price=Decimal(price), composer_id=clara.id)

        page = (await kernel.pieces.list(composer__country="DE", sort="-price", limit=2)).unwrap()
        rest = (await kernel.pieces.list(composer__country="DE", sort="-price", cursor=page.next)).unwrap()
        cheaper = await kernel.pieces.discount(page.items[0].id, percent=10)
        typed = kernel.resource(shop.pieces)
        total = await typed.aggregate({"price__gt": 5}, total=["sum:price", "count"])

    assert [row.title for row in (*page.items, *rest.items)] == ["Trio", "Romance", "Lied"]
    assert cheaper.unwrap().price == Decimal("17.10")
    assert [group.totals for group in total.unwrap()] == [(Decimal("24.60"), 2)]


ASKED = [
    pytest.param(
        {"price__lt": Decimal(8), "sort": "-price"}, {"price__lt": "8", "sort": "-price"}, id="a number"
    ),
    pytest.param({"title__in": ("Lied", "Trio")}, {"title__in": ["Lied", "Trio"]}, id="a list"),
    pytest.param({"composer__country": "DE"}, {"composer.country": "DE"}, id="a relation"),
    pytest.param({"composer__isnull": True}, {"composer__isnull": "true"}, id="none related"),
    pytest.param({"q": "tri", "fields": ["title"]}, {"q": "tri", "fields": "title"}, id="a search"),
    pytest.param(
        {"where": {"or": [{"price__gt": 10}, {"title": "Lied"}]}},
        {"where": '{"or": [{"price__gt": 10}, {"title": "Lied"}]}'},
        id="a tree",
    ),
    pytest.param(
        {"limit": 1, "offset": 1, "count": "exact"},
        {"limit": "1", "offset": "1", "count": "exact"},
        id="a page",
    ),
]


@pytest.mark.parametrize(("said", "parameters"), ASKED)
async def test_a_list_holds_what_http_answers(said: Any, parameters: Any, tmp_path: Path) -> None:
    shop = publisher(tmp_path)
    async with client_of(create_app(shop)) as client:
        kernel: Kernel = shop.kernel()
        clara = (await kernel.composers.create(name="Clara Schumann", country="DE")).unwrap()
        await kernel.pieces.create(title="Trio", price=Decimal(19), composer_id=clara.id)
        await kernel.pieces.create(title="Lied", price=Decimal("3.25"))

        in_python = (await kernel.pieces.list(**said)).unwrap()
        over_http = (await client.get(f"/pieces?{urlencode(parameters, doseq=True)}")).json()

    shown = [
        {name: str(value) if name == "price" else value for name, value in row.items()}
        for row in in_python.items
    ]
    assert (shown, in_python.total) == (over_http["items"], over_http["total"])


REFUSED = [
    pytest.param({"prise__lt": 8}, {"prise__lt": "8"}, id="a misspelt field"),
    pytest.param({"price__lst": 8}, {"price__lst": "8"}, id="a misspelt operator"),
    pytest.param(
        {"composer.contry": "DE"}, {"composer.contry": "DE"}, id="a misspelt field of a related entity"
    ),
    pytest.param({"sort": "prise"}, {"sort": "prise"}, id="a misspelt order"),
    pytest.param({"fields": "titel"}, {"fields": "titel"}, id="a misspelt choice"),
    pytest.param({"include": "compser"}, {"include": "compser"}, id="a misspelt relation"),
    pytest.param({"count": "exactly"}, {"count": "exactly"}, id="a misspelt count"),
    pytest.param({"limit": 1000}, {"limit": "1000"}, id="too large a page"),
    pytest.param({"price__lt": Decimal("9" * 20)}, {"price__lt": "9" * 20}, id="too many digits"),
    pytest.param({"title__contains": "x" * 300}, {"title__contains": "x" * 300}, id="too long a text"),
    pytest.param({"cursor": "nonsense"}, {"cursor": "nonsense"}, id="a cursor from elsewhere"),
]


@pytest.mark.parametrize(("said", "parameters"), REFUSED)
async def test_a_refusal_is_worded_as_http_words_it(said: Any, parameters: Any, tmp_path: Path) -> None:
    shop = publisher(tmp_path)
    async with client_of(create_app(shop)) as client:
        kernel: Kernel = shop.kernel()

        refused = (await kernel.pieces.list(**said)).failure()
        problem = (await client.get("/pieces", params=parameters)).json()

    assert refused.code == problem["code"]
    if refused.code == "invalid":
        told = [(each["pointer"], each["message"], each["code"]) for each in problem["errors"]]
        assert [(each.pointer, each.message, each.code) for each in refused.faults] == told
    else:
        assert refused.reason in problem["detail"]
        assert refused.suggestion is None or repr(refused.suggestion) in problem["detail"]


async def test_an_action_misses_the_fields_that_http_misses(tmp_path: Path) -> None:
    shop = publisher(tmp_path)
    async with client_of(create_app(shop)) as client:
        kernel: Kernel = shop.kernel()
        await kernel.pieces.create(title="Trio", price=Decimal(19))

        refused = (await kernel.pieces.discount(1, percnt=10)).failure()
        problem: httpx2.Response = await client.post("/pieces/1/discount", json={"percnt": 10})

    told = [(each["pointer"], each["message"], each["code"]) for each in problem.json()["errors"]]
    assert [(each.pointer, each.message, each.code) for each in refused.faults] == told
