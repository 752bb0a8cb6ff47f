"""Collections that others write: whatever documents hold is shown, is found again by that, and is walked past once."""

import json
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import httpx2
import pymongo
import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import CODEC_OPTIONS
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.conformance.odd_documents import OTHER_TYPES, Odd
from tests.e2e.odd_files import answer, spelt, walk
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database
from tests.thorough import examples

FIELDS: Final = (
    "name", "number", "rating", "price", "ok", "day", "at", "hour", "lasts", "token", "mood", "made_by",
)  # fmt: skip
UNSORTED: Final = {"mood"}
SPELLINGS: Final = (
    "5", "5.0", "-0", "1e3", "4.10", "true", "false", "null", "NaN", "Infinity", "2020-01-01", "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00.000Z", "12:30", "12:30:00.000000", "PT1H", "good", "GOOD", "65a000000000000000000001", "[1]",
    "00000000-0000-0000-0000-000000000007", '{"a": 1}', '{"$oid": "65a000000000000000000001"}', "é", " ", "a,b", "\\",
)  # fmt: skip
SCALARS: Final = st.one_of(
    st.sampled_from(SPELLINGS),
    st.text("aZ09.-e:TtrufNIé{[ ", max_size=5),
    st.integers(-3, 9) | st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.floats(),
    st.sampled_from(["5", "4.10", "NaN", "1E+3", "-0", "123456789012345678901234567890"]).map(Decimal128),
    st.booleans(),
    st.integers(-(2**62), 2**62).map(DatetimeMS),
    st.integers(-(10**11), 10**11).map(lambda seconds: DatetimeMS(seconds * 1000)),
    st.just(ObjectId("65a000000000000000000001")),
    st.uuids(),
    st.binary(max_size=3),
)
VALUES: Final = st.one_of(
    SCALARS,
    st.sampled_from(list(OTHER_TYPES.values())),
    st.lists(SCALARS | st.none(), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b.c", "$d", ""]), SCALARS | st.none(), max_size=2),
)


class Shelf(Container):
    odds = resource(Odd)


@pytest.fixture(scope="module")
def url():
    with empty_database("mongo") as found:
        yield found


@pytest.fixture(scope="module")
def kept(url: str):
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database().get_collection("odd", codec_options=CODEC_OPTIONS)


@pytest.fixture(scope="module")
async def client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    database = DatabaseSettings(url=url, migrations=MigrationPolicy.OFF)
    async with client_of(create_app(Shelf(settings=Settings(databases={"default": database})))) as opened:
        yield opened


def is_alike(value: object, other: object) -> bool:
    """Return whether *value* may find *other*: shown alike, the same number, or a list of which it is an item."""
    if spelt(value) == spelt(other) or isinstance(other, list):
        return True
    try:
        # `?ok=0` asks for false as well.
        number = float(other) if isinstance(other, bool) else float(spelt(other))
        return math.isclose(float(spelt(value)), number)
    except ValueError:
        return False


async def check(client: httpx2.AsyncClient, name: str, count: int) -> None:
    """Send back everything that is shown, in a query string and in a search, and walk what it finds."""
    items: Sequence[Any] = (await answer(client, "/odds", limit=100))["items"]
    assert len(items) == count
    shown = {json.dumps(each["id"]): each[name] for each in items}
    for value in {json.dumps(each): each for each in shown.values()}.values():
        if value is None:
            continue
        text = spelt(value)
        found = keys((await answer(client, "/odds", limit=100, **{name: text}))["items"])
        assert {key for key, each in shown.items() if spelt(each) == text} <= set(found), (name, value)
        assert all(is_alike(value, shown[each]) for each in found), (name, value)
        rest = keys((await answer(client, "/odds", limit=100, **{f"{name}__ne": text}))["items"])
        assert sorted([*rest, *found]) == sorted(keys(items)), (name, value)
        searched = await client.post("/odds/search", json={"where": {name: value}, "limit": 100})
        assert searched.status_code == 200, (name, value, searched.text)
        same = {key for key, each in shown.items() if json.dumps(each) == json.dumps(value)}
        assert same <= set(keys(searched.json()["items"])), (name, value)
        if len(found) > 2:
            walked = keys(await walk(client, "/odds", "-id", **{name: text}))
            assert sorted(walked) == sorted(found), (name, value)
    for sort in (name, f"-{name}") if name not in UNSORTED else ():
        assert sorted(keys(await walk(client, "/odds", sort))) == sorted(keys(items)), sort


def keys(items: Sequence[Any]) -> list[str]:
    return [json.dumps(each["id"]) for each in items]


@pytest.mark.parametrize("name", FIELDS)
async def test_every_type_is_found_by_what_is_shown(client, kept, name) -> None:
    kept.delete_many({})
    kept.insert_many([{"_id": n, name: each} for n, each in enumerate(OTHER_TYPES.values())])

    await check(client, name, len(OTHER_TYPES))


@given(st.sampled_from(FIELDS), st.lists(VALUES, min_size=1, max_size=6))
@settings(
    max_examples=examples(20, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_documents_hold_is_found_by_what_is_shown(client, kept, name, values) -> None:
    kept.delete_many({})
    kept.insert_many([{"_id": n, name: each} for n, each in enumerate(values)])

    await check(client, name, len(values))


@given(st.lists(SCALARS | st.dictionaries(st.just("a"), SCALARS, min_size=1), min_size=1, max_size=6))
@settings(
    max_examples=examples(12, 30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_so_is_every_key(client, kept, values) -> None:
    kept.delete_many({})
    for each in values:
        _ = kept.replace_one({"_id": {"$eq": each}}, {"number": 1}, upsert=True)

    await check(client, "id", kept.count_documents({}))
