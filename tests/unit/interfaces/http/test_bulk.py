"""Many changes in one call."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from tests.unit.interfaces.http.shop import Bench, bench


@pytest.fixture
async def shop() -> AsyncIterator[Bench]:
    async with bench() as opened:
        for isbn in "ab":
            await opened.put("books", isbn=isbn, title="T", copies=1)
        _ = opened.published()
        yield opened


def book(isbn: str, **more: Any) -> dict[str, Any]:
    return {"isbn": isbn, "title": "T", **more}


def statuses(answer: httpx2.Response) -> list[int]:
    return [each["status"] for each in answer.json()["results"]]


def faults(answer: httpx2.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert {each["in"] for each in answer.json()["errors"]} == {"body"}
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


async def test_every_kind_of_item_is_answered_in_order(shop: Bench) -> None:
    answer = await shop.bulk(
        {"create": book("c")},
        {"upsert": book("c", copies=5)},
        {"upsert": book("d")},
        {"update": {"key": 1, "set": {"title": "New"}, "if_match": '"1"'}},
        {"update": {"where": {"copies__lt": 5}, "set": {"copies": 6}, "max_affected": 3}},
        {"delete": {"key": 2}},
        {"delete": {"where": {"isbn": "d"}}},
    )

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert statuses(answer) == [201, 200, 201, 200, 200, 204, 200]
    assert [each.get("key") for each in results] == [3, 3, 4, 1, None, 2, None]
    assert [each.get("etag") for each in results] == ['"1"', '"2"', '"1"', '"2"', None, None, None]
    assert [each.get("affected") for each in results] == [None, None, None, None, 3, None, 1]
    assert results[0]["entity"] | {"copies": 5, "version": 2} == results[1]["entity"]
    assert results[3]["entity"]["title"] == "New"
    assert await shop.isbns() == ["a", "c"]
    assert shop.published() == [
        *("books.created", "books.updated", "books.created", "books.updated"),
        *("books.updated", "books.updated", "books.updated", "books.deleted", "books.deleted"),
    ]


async def test_one_failure_undoes_an_atomic_call(shop: Bench) -> None:
    refused = await shop.bulk({"create": book("c")}, {"create": book("a")}, {"delete": {"key": 1}})

    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["item"]) == (409, "already_exists", 1)
    assert refused.headers["content-type"] == "application/problem+json"
    assert [each["pointer"] for each in problem["errors"]] == ["/items/1/create/isbn"]
    assert statuses(refused) == [424, 409, 424]
    assert problem["results"][1]["problem"]["errors"] == problem["errors"]
    assert await shop.isbns() == ["a", "b"]
    assert shop.published() == []


async def test_each_item_stands_alone_where_that_is_asked_for(shop: Bench) -> None:
    answer = await shop.bulk(
        {"create": book("c")},
        {"create": book("a")},
        {"create": {"isbn": 7}},
        {"delete": {"key": 99}},
        {"update": {"key": 1, "set": {}, "if_match": "9"}},
        {"delete": {"key": 1}},
        atomic=False,
    )

    assert (answer.status_code, statuses(answer)) == (207, [201, 409, 422, 404, 412, 204])
    problems = [each.get("problem") for each in answer.json()["results"]]
    assert problems[4]["current_version"] == "1"
    assert {each["pointer"] for each in problems[2]["errors"]} == {
        *("/items/2/create/isbn", "/items/2/create/title"),
    }
    assert await shop.isbns() == ["b", "c"]


@pytest.mark.parametrize(
    ("item", "status", "pointer"),
    [
        pytest.param({"update": {"key": 9, "set": {}}}, 404, None, id="not there"),
        pytest.param(
            {"update": {"key": 1, "set": {"isbn": "b"}}}, 409, "/items/0/update/set/isbn", id="taken"
        ),
        pytest.param({"update": {"key": 1, "set": {}, "if_match": '"5"'}}, 412, None, id="another version"),
        pytest.param({"delete": {"key": 1, "if_match": '"5"'}}, 412, None, id="delete another version"),
        pytest.param(
            {"delete": {"where": {"copies": 1}, "max_affected": 1}}, 413, None, id="more than expected"
        ),
    ],
)
async def test_an_item_fails_like_the_change_alone(
    shop: Bench, item: Any, status: int, pointer: str | None
) -> None:
    refused = await shop.bulk(item)

    assert (refused.status_code, refused.json()["item"]) == (status, 0)
    assert [each["pointer"] for each in refused.json()["errors"]] == ([pointer] if pointer else [])
    assert "etag" not in refused.headers
    assert await shop.isbns() == ["a", "b"]


BAD_ITEMS = {
    "no object": (7, {("", "item_type")}),
    "empty": ({}, {("", "item_type")}),
    "two members": ({"create": {}, "delete": {}}, {("", "item_type")}),
    "unknown": ({"destroy": {}}, {("", "item_type")}),
    "invalid values": (
        {"create": {"isbn": 1, "nope": 2}},
        {("/create/isbn", "string_type"), ("/create/title", "missing"), ("/create/nope", "extra_forbidden")},
    ),
    "what the store keeps": (
        {"update": {"key": 1, "set": {"version": 4}}},
        {("/update/set/version", "extra_forbidden")},
    ),
    "no values": ({"create": None}, {("/create", "dict_type")}),
    "nothing to set": ({"update": {"key": 1}}, {("/update/set", "missing")}),
    "neither key nor where": ({"update": {"set": {}}}, {("/update", "item_type")}),
    "both key and where": ({"delete": {"key": 1, "where": {"id": 1}}}, {("/delete", "item_type")}),
    "a key of another type": ({"delete": {"key": "1"}}, {("/delete/key", "integer_type")}),
    "a key out of range": ({"delete": {"key": 2**70}}, {("/delete/key", "out_of_range")}),
    "no key": ({"delete": {"key": None}}, {("/delete/key", "integer_type")}),
    "any version": ({"delete": {"key": 1, "if_match": "*"}}, {("/delete/if_match", "etag")}),
    "a weak version": ({"delete": {"key": 1, "if_match": 'W/"1"'}}, {("/delete/if_match", "etag")}),
    "two versions": ({"delete": {"key": 1, "if_match": '"1", "2"'}}, {("/delete/if_match", "etag")}),
    "no text as version": ({"delete": {"key": 1, "if_match": 1}}, {("/delete/if_match", "etag")}),
    "strange text": ({"delete": {"key": 1, "if_match": "é"}}, {("/delete/if_match", "etag")}),
    "a foreign member": (
        {"delete": {"key": 1, "max_affected": 1, "a/b~": 1}},
        {("/delete/max_affected", "extra_forbidden"), ("/delete/a~1b~0", "extra_forbidden")},
    ),
    "everything": ({"delete": {"where": {}}}, {("/delete/where", "unfiltered")}),
    "everything, in a roundabout way": (
        {"delete": {"where": {"or": [{"id": 1}, {"not": {"or": []}}]}}},
        {("/delete/where", "unfiltered")},
    ),
    "an unknown condition": ({"delete": {"where": {"titel": "x"}}}, {("/delete/where", "bad_query")}),
    "a wrong value in a condition": (
        {"update": {"where": {"or": [{"copies": "x"}]}, "set": {}}},
        {("/update/where/or/0/copies", "integer_type")},
    ),
    "no limit": (
        {"delete": {"where": {"id": 1}, "max_affected": 0}},
        {("/delete/max_affected", "out_of_range")},
    ),
    "too high a limit": (
        {"delete": {"where": {"id": 1}, "max_affected": 1001}},
        {("/delete/max_affected", "out_of_range")},
    ),
    "a limit of another type": (
        {"delete": {"where": {"id": 1}, "max_affected": True}},
        {("/delete/max_affected", "int_type")},
    ),
}

BEYOND_SCHEMAS = {
    "everything",
    "any version",
    "a weak version",
    "two versions",
    "strange text",
    "a key out of range",
    "everything, in a roundabout way",
    "an unknown condition",
}
"""What the schema does not say: because none can, or because it would be long."""


@pytest.mark.parametrize(("item", "expected"), BAD_ITEMS.values(), ids=BAD_ITEMS)
async def test_a_bad_item_is_422_and_nothing_is_done(
    shop: Bench, item: Any, expected: set[tuple[str, str]]
) -> None:
    refused = await shop.bulk({"create": book("c")}, item)
    alone = await shop.bulk({"create": book("c")}, item, atomic=False)

    assert faults(refused) == {(f"/items/1{pointer}", code) for pointer, code in expected}
    assert statuses(alone) == [201, 422]
    assert alone.json()["results"][1]["problem"]["errors"] == refused.json()["errors"]


async def test_all_bad_items_are_told_of_at_once(shop: Bench) -> None:
    refused = await shop.bulk(*(item for item, _ in BAD_ITEMS.values()))

    told = {pointer.split("/")[2] for pointer, _ in faults(refused)}
    assert told == {str(number) for number in range(len(BAD_ITEMS))}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], {("", "object_type")}),
        ({}, {("/items", "missing")}),
        ({"items": {}}, {("/items", "list_type")}),
        ({"items": [], "atomic": 1}, {("/atomic", "bool_type")}),
        ({"items": [], "atomik": True}, {("/atomik", "extra_forbidden")}),
    ],
    ids=lambda each: str(each) if not isinstance(each, set) else "",
)
async def test_a_bad_document_is_422(shop: Bench, document: Any, expected: set[tuple[str, str]]) -> None:
    refused = await shop.client.post("/books/bulk", json=document)

    assert faults(refused) == expected


async def test_nothing_to_do_is_done(shop: Bench) -> None:
    for atomic in (True, False):
        answer = await shop.bulk(atomic=atomic)
        assert (answer.status_code, answer.json()) == (200, {"results": []})


async def test_the_limits_are_settings_and_named() -> None:
    async with bench(bulk_limit=2, max_affected=5) as shop:
        refused = await shop.bulk(*[{"create": book(isbn)} for isbn in "abc"])
        many = await shop.bulk({"delete": {"where": {"isbn": "a"}, "max_affected": 6}})

    assert (refused.status_code, refused.json()["limit"]) == (413, 2)
    assert many.json()["errors"][0]["message"] == "Must be between 1 and 5"


async def test_the_answer_can_do_without_entities(shop: Bench) -> None:
    answer = await shop.bulk({"create": book("c")}, headers={"Prefer": "return=minimal"})

    assert answer.json() == {"results": [{"status": 201, "key": 3, "etag": '"1"'}]}
    assert answer.headers["preference-applied"] == "return=minimal"


async def test_a_key_of_several_fields_is_a_list(shop: Bench) -> None:
    shelf = {"room": "north", "number": 7}

    answer = await shop.bulk(
        {"create": shelf}, {"update": {"key": ["north", 7], "set": {"label": "x"}}}, path="/shelves/bulk"
    )
    wrong = await shop.bulk(
        *({"update": {"key": key, "set": {}}} for key in ("north,7", ["north"], ["north", "7"])),
        path="/shelves/bulk",
    )

    assert [each["key"] for each in answer.json()["results"]] == [["north", 7], ["north", 7]]
    assert answer.json()["results"][1]["entity"] == {**shelf, "label": "x"}
    assert faults(wrong) == {
        ("/items/0/update/key", "key_parts"),
        ("/items/1/update/key", "key_parts"),
        ("/items/2/update/key/1", "integer_type"),
    }


async def test_only_what_the_resource_offers_can_be_asked_for(shop: Bench) -> None:
    refused = await shop.bulk(
        {"delete": {"key": ["north", 7]}}, {"upsert": {"room": "north", "number": 7}}, path="/shelves/bulk"
    )

    assert {each["message"] for each in refused.json()["errors"]} == {
        "Must have one member of create, update"
    }
    schemas = shop.app.openapi()["components"]["schemas"]
    assert set(schemas["ShelfBulkItem"]["properties"]) == {"create", "update"}


async def test_a_required_version_is_required_of_every_item(shop: Bench) -> None:
    await shop.put("reviews", book_id=1, stars=1)

    silent = await shop.bulk({"update": {"key": 1, "set": {"stars": 2}}}, path="/reviews/bulk")
    tag = (await shop.client.get("/reviews/1")).headers["etag"]
    told = await shop.bulk({"update": {"key": 1, "set": {"stars": 2}, "if_match": tag}}, path="/reviews/bulk")

    assert (silent.status_code, silent.json()["code"]) == (428, "precondition_required")
    assert told.json()["results"][0]["entity"]["stars"] == 2


async def test_a_condition_may_ask_about_relations(shop: Bench) -> None:
    await shop.put("reviews", book_id=1, stars=1)

    answer = await shop.bulk({"delete": {"where": {"reviews__isnull": True}}})

    assert answer.json()["results"] == [{"status": 200, "affected": 1}]
    assert await shop.isbns() == ["a"]


async def test_a_bulk_is_read_like_every_body(shop: Bench) -> None:
    twice = b'{"items": [{"create": {"isbn": "c", "isbn": "d", "title": "T"}}]}'
    repeated = await shop.client.post(
        "/books/bulk", content=twice, headers={"Content-Type": "application/json"}
    )
    query = await shop.client.post("/books/bulk?atomic=false", json={"items": []})

    assert faults(repeated) == {("/items/0/create/isbn", "duplicate_name")}
    assert (query.status_code, query.json()["code"]) == (400, "bad_query")


def validator(shop: Bench, name: str) -> jsonschema_rs.Validator:
    components = shop.app.openapi()["components"]
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": components}
    )


def test_the_document_tells_good_items_from_bad_ones(shop: Bench) -> None:
    schema = validator(shop, "BookBulk")

    assert schema.is_valid(
        {
            "items": [
                {"create": book("c")},
                {"upsert": book("c")},
                {"update": {"key": 1, "set": {"title": "x"}, "if_match": '"1"'}},
                {"update": {"where": {"copies__lt": 5}, "set": {}, "max_affected": 1000}},
                {"delete": {"key": 1}},
                {"delete": {"where": {"isbn": "c"}}},
            ],
            "atomic": False,
        }
    )
    told_apart = {name for name, (item, _) in BAD_ITEMS.items() if not schema.is_valid({"items": [item]})}
    assert told_apart == BAD_ITEMS.keys() - BEYOND_SCHEMAS
    assert validator(shop, "ShelfBulk").is_valid(
        {"items": [{"update": {"key": ["north", 7], "set": {"label": "x"}}}]}
    )


async def test_the_results_are_as_documented(shop: Bench) -> None:
    schema = validator(shop, "BookBulkResults")
    answer = await shop.bulk(
        {"create": book("c")}, {"create": book("a")}, {"delete": {"where": {"id": 1}}}, atomic=False
    )

    schema.validate(answer.json())
    assert not schema.is_valid({"results": [{"status": 201, "entity": {}}]})
