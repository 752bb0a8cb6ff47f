"""Collections that were there before the program: every door answers, whatever the documents hold."""

import datetime
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import pymongo
import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from bson.datetime_ms import DatetimeMS
from pydantic import BaseModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import to_many, to_one
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import CODEC_OPTIONS
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.odd_files import spelt
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database


class Restaurant(BaseModel):
    id: int | None = None
    name: str = ""
    rating: float = 0
    seats: int = 0
    ok: bool = True
    opened: datetime.datetime | None = None
    tags: list[str] = []
    more: dict[str, Any] = {}
    owner_id: str | None = None


class Owner(BaseModel):
    id: str | None = None
    name: str


class Ledger(BaseModel):
    id: int | None = None
    amount: int = 0
    version: int = 1


class Visit(BaseModel):
    at: datetime.datetime | None = None
    day: datetime.date | None = None
    paid: Decimal | None = None
    token: UUID | None = None
    by: str | None = None
    stars: int | None = None
    more: dict[str, Any] | None = None
    before: "Visit | None" = None


class Diary(BaseModel):
    id: int
    last: Visit | None = None
    visits: list[Visit] = []
    places: dict[str, Visit] = {}


class Guide(Container):
    restaurants = resource(Restaurant, relations={"owner": to_one("owners", by="owner_id")})
    owners = resource(Owner, relations={"restaurants": to_many("restaurants", by="owner_id")})
    ledgers = resource(Ledger, version="version")
    diaries = resource(Diary)


class Strict(Container):
    restaurants = resource(Restaurant, reading="strict")
    diaries = resource(Diary, reading="strict")


WHOLE = {"name": "a", "rating": 5.0, "seats": 1, "ok": True, "opened": None, "tags": [], "more": {}}
OID = ObjectId("65a000000000000000000001")
NOON = datetime.datetime(2020, 1, 1, 12)  # noqa: DTZ001 - as the driver takes it
ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a text for a float": ({"rating": "Not yet rated"}, {"rating": "Not yet rated"}),
    "an integer for a float": ({"rating": 5}, {"rating": 5.0}),
    "a decimal for a float": ({"rating": Decimal128("4.5")}, {"rating": 4.5}),
    "a decimal that no float is": ({"rating": Decimal128("4.1")}, {"rating": "4.1"}),
    "NaN": ({"rating": float("nan")}, {"rating": "NaN"}),
    "half for an integer": ({"seats": 2.5}, {"seats": 2.5}),
    "a whole double for an integer": ({"seats": 2.0}, {"seats": 2}),
    "a long": ({"seats": Int64(2**40)}, {"seats": 2**40}),
    "true for an integer": ({"seats": True}, {"seats": True}),
    "an integer for a text": ({"name": 5}, {"name": 5}),
    "a list for a text": ({"name": ["x", "y"]}, {"name": ["x", "y"]}),
    "an ObjectId for a text": ({"name": OID}, {"name": str(OID)}),
    "a pattern for a text": (
        {"name": Regex("^a")},
        {"name": {"$regularExpression": {"pattern": "^a", "options": ""}}},
    ),
    "a text for a boolean": ({"ok": "no"}, {"ok": "no"}),
    "an integer for a boolean": ({"ok": 1}, {"ok": 1}),
    "a text for a time": ({"opened": "2012-11-20"}, {"opened": "2012-11-20"}),
    "an integer for a time": ({"opened": 1353441744}, {"opened": 1353441744}),
    "the year 12000": (
        {"opened": DatetimeMS(316_516_809_600_000)},
        {"opened": {"$date": {"$numberLong": "316516809600000"}}},
    ),
    "a text for a list": ({"tags": "red"}, {"tags": "red"}),
    "null for a list": ({"tags": None}, {"tags": None}),
    "a mixed list": ({"tags": [1, None, OID]}, {"tags": [1, None, {"$oid": str(OID)}]}),
    "a list for a document": ({"more": [1]}, {"more": [1]}),
    "an ObjectId in a document": (
        {"more": {"o": OID, "d": NOON}},
        {"more": {"o": {"$oid": str(OID)}, "d": {"$date": "2020-01-01T12:00:00Z"}}},
    ),
}

COMPARED = {"name", "rating", "seats", "ok", "opened"}
SORTABLE = {"name", "rating", "seats", "opened"}


def _settings(url: str) -> Settings:
    return Settings(databases={"default": DatabaseSettings.model_validate({"url": url, "migrations": "off"})})


@pytest.fixture(scope="module")
def url():
    with empty_database("mongo") as found:
        yield found


@pytest.fixture
def documents(url: str):
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for each in database.list_collection_names():
            database.drop_collection(each)
        yield database


@pytest.fixture(scope="module")
async def guide(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(Guide(settings=_settings(url)))) as opened:
        yield opened


@pytest.mark.parametrize(("kept", "shown"), ODD.values(), ids=ODD)
async def test_one_odd_document_does_not_spoil_a_collection(guide, documents, kept, shown) -> None:
    documents.restaurant.insert_many([{"_id": 1, **WHOLE}, {"_id": 2, **WHOLE, **kept}])
    [field] = kept

    listed = await guide.get("/restaurants")
    read = await guide.get("/restaurants/2")
    lines = await guide.get("/restaurants/export", headers={"Accept": "application/x-ndjson"})
    table = await guide.get("/restaurants/export", headers={"Accept": "text/csv"})
    counted = await guide.get("/restaurants/count", params={"rating__gt": "1"})
    totals = await guide.get("/restaurants/aggregate", params={"total": "sum:seats,avg:rating,max:name"})
    walked = (
        await guide.get("/restaurants", params={"sort": f"-{field}", "limit": 1})
        if field in SORTABLE
        else read
    )
    named = await guide.get("/restaurants", params={field: spelt(shown[field])} if field in COMPARED else {})
    patched = await guide.patch(
        "/restaurants/2", json={"owner_id": "new"}, headers={"If-Match": read.headers["etag"]}
    )

    answers = (listed, read, lines, table, counted, totals, walked, named, patched)
    assert [each.status_code for each in answers] == [200] * len(answers)
    assert {name: read.json()[name] for name in shown} == shown
    assert type(read.json()[field]) is type(shown[field])
    assert listed.json()["items"][1] == read.json()
    assert 2 in [each["id"] for each in named.json()["items"]]
    assert len(lines.text.splitlines()) == 2
    assert len(table.text.splitlines()) == 3
    assert patched.json() == {**read.json(), "owner_id": "new"}
    after = documents.restaurant.with_options(CODEC_OPTIONS).find_one({"_id": 2})
    assert repr(after[field]) == repr(kept[field])


INSIDE: dict[str, tuple[object, object]] = {
    "at": (NOON, "2020-01-01T12:00:00Z"),
    "day": (datetime.datetime(2020, 1, 2), "2020-01-02"),  # noqa: DTZ001
    "paid": (Decimal128("1.50"), "1.50"),
    "token": (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    "stars": (2.0, 2),
    "more": ({"o": OID, "d": NOON}, {"o": {"$oid": str(OID)}, "d": {"$date": "2020-01-01T12:00:00Z"}}),
}
TEXTS = {
    "at": "2020-01-01T12:00:00.123456Z",
    "day": "2020-01-02",
    "paid": "1.50",
    "by": "2020-01-01T12:00:00Z",
}


async def test_nested_models_are_shown_as_described_and_keep_their_types(guide, url, documents) -> None:
    kept: Any = {name: each for name, (each, _) in INSIDE.items()}
    shown = {name: each for name, (_, each) in INSIDE.items()}
    documents.diary.with_options(CODEC_OPTIONS).insert_one(
        {"_id": 1, "last": {**kept, "before": kept}, "visits": [kept], "places": {"a": kept}}
    )

    read = await guide.get("/diaries/1")
    assert read.json() == {
        "id": 1,
        "last": {**shown, "before": shown},
        "visits": [shown],
        "places": {"a": shown},
    }
    async with client_of(create_app(Strict(settings=_settings(url)))) as strict:
        assert (await strict.get("/diaries/1")).json() == read.json()
    body = {name: each for name, each in read.json().items() if name != "id"}
    put = await guide.put("/diaries/1", json=body)
    merged = await guide.patch(
        "/diaries/1",
        content='{"last": {"by": "x"}}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert [each.status_code for each in (put, merged)] == [200, 200], put.text + merged.text
    after = documents.diary.with_options(CODEC_OPTIONS).find_one({"_id": 1})
    for place in (after["last"], after["last"]["before"], after["visits"][0], after["places"]["a"]):
        assert {name: place[name] for name in kept} == kept
        assert type(place["stars"]) is int

    made = await guide.post("/diaries", json={"id": 2, "last": TEXTS})
    found = await guide.get("/diaries/2")
    assert made.json() == found.json()
    assert {name: found.json()["last"][name] for name in TEXTS} == TEXTS


async def test_what_does_not_fit_is_named_where_a_resource_is_read_strictly(url, documents) -> None:
    documents.restaurant.insert_many(
        [{"_id": 1, **WHOLE}, {"_id": 2, **WHOLE, "seats": "many"}, {"_id": "x"}]
    )

    async with client_of(create_app(Strict(settings=_settings(url)))) as client:
        listed = (await client.get("/restaurants")).json()
        read = await client.get("/restaurants/2")

    assert [each["id"] for each in listed["items"]] == [1]
    assert [(each["key"], each["errors"][0]["pointer"]) for each in listed["problems"]] == [
        (2, "/seats"),
        ("x", "/id"),
    ]
    assert (read.status_code, read.json()["code"]) == (409, "unreadable_entity")


async def test_keys_of_every_kind_are_listed_walked_and_reached(guide, documents) -> None:
    keys = [1, "abc", OID, 2.5, Decimal128("3.1"), NOON, {"a": 1}, True]
    documents.restaurant.insert_many([{"_id": each} for each in keys])

    shown: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await guide.get("/restaurants", params={"limit": 1, **cursor})).json()
        shown += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    for each in shown:
        segment = '{"a": 1}' if isinstance(each, dict) else str(each)
        path = f"/restaurants/{quote(segment, safe='')}"
        assert (await guide.get(path)).json()["id"] == each
        assert (await guide.patch(path, json={"seats": 7})).json()["seats"] == 7
        assert (await guide.delete(path)).status_code == 204

    assert shown == [1, 2.5, "3.1", "abc", {"a": 1}, str(OID), True, "2020-01-01T12:00:00.000Z"]
    assert documents.restaurant.count_documents({}) == 0

    documents.restaurant.insert_many([{"_id": each} for each in [*keys, ""]])
    changes = [{"update": {"key": each, "set": {"seats": 7}}} for each in [*shown, ""]]
    removals = [{"delete": {"key": each}} for each in [*shown, ""]]
    bulk = await guide.post("/restaurants/bulk", json={"items": changes + removals})
    assert bulk.status_code == 200, bulk.text
    assert documents.restaurant.count_documents({}) == 0


@pytest.mark.parametrize(
    "key",
    [
        '{"$regularExpression": {"pattern": "^a", "options": ""}}',
        '{"$ref": "owner", "$id": 1}',
        '{"$gt": ""}',
        '{"$oid": "65a000000000000000000001"}',
        "[" * 200,
        '["ac3"]',
    ],
    ids=["pattern", "reference", "operator", "ObjectId", "depth", "list"],
)
async def test_a_key_means_no_other_than_the_one_that_is_shown_like_it(guide, documents, key) -> None:
    documents.owner.insert_many([{"_id": OID, "name": "x"}, {"_id": "ac3", "name": "y"}])

    read = await guide.get(f"/owners/{quote(key, safe='')}")
    removed = await guide.delete(f"/owners/{quote(key, safe='')}")
    listed = await guide.get("/owners", params={"id": key})

    assert [read.status_code, removed.status_code] == [404, 404]
    assert listed.json()["items"] == []
    assert documents.owner.count_documents({}) == 2


async def test_relations_lead_to_keys_of_other_kinds_and_past_values_that_are_none(guide, documents) -> None:
    documents.owner.insert_many([{"_id": OID, "name": "x"}, {"_id": "ac3", "name": "y"}])
    owners = [OID, "ac3", str(OID), {"a": 1}, [OID], 5, None]
    documents.restaurant.insert_many([{"_id": n, "owner_id": each} for n, each in enumerate(owners)])

    included = (await guide.get("/restaurants", params={"include": "owner"})).json()["items"]
    other_way = (await guide.get("/owners", params={"include": "restaurants"})).json()["items"]
    filtered = (await guide.get("/restaurants", params={"owner.name": "y"})).json()["items"]
    ordered = await guide.get("/restaurants", params={"sort": "-owner.name"})

    assert [each["owner"] and each["owner"]["name"] for each in included] == [
        "x",
        "y",
        "x",
        None,
        None,
        None,
        None,
    ]
    assert [(each["id"], [one["id"] for one in each["restaurants"]]) for each in other_way] == [
        ("ac3", [1]),
        (str(OID), [0, 2]),
    ]
    assert [each["id"] for each in filtered] == [1]
    assert len(ordered.json()["items"]) == len(owners)


async def test_versions_of_documents_without_one_are_counted_from_nought(guide, documents) -> None:
    documents.ledger.insert_many(
        [{"_id": 1, "amount": 1}, {"_id": 2, "amount": 1, "version": "odd"}]
        + [{"_id": key, "amount": 1, "version": None} for key in (3, 4, 5)]
    )

    for key, shown in ((1, 0), (3, None)):
        path = f"/ledgers/{key}"
        read = await guide.get(path)
        first = await guide.patch(path, json={"amount": 2}, headers={"If-Match": read.headers["etag"]})
        stale = await guide.patch(path, json={"amount": 3}, headers={"If-Match": read.headers["etag"]})
        assert [each.status_code for each in (read, first, stale)] == [200, 200, 412]
        assert (read.json()["version"], first.json()["version"]) == (shown, 1)
    refused = await guide.patch("/ledgers/2", json={"amount": 2})
    by_key = {"update": {"key": 4, "set": {"amount": 7}}}
    by_filter = {"update": {"where": {"id__in": [1, 5]}, "set": {"amount": 7}, "max_affected": 2}}
    bulk = await guide.post("/ledgers/bulk", json={"items": [by_key, by_filter]})

    assert (refused.status_code, bulk.status_code) == (409, 200)
    assert documents.ledger.find_one({"_id": 2}) == {"_id": 2, "amount": 1, "version": "odd"}
    assert [
        (each["amount"], each["version"]) for each in documents.ledger.find({"_id": {"$in": [1, 4, 5]}})
    ] == [
        (7, 2),
        (7, 1),
        (7, 1),
    ]
