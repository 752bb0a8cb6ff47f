"""Columns with types of users, which store values in their own way: written, shown, compared and exported."""

import contextlib
import datetime
import json
import sqlite3
import types
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import ForeignKey, create_engine, make_url, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from fastapi_easy.testing import in_memory
from tests.e2e import column_types
from tests.e2e.column_types import CommaList, Email, Epoch, Level, NumberOf
from tests.e2e.custom_columns import CLASSES, COLUMNS
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store


class Base(DeclarativeBase): ...


class Owner(Base):
    __tablename__ = "custom_owners"

    email: Mapped[str] = mapped_column(Email, primary_key=True)
    things: Mapped[list["Thing"]] = relationship(back_populates="owner")


class Thing(Base):
    """A key of three types of users', of which one refers."""

    __tablename__ = "custom_things"

    owner_email: Mapped[str] = mapped_column(Email, ForeignKey("custom_owners.email"), primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(Epoch, primary_key=True)
    level: Mapped[Level] = mapped_column(NumberOf(Level), primary_key=True, default=Level.LOW)
    phone: Mapped[column_types.PhoneNumber] = mapped_column(
        column_types.PhoneType, default=lambda: column_types.Phone("+7")
    )
    tags: Mapped[list[str]] = mapped_column(CommaList, default=list)
    price: Mapped[Decimal | None] = mapped_column(column_types.Cents)
    owner: Mapped[Owner] = relationship(back_populates="things")


class Served:
    """An application with a resource for each column type."""

    def __init__(self, client: httpx2.AsyncClient, url: str) -> None:
        self.client = client
        self.url = url

    async def put(self, name: str) -> list[int]:
        """Store the values of that column anew, and return their keys."""
        for each in (await self.client.get(f"/{name}", params={"limit": 100})).json()["items"]:
            assert (await self.client.delete(f"/{name}/{each['id']}")).status_code == 204
        made = [await self.client.post(f"/{name}", json={"value": each}) for each in COLUMNS[name].values]
        assert {each.status_code for each in made} == {201}, [each.text for each in made]
        return [each.json()["id"] for each in made]

    async def walk(self, name: str, **query: Any) -> list[dict[str, Any]]:
        """Read a list page by page, one entity each."""
        found: list[dict[str, Any]] = []
        while True:
            answer = await self.client.get(f"/{name}", params={**query, "limit": 1})
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            if (cursor := answer.json()["next_cursor"]) is None:
                return found
            query["cursor"] = cursor


@contextlib.asynccontextmanager
async def serving(store: str, folder: Path) -> AsyncIterator[Served]:
    declared = {name: resource(each) for name, each in CLASSES.items()}
    declared |= {"owners": resource(Owner), "things": resource(Thing)}
    shop: Any = types.new_class("Shop", (Container,), {}, lambda body: body.update(declared))
    with empty_store(store, folder) as url:
        container = shop(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
        async with client_of(create_app(container)) as client:
            yield Served(client, url)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def everywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    async with serving(request.param, tmp_path_factory.mktemp("custom")) as served:
        yield served


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving("sqlite", tmp_path_factory.mktemp("custom")) as served:
        yield served


def plain(value: Any) -> Any:
    """The value without the zeros that a column need not keep: `9.50` is `9.5`."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except ArithmeticError:
        return value


every_column = pytest.mark.parametrize("name", COLUMNS)


@every_column
async def test_answers_show_what_is_stored(everywhere: Served, name: str) -> None:
    keys = await everywhere.put(name)
    shown = list(map(plain, COLUMNS[name].answers))

    changed = [
        await everywhere.client.patch(f"/{name}/{key}", json={"other": value})
        for key, value in zip(keys, COLUMNS[name].values, strict=True)
    ]
    read = [(await everywhere.client.get(f"/{name}/{key}")).json() for key in keys]
    emptied = await everywhere.client.patch(f"/{name}/{keys[0]}", json={"other": None})

    assert [plain(each.json()["other"]) for each in changed] == shown
    assert [(plain(each["value"]), plain(each["other"])) for each in read] == [(each, each) for each in shown]
    assert emptied.json()["other"] is None


@every_column
async def test_what_is_shown_is_found_again(everywhere: Served, name: str) -> None:
    keys = await everywhere.put(name)
    column = COLUMNS[name]

    filtered = [
        await everywhere.client.get(f"/{name}", params={"value": json.dumps(each).strip('"')})
        for each in column.answers
    ]
    sorted_ = await everywhere.client.get(f"/{name}", params={"sort": "value"})

    expected = [[key] for key in keys] if column.filters else 400
    found = [[entity["id"] for entity in each.json().get("items", ())] for each in filtered]
    assert (found if column.filters else filtered[0].status_code) == expected
    assert sorted_.status_code == (200 if column.sorts else 400)
    if column.sorts:
        assert [each["id"] for each in await everywhere.walk(name, sort="value")] == keys
        assert [each["id"] for each in await everywhere.walk(name, sort="-value")] == keys[::-1]


@every_column
async def test_what_the_type_refuses_is_a_fault_of_the_field(served: Served, name: str) -> None:
    (key, *_) = await served.put(name)

    for refused in COLUMNS[name].refused:
        answers = [
            await served.client.post(f"/{name}", json={"value": refused}),
            await served.client.patch(f"/{name}/{key}", json={"other": refused}),
            await served.client.post(f"/{name}/bulk", json={"items": [{"create": {"value": refused}}]}),
        ]
        pointers = [each.json()["errors"][0]["pointer"] for each in answers]

        assert [each.status_code for each in answers] == [422, 422, 422]
        # Inside of a document the fault may be deeper.
        places = ("/value", "/other", "/items/0/create/value")
        assert [each[: len(place)] for each, place in zip(pointers, places, strict=True)] == list(places)
    assert len((await served.client.get(f"/{name}")).json()["items"]) == len(COLUMNS[name].values)


@every_column
async def test_what_is_exported_is_imported(served: Served, name: str) -> None:
    _ = await served.put(name)
    exported = [json.loads(line) for line in (await served.client.get(f"/{name}/export")).text.splitlines()]
    lines = "".join(json.dumps({"value": each["value"], "other": each["value"]}) + "\n" for each in exported)

    imported = await served.client.post(
        f"/{name}/import", content=lines, headers={"content-type": "application/x-ndjson"}
    )

    assert imported.json()["created"] == len(exported), imported.text
    after = (await served.client.get(f"/{name}", params={"limit": 100})).json()["items"]
    values = [each["value"] for each in exported]
    assert [each["value"] for each in after] == values * 2
    assert [each["other"] for each in after] == [None] * len(values) + values


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.junk is not None])
async def test_what_the_type_cannot_read_is_shown_and_found_as_it_is_stored(
    everywhere: Served, name: str
) -> None:
    keys = await everywhere.put(name)
    column = COLUMNS[name]
    if not holds(everywhere.url, f"custom_{name}", column.junk, keys[0]):
        return

    one = await everywhere.client.get(f"/{name}/{keys[0]}")
    page = await everywhere.client.get(f"/{name}")
    changed = await everywhere.client.patch(f"/{name}/{keys[0]}", json={"other": column.values[0]})
    walked = await everywhere.walk(name, **({"sort": "value"} if column.sorts else {}))
    shown = one.json()["value"]
    found = await everywhere.walk(name, **({"value": str(shown)} if column.filters else {}))
    others = await everywhere.walk(name, **({"value__ne": str(shown)} if column.filters else {}))

    assert [one.status_code, page.status_code, changed.status_code] == [200, 200, 200]
    # `CHAR(36)` of PostgreSQL is filled up with blanks.
    assert (shown.rstrip() if isinstance(shown, str) else shown) == (
        "eA==" if column.junk == b"x" else column.junk
    )
    assert sorted(each["id"] for each in walked) == keys
    if column.filters:
        assert [[each["id"] for each in some] for some in (found, others)] == [keys[:1], keys[1:]]


def holds(url: str, table: str, junk: Any, key: int) -> bool:
    """Store *junk* as another program does; return whether the server, which may check types, has taken it."""
    address = make_url(url)
    driver = "sqlite" if address.drivername == "sqlite" else "postgresql+psycopg"
    engine = create_engine(address.set(drivername=driver))
    statement = text(f"UPDATE {table} SET value = :junk WHERE id = :id")
    try:
        with engine.begin() as connection:
            _ = connection.execute(statement, {"junk": junk, "id": key})
    except DataError:
        assert driver != "sqlite"
        return False
    finally:
        engine.dispose()
    return True


async def test_a_walk_passes_values_that_the_type_would_not_take(served: Served) -> None:
    keys = await served.put("positive_cents")
    with contextlib.closing(sqlite3.connect(served.url.removeprefix("sqlite:///"))) as connection:
        _ = connection.execute("UPDATE custom_positive_cents SET value = -value")
        connection.commit()

    walked = await served.walk("positive_cents", sort="value")

    assert [each["id"] for each in walked] == keys[::-1]
    assert [each["value"] for each in walked] == ["-10.25", "-9.5", "-1"]


@pytest.mark.parametrize("name", ["cents", "positive_cents", "money"])
async def test_money_is_summed(served: Served, name: str) -> None:
    _ = await served.put(name)

    answer = await served.client.get(f"/{name}/aggregate", params={"total": "sum:value,max:value"})

    totals = answer.json()["items"][0]["totals"]
    expected = sum(map(Decimal, COLUMNS[name].values))
    assert {key: Decimal(each) for key, each in totals.items()} == {
        "sum:value": expected,
        "max:value": Decimal("10.25"),
    }


@pytest.mark.parametrize(
    ("name", "query", "places"),
    [
        pytest.param(
            "epoch", {"value__lt": "2001-09-09T01:46:40.5Z"}, [0, 1], id="below a fraction of a second"
        ),
        pytest.param("epoch", {"value__gte": "2001-09-09T01:46:40.5Z"}, [2], id="not below it"),
        pytest.param("epoch", {"value": "2001-09-09T01:46:40.5Z"}, [], id="what no column of seconds holds"),
        pytest.param("cents", {"value__gt": "9.495"}, [1, 2], id="above a tenth of a cent"),
        pytest.param("cents", {"value__lte": "9.505"}, [0, 1], id="not above it"),
        pytest.param("cents", {"value__between": "-1.001,9.499"}, [0], id="between"),
        pytest.param("cents", {"value__in": "9.501,10.25"}, [2], id="in"),
        pytest.param("cents", {"value__ne": "9.501"}, [0, 1, 2], id="other than what none holds"),
        pytest.param("email", {"value": "B@B.c"}, [1], id="an address in capitals"),
        pytest.param("email", {"value__contains": "b@"}, [1], id="part of an address"),
        pytest.param("email", {"value__gte": "b"}, [1, 2], id="no address, but the beginning of one"),
        pytest.param("email", {"value__istartswith": "C@"}, [2], id="part of it, in any case"),
    ],
)
async def test_a_value_that_the_column_would_change_is_compared_as_it_is(
    served: Served, name: str, query: dict[str, str], places: list[int]
) -> None:
    keys = await served.put(name)

    found = (await served.client.get(f"/{name}", params=query)).json()["items"]

    assert [each["id"] for each in found] == [keys[place] for place in places]


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.filters])
async def test_no_text_of_a_filter_is_an_error_of_the_database(everywhere: Served, name: str) -> None:
    texts = [
        "",
        "abc",
        "7",
        "7.5",
        "-1",
        "9" * 30,
        "infinity",
        "NaN",
        "true",
        "YQ==",
        "[1]",
        '{"a": 1}',
        "é",
        "\\",
    ]

    for each in texts:
        for query in ({"value": each}, {"value__ne": each}, {"value__in": [each, "7"]}):
            answer = await everywhere.client.get(f"/{name}", params=query)
            assert answer.status_code in {200, 422}, (query, answer.text)


async def test_a_value_that_the_type_refuses_is_a_fault_of_the_query(served: Served) -> None:
    answers = [
        await served.client.get("/guid?value=abc"),
        await served.client.get("/email?value=abc"),
        await served.client.get("/email?value__in=a@b.c&value__in=abc"),
        await served.client.get("/owners/abc"),
    ]

    faults = [answer.json()["errors"][0] for answer in answers]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422]
    assert [each["pointer"] for each in faults] == ["/value", "/value", "/value__in", "/email"]
    assert [each["message"] for each in faults[1:]] == ["must be an address"] * 3


async def test_the_types_are_documented_as_what_they_give(served: Served) -> None:
    schemas = (await served.client.get("/openapi.json")).json()["components"]["schemas"]

    described = {name: schemas[f"{CLASSES[name].__name__}Create"]["properties"]["value"] for name in COLUMNS}
    assert (described["guid"]["type"], described["guid"]["format"]) == ("string", "uuid")
    assert (described["epoch"]["type"], described["epoch"]["format"]) == ("string", "date-time")
    assert described["level"]["enum"] == [1, 2, 10]
    assert described["yes_no"]["type"] == "boolean"
    assert (described["email"]["type"], described["email"]["maxLength"]) == ("string", 100)
    assert (described["comma_list"]["type"], described["comma_list"]["items"]) == (
        "array",
        {"type": "string"},
    )


async def test_custom_types_are_keys_and_references(everywhere: Served) -> None:
    client = everywhere.client
    mark = uuid.uuid4().hex[:8]
    owner = await client.post("/owners", json={"email": f"{mark}@B.c"})
    moments = ("2001-09-09T01:46:40Z", "2001-09-09T01:46:41Z")

    made = [await client.post("/things", json={"owner_email": f"{mark}@b.C", "at": each}) for each in moments]
    again = [await client.get(each.headers["location"]) for each in made]
    changed = await client.patch(
        made[0].headers["location"], json={"phone": "+8", "tags": ["a"], "price": "1.5"}
    )
    dangling = await client.post("/things", json={"owner_email": "no@b.c", "at": moments[0]})
    with_things = await client.get("/owners", params={"email": f"{mark}@b.c", "include": "things"})
    with_owner = await client.get("/things", params={"owner.email": f"{mark}@b.c", "include": "owner"})

    assert owner.json() == {"email": f"{mark}@b.c"}
    expected = [
        {"owner_email": f"{mark}@b.c", "at": each, "level": 1, "phone": "+7", "tags": [], "price": None}
        for each in moments
    ]
    assert [each.json() for each in made] == [each.json() for each in again] == expected
    assert changed.json() == {**expected[0], "phone": "+8", "tags": ["a"], "price": "1.5"}
    assert (dangling.status_code, dangling.json()["code"]) == (409, "reference_broken")
    assert [each["at"] for each in with_things.json()["items"][0]["things"]] == list(moments)
    assert [each["owner"] for each in with_owner.json()["items"]] == [{"email": f"{mark}@b.c"}] * 2


async def test_in_memory_the_types_refuse_the_same() -> None:
    shop: Any = types.new_class("Shop", (Container,), {}, lambda body: body.update(owners=resource(Owner)))

    async with client_of(create_app(in_memory(shop))) as client:
        refused = await client.post("/owners", json={"email": "abc"})
        made = await client.post("/owners", json={"email": "a@b.c"})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/email")
    assert made.json() == {"email": "a@b.c"}
