"""What is refused over HTTP is refused from Python, with the same pointers, codes and messages, on every store."""

import base64
import datetime
import json
import math
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from fastapi_easy.application import (
    NOBODY,
    ApplyBulk,
    Create,
    CreateEntity,
    GetEntity,
    ImportEntities,
    ImportMode,
    Line,
    PerformAction,
    ReplaceEntity,
    Update,
    UpdateEntity,
    UpsertEntity,
    UseCases,
)
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Error, Failure, Invalid, Outcome, Patch, Success
from fastapi_easy.settings import Settings
from tests.e2e.goods import Colour, Documents, OwnDocuments, OwnTables, RepriceGoods, Tables
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names

NAIVE = datetime.datetime(2026, 11, 23, 8, 30)  # noqa: DTZ001 (what is refused)
PLUS_ONE = datetime.timezone(datetime.timedelta(hours=1))

NATURAL: Mapping[str, Any] = {
    "title": "Emma",
    "price": Decimal("9.50"),
    "stock": 7,
    "rating": 4.5,
    "active": False,
    "published": datetime.date(2026, 11, 23),
    "opens": datetime.time(8, 30),
    "added": datetime.datetime(2026, 11, 23, 9, 30, 0, 1000, PLUS_ONE),
    "lasts": datetime.timedelta(days=1, hours=2),
    "code": uuid.UUID(int=7),
    "cover": b"\x00\xff",
    "colour": Colour.BLUE,
    "extra": {"sizes": [1, 2.5, None, "XL"]},
}
"""Values as a program has them."""


def text_of(value: Any) -> str:
    """*value* as a client would write it in JSON."""
    match value:
        case Colour():
            return json.dumps(value.value)
        case bytes():
            return json.dumps(base64.b64encode(value).decode())
        case datetime.timedelta():
            return '"P1DT2H"'
        case datetime.date() | datetime.time():
            return json.dumps(value.isoformat())
        case Decimal() | uuid.UUID():
            return json.dumps(str(value))
        case _:
            return json.dumps(value)


@dataclass(frozen=True)
class Bad:
    """A bad input: values that take the place of good ones.

    Attributes:
        values: As Python gives them.

        texts: What stands in the JSON in place of them, where that is not plain.

        without: Fields that are left out.
    """

    values: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


def bad(name: str, value: Any, text: str | None = None) -> Bad:
    return Bad({name: value}, {} if text is None else {name: text})


BAD: Mapping[str, Bad] = {
    "empty text": bad("title", ""),
    "text that is too long": bad("title", "x" * 21),
    "a number for text": bad("title", 7),
    "bytes for text": bad("title", b"Emma", "7"),
    "a list for text": bad("title", ["Emma"]),
    "null for text": bad("title", None),
    "NUL in text": bad("title", "a\x00b"),
    "a lone surrogate in text": bad("title", "a\ud800b"),
    "NUL in several texts": Bad({"title": "\x00", "sku": "\x00", "stock": "x"}),
    "a negative price": bad("price", Decimal("-0.01")),
    "a price with three places": bad("price", Decimal("9.505")),
    "a float with three places": bad("price", 9.505),
    "a sum of floats": bad("price", 0.1 + 0.2),
    "a price with too many digits": bad("price", "1234567.00"),
    "a word for a price": bad("price", "cheap"),
    "a price with an exponent": bad("price", "1e2"),
    "a truth for a price": bad("price", True),
    "a list for a price": bad("price", []),
    "no number for a price": bad("price", math.nan),
    "no decimal for a price": bad("price", Decimal("NaN"), "NaN"),
    "an infinite price": bad("price", Decimal("-Infinity"), "-Infinity"),
    "a price beyond every float": bad("price", Decimal("1e400"), "1e400"),
    "null for a price": bad("price", None),
    "text for an integer": bad("stock", "7"),
    "a fraction for an integer": bad("stock", 1.5),
    "a whole float for an integer": bad("stock", 1.0),
    "a decimal for an integer": bad("stock", Decimal("1.0"), "1.0"),
    "a truth for an integer": bad("stock", True),
    "a negative stock": bad("stock", -1),
    "an integer of 70 bits": bad("stock", 2**70),
    "text for a float": bad("rating", "4.5"),
    "a truth for a float": bad("rating", False),
    "an infinite float": bad("rating", math.inf),
    "an integer beyond floats": bad("rating", 10**400),
    "a number for a truth": bad("active", 1),
    "text for a truth": bad("active", "true"),
    "null for a truth": bad("active", None),
    "no such month": bad("published", "2026-13-01"),
    "a number for a date": bad("published", 20261123),
    "a time for a date": bad("published", NAIVE),
    "no such hour": bad("opens", "25:00"),
    "a time of day with a zone": bad("opens", datetime.time(8, 30, tzinfo=PLUS_ONE)),
    "a time without a zone": bad("added", NAIVE),
    "a date for a time": bad("added", datetime.date(2026, 11, 23)),
    "a number for a time": bad("added", 1_700_000_000),
    "a time before the first year": bad("added", datetime.datetime(1, 1, 1, tzinfo=PLUS_ONE)),
    "no duration": bad("lasts", "1 day"),
    "no UUID": bad("code", "nope"),
    "a number for a UUID": bad("code", 7),
    "no base64": bad("cover", "a?"),
    "too many bytes": bad("cover", b"123456789"),
    "no member": bad("colour", "green"),
    "the name of a member": bad("colour", "RED"),
    "a number for a member": bad("colour", 1),
    "NUL in JSON": bad("extra", {"a": ["\x00"]}),
    "NUL in a name in JSON": bad("extra", {"\x00": 1}),
    "no number in JSON": bad("extra", {"a": math.nan}),
    "an integer of 70 bits in JSON": bad("extra", {"a": 2**70}),
    "null for JSON": bad("extra", None),
    "an unknown name": bad("titel", "Emma"),
    "a strange name": bad("a/b~c", 1),
    "a hidden field": bad("secret", "known"),
    "a generated field": bad("id", 7),
    "several at once": Bad({"title": "", "price": -1, "titel": 1, "stock": None}),
}
BAD_NEW: Mapping[str, Bad] = {
    "without a title": Bad({}, without=frozenset({"title"})),
    "without anything": Bad({}, without=frozenset({"title", "sku", "price"})),
}
"""What is bad where all has to be given."""

BAD_OWN: Mapping[str, Bad] = {
    "text that is too short for the schema": bad("sku", "ab"),
    "a fraction for the schema": bad("stock", 1.5),
    "text for the schema": bad("stock", "7"),
    "a name the schema does not know": bad("rating", 1.5),
    "a rule of the whole schema": Bad({"price": Decimal("0.50"), "stock": 99}),
    "no date for the schema": bad("published", "2026-02-30"),
    "NUL for the schema": bad("title", "\x00"),
    "no number for the schema": bad("price", math.nan),
    "null for the schema": bad("title", None),
}
BAD_ACTIONS: Mapping[str, Bad] = {
    "a negative price": bad("price", Decimal(-1)),
    "text that is too short": bad("reason", "no"),
    "null for text": bad("reason", None),
    "a word for a date": bad("since", "today"),
    "NUL in text": bad("reason", "a\x00bc"),
    "no number": bad("price", Decimal("NaN"), "NaN"),
    "several at once": Bad({"price": -1, "reason": ""}),
}

Told = list[tuple[str, str, str]]
"""Pointer, code and message of each fault."""


class Shop:
    """One application, asked over HTTP and from Python."""

    def __init__(self, client: httpx2.AsyncClient, goods: UseCases) -> None:
        self.client = client
        self.goods = goods
        self._key: int | None = None

    async def key(self) -> int:
        """The key of an entity that is there."""
        if self._key is None:
            values = {"sku": uuid.uuid4().hex, "title": "Emma", "price": 3}
            self._key = int((await self.goods.create(CreateEntity(values), NOBODY)).unwrap().id)
        return self._key

    async def send(self, method: str, path: str, body: str, kind: str = "json") -> httpx2.Response:
        return await self.client.request(
            method, path, content=body, headers={"content-type": f"application/{kind}"}
        )

    async def count(self) -> int:
        return int((await self.client.get("/goods/count")).json()["count"])


@pytest.fixture(scope="module", params=store_names("memory", MONGO))
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with empty_store(request.param, tmp_path_factory.mktemp("goods")) as found:
        yield found


async def _open(url: str, tables: Any, documents: Any) -> AsyncIterator[Shop]:
    container = (documents if url.startswith("mongodb") else tables)(
        settings=Settings.model_validate({"databases": {"default": {"url": url}}})
    )
    async with client_of(create_app(container)) as client:
        yield Shop(client, container.kernel().use_cases("goods"))


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Shop]:
    async for opened in _open(url, Tables, Documents):
        yield opened


@pytest.fixture(scope="module")
async def own_shop(url: str) -> AsyncIterator[Shop]:
    async for opened in _open(url, OwnTables, OwnDocuments):
        yield opened


def told_by_http(errors: list[dict[str, str]], below: str = "") -> Told:
    """The faults that an answer tells of; those of a part lead into the part."""
    assert {each["in"] for each in errors} == {"body"}
    assert all(each["pointer"].startswith(below) for each in errors)
    return [(each["pointer"].removeprefix(below), each["code"], each["message"]) for each in errors]


def refused_by_http(answer: httpx2.Response, below: str = "") -> Told:
    assert answer.status_code == 422, answer.text
    return told_by_http(answer.json()["errors"], below)


def told(error: Error, below: str = "") -> Told:
    """The faults that a refusal tells of."""
    assert isinstance(error, Invalid), error
    assert all(fault.pointer.startswith(below) for fault in error.faults)
    return [(fault.pointer.removeprefix(below), fault.code, fault.message) for fault in error.faults]


def refused(outcome: Outcome[Any], below: str = "") -> Told:
    assert isinstance(outcome, Failure), outcome
    return told(outcome.failure(), below)


def _lines(*many: Mapping[str, Any]) -> AsyncIterator[Line]:
    async def lines() -> AsyncIterator[Line]:
        for number, values in enumerate(many, 1):
            yield number, Success(values)

    return lines()


def written(values: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """*values* as a JSON object."""
    members = (f"{json.dumps(name)}: {texts.get(name) or text_of(value)}" for name, value in values.items())
    return f"{{{', '.join(members)}}}"


async def _create(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    answer = await shop.send("POST", "/goods", body)
    outcome = await shop.goods.create(CreateEntity(values), NOBODY)
    return refused_by_http(answer), refused(outcome)


async def _upsert(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    answer = await shop.send("POST", "/goods/upsert", body)
    outcome = await shop.goods.upsert(UpsertEntity(values), NOBODY)
    return refused_by_http(answer), refused(outcome)


async def _replace(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    key = await shop.key()
    answer = await shop.send("PUT", f"/goods/{key}", body)
    outcome = await shop.goods.replace(ReplaceEntity(key, values), NOBODY)
    return refused_by_http(answer), refused(outcome)


async def _update(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    key = await shop.key()
    answer = await shop.send("PATCH", f"/goods/{key}", body)
    outcome = await shop.goods.update(UpdateEntity(key, Patch(values)), NOBODY)
    return refused_by_http(answer), refused(outcome)


async def _bulk(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    answer = await shop.send("POST", "/goods/bulk", f'{{"items": [{{"create": {body}}}]}}')
    outcome = await shop.goods.bulk(ApplyBulk([Create(values)]), NOBODY)
    return refused_by_http(answer, "/items/0/create"), refused(outcome, "/items/0/create")


async def _bulk_update(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    key, at = await shop.key(), "/items/0/update/set"
    item = f'{{"update": {{"key": {key}, "set": {body}}}}}'
    answer = await shop.send("POST", "/goods/bulk", f'{{"items": [{item}], "atomic": false}}')
    done = await shop.goods.bulk(ApplyBulk([Update(key, values)], atomic=False), NOBODY)
    (outcome,) = done.unwrap().outcomes
    assert outcome is not None
    if answer.status_code == 422:
        # The JSON itself is wrong, and so there are no items.
        return refused_by_http(answer, at), refused(outcome)
    (result,) = answer.json()["results"]
    return told_by_http(result["problem"]["errors"], at), refused(outcome)


async def _import(shop: Shop, values: Mapping[str, Any], body: str) -> tuple[Told, Told]:
    answer = await shop.send("POST", "/goods/import?mode=create", body, "x-ndjson")
    report = (
        await shop.goods.import_(ImportEntities(_lines(values), mode=ImportMode.CREATE), NOBODY)
    ).unwrap()
    ((_, error),) = report.failed
    (failed,) = answer.json()["errors"]
    return told_by_http(failed["problem"]["errors"]), told(error)


FOR_NEW = {"create": _create, "upsert": _upsert, "bulk": _bulk, "import": _import}
FOR_CHANGES = {"replace": _replace, "update": _update, "bulk update": _bulk_update}
WHOLE = {**FOR_NEW, "replace": _replace}
"""Ways on which a bad input may go in."""


def filled(name: str, each: Bad) -> Mapping[str, Any]:
    """Good values, but for those of *each*, for the way called *name*."""
    good = {"sku": uuid.uuid4().hex, "title": "Emma", "price": 3} if name in WHOLE else {}
    return {field: value for field, value in {**good, **each.values}.items() if field not in each.without}


@pytest.mark.parametrize("way", [*FOR_NEW, *FOR_CHANGES])
@pytest.mark.parametrize("each", BAD.values(), ids=BAD)
async def test_a_bad_input_is_refused_alike_over_http_and_from_python(
    shop: Shop, way: str, each: Bad
) -> None:
    values = filled(way, each)

    over_http, from_python = await (FOR_NEW | FOR_CHANGES)[way](shop, values, written(values, each.texts))

    assert over_http == from_python != []


@pytest.mark.parametrize("way", WHOLE)
@pytest.mark.parametrize("each", BAD_NEW.values(), ids=BAD_NEW)
async def test_what_has_to_be_given_is_asked_for_alike(shop: Shop, way: str, each: Bad) -> None:
    values = filled(way, each)

    over_http, from_python = await WHOLE[way](shop, values, written(values, each.texts))

    assert over_http == from_python
    assert {code for _, code, _ in from_python} == {"missing"}


@pytest.mark.parametrize("way", [*FOR_NEW, "replace"])
@pytest.mark.parametrize("each", BAD_OWN.values(), ids=BAD_OWN)
async def test_the_users_own_schemas_hold_at_every_door(own_shop: Shop, way: str, each: Bad) -> None:
    values = filled(way, each)

    over_http, from_python = await WHOLE[way](own_shop, values, written(values, each.texts))

    assert over_http == from_python != []


@pytest.mark.parametrize("each", BAD_ACTIONS.values(), ids=BAD_ACTIONS)
async def test_a_bad_action_is_refused_alike(shop: Shop, each: Bad) -> None:
    key = await shop.key()
    values = {"price": Decimal(1), "reason": "late", **each.values}

    answer = await shop.send("POST", f"/goods/{key}/reprice", written(values, each.texts))
    outcome = await shop.goods.actions["reprice"](PerformAction(key, RepriceGoods(**values)), NOBODY)

    assert refused_by_http(answer) == refused(outcome) != []


async def test_nothing_of_all_that_was_stored(shop: Shop) -> None:
    before = await shop.count()

    for way, send in FOR_NEW.items():
        for each in BAD.values():
            values = filled(way, each)
            _ = await send(shop, values, written(values, each.texts))

    assert await shop.count() == before


@pytest.mark.parametrize("as_text", [False, True], ids=["as a program has them", "as JSON has them"])
async def test_good_values_are_stored_alike_however_they_are_given(shop: Shop, as_text: bool) -> None:
    sent = await shop.send("POST", "/goods", written({"sku": uuid.uuid4().hex, **NATURAL}, {}))
    values = {name: json.loads(text_of(value)) for name, value in NATURAL.items()} if as_text else NATURAL

    made = (await shop.goods.create(CreateEntity({"sku": uuid.uuid4().hex, **values}), NOBODY)).unwrap()

    over_http = (await shop.goods.get(GetEntity(sent.json()["id"]), NOBODY)).unwrap()
    assert {name: made[name] for name in NATURAL} == {name: over_http[name] for name in NATURAL}
    assert {name: type(made[name]) for name in NATURAL} == {
        name: type(value) for name, value in NATURAL.items()
    }


async def test_a_good_action_is_performed_with_the_types_of_its_fields(shop: Shop) -> None:
    key, odd = await shop.key(), "7.25"

    done = await shop.goods.actions["reprice"](PerformAction(key, RepriceGoods(odd, "late")), NOBODY)  # type: ignore[arg-type]

    assert done.unwrap().price == Decimal("7.25")
