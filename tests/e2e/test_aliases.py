"""What callers call a field is one thing at every door; programs go by its name."""

import datetime
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from fastapi_easy.application import (
    NOBODY,
    ApplyBulk,
    Create,
    CreateEntity,
    GetEntity,
    Kernel,
    ListEntities,
    UpdateEntity,
)
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import BadQuery, Fault, Invalid, Json, Operator, Query, Where
from fastapi_easy.settings import Settings
from tests.e2e.aliased_books import Documents, Tables
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names

Answer = httpx2.Response


class Shop:
    """One application, and the books of one test, which all have one mark in their ISBN."""

    def __init__(self, client: httpx2.AsyncClient, kernel: Kernel, document: Any) -> None:
        self.client = client
        self.kernel = kernel
        self.books = kernel.use_cases("books")
        self.document = document
        self.mark = uuid.uuid4().hex[:12]

    def book(self, number: int, **more: Any) -> dict[str, Any]:
        return {
            "isbn13": f"{self.mark}-{number}",
            "titleText": f"Book {number}",
            "unitPrice": f"{number}.50",
            **more,
        }

    async def put(self, *numbers: int, **more: Any) -> list[dict[str, Any]]:
        answers = [await self.client.post("/books", json=self.book(number, **more)) for number in numbers]
        assert {answer.status_code for answer in answers} == {201}, answers[0].text
        return [answer.json() for answer in answers]

    async def found(self, **query: Any) -> Answer:
        return await self.client.get("/books", params={"isbn13__startswith": self.mark, **query})


@pytest.fixture(scope="module", params=store_names("memory", MONGO))
async def application(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx2.AsyncClient, Kernel, Any]]:
    with empty_store(request.param, tmp_path_factory.mktemp("aliases")) as url:
        chosen: Any = Documents if url.startswith("mongodb") else Tables
        container = chosen(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
        app = create_app(container)
        async with client_of(app) as client:
            yield client, container.kernel(), app.openapi()


@pytest.fixture
def shop(application: tuple[httpx2.AsyncClient, Kernel, Any]) -> Shop:
    return Shop(*application)


def faults(answer: Answer) -> list[tuple[str, str, str]]:
    assert answer.status_code in {409, 422}, answer.text
    return [(each["pointer"], each["code"], each["message"]) for each in answer.json()["errors"]]


MEMBERS = ["id", "isbn13", "titleText", "unitPrice", "copiesLeft", "firstPublished", "writerId"]


async def test_bodies_and_answers_call_fields_alike(shop: Shop) -> None:
    (made,) = await shop.put(1, firstPublished="1815-12-23")
    path = f"/books/{made['id']}"

    got = await shop.client.get(path)
    changed = await shop.client.patch(path, json={"copiesLeft": 7})
    replaced = await shop.client.put(path, json=shop.book(1, titleText="Emma"))
    upserted = await shop.client.post("/books/upsert", json=shop.book(1, unitPrice="2.00"))

    assert list(made) == MEMBERS
    assert made == got.json()
    assert changed.json() == {**made, "copiesLeft": 7}
    assert replaced.json() == {**made, "titleText": "Emma", "firstPublished": None}
    assert (upserted.status_code, upserted.json()["unitPrice"]) == (200, "2.00")


async def test_queries_call_them_so_too(shop: Shop) -> None:
    await shop.put(1, 2, 3)

    filtered = await shop.found(unitPrice__lt="3", sort="-titleText")
    chosen = await shop.found(fields="unitPrice,isbn13", sort="unitPrice", limit="1")
    tree = await shop.found(where='{"or": [{"titleText": "Book 1"}, {"copiesLeft__gt": 5}]}')
    searched = await shop.client.post(
        "/books/search",
        json={"where": {"isbn13__startswith": shop.mark}, "sort": "-unitPrice", "fields": ["titleText"]},
    )
    words = await shop.found(q="book 2", fields="titleText")
    numbers = await shop.client.get(
        "/books/aggregate",
        params={"isbn13__startswith": shop.mark, "total": "sum:unitPrice,count", "group_by": "copiesLeft"},
    )

    assert [each["titleText"] for each in filtered.json()["items"]] == ["Book 2", "Book 1"]
    assert chosen.json()["items"] == [{"unitPrice": "1.50", "isbn13": f"{shop.mark}-1"}]
    assert [each["titleText"] for each in tree.json()["items"]] == ["Book 1"]
    assert searched.json()["items"] == [{"titleText": f"Book {number}"} for number in (3, 2, 1)]
    assert words.json()["items"] == [{"titleText": "Book 2"}]
    assert numbers.json()["items"] == [
        {"by": {"copiesLeft": 0}, "totals": {"sum:unitPrice": "7.50", "count": 3}}
    ]


async def test_a_walk_goes_on_by_its_links(shop: Shop) -> None:
    await shop.put(1, 2, 3)

    first = await shop.found(sort="unitPrice", fields="titleText", limit="2")
    rest = await shop.client.get(first.links["next"]["url"])

    assert [each["titleText"] for each in rest.json()["items"]] == ["Book 3"]


async def test_related_entities_are_asked_for_by_what_callers_call_their_fields(shop: Shop) -> None:
    (ada, bob) = [
        (await shop.client.post("/writers", json={"fullName": name})).json() for name in ("Ada", "Bob")
    ]
    await shop.put(1, writerId=ada["id"])
    await shop.put(2, writerId=bob["id"])

    page = await shop.found(
        **{"writer.fullName": "Ada", "include": "writer", "fields": "titleText,writer.fullName"}
    )
    ordered = await shop.found(sort="-writer.fullName", fields="titleText")
    inner = await shop.found(where='{"writer": {"fullName__in": ["Bob"]}}', fields="titleText")

    assert page.json()["items"] == [{"titleText": "Book 1", "writer": {"fullName": "Ada"}}]
    assert [each["titleText"] for each in ordered.json()["items"]] == ["Book 2", "Book 1"]
    assert inner.json()["items"] == [{"titleText": "Book 2"}]


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [
        pytest.param({"unit_price__lt": "3"}, "unitPrice__lt", id="filter"),
        pytest.param({"sort": "-unit_price"}, "-unitPrice", id="sort"),
        pytest.param({"fields": "title_text"}, "titleText", id="fields"),
        pytest.param({"where": '{"title_text": "x"}'}, "titleText", id="where"),
        pytest.param({"sort": "writer.full_name"}, "writer.fullName", id="sort along a relation"),
        pytest.param({"include": "writer", "fields": "writer.full_name"}, "fullName", id="related fields"),
    ],
)
async def test_the_name_inside_is_unknown_in_queries(
    shop: Shop, query: dict[str, str], suggestion: str
) -> None:
    refused = await shop.found(**query)

    assert (refused.status_code, refused.json()["suggestion"]) == (400, suggestion)


async def test_the_names_of_numbers_are_suggested_too(shop: Shop) -> None:
    refused = await shop.client.get("/books/aggregate?total=sum:unit_price")

    assert (refused.status_code, refused.json()["suggestion"]) == (400, "sum:unitPrice")


async def test_faults_lead_to_what_the_caller_wrote(shop: Shop) -> None:
    bad = {"isbn13": 7, "title_text": "x", "unitPrice": "-1", "copies": 1}

    refused = await shop.client.post("/books", json=bad)

    assert faults(refused) == [
        ("/isbn13", "string_type", "Input should be a valid string"),
        ("/titleText", "missing", "Field required"),
        ("/unitPrice", "greater_than_equal", "Input should be greater than or equal to 0"),
        ("/title_text", "extra_forbidden", "Extra inputs are not permitted; did you mean 'titleText'?"),
        ("/copies", "extra_forbidden", "Extra inputs are not permitted"),
    ]


async def test_errors_of_the_store_name_fields_by_their_alias(shop: Shop) -> None:
    first, second = await shop.put(1, 2)

    taken = await shop.client.post("/books", json=shop.book(1))
    moved = await shop.client.patch(f"/books/{second['id']}", json={"isbn13": first["isbn13"]})
    bulk = await shop.client.post("/books/bulk", json={"items": [{"create": shop.book(1)}]})
    unnamed = await shop.client.post("/books/upsert", json={"titleText": "x", "unitPrice": 1})

    assert faults(taken) == faults(moved) == [("/isbn13", "already_exists", "Already taken")]
    assert taken.json()["detail"] == "isbn13 is already taken."
    assert faults(bulk) == [("/items/0/create/isbn13", "already_exists", "Already taken")]
    assert faults(unnamed) == [("/isbn13", "missing", "Field required")]


async def test_bulks_call_them_so(shop: Shop) -> None:
    (made,) = await shop.put(1)

    answer = await shop.client.post(
        "/books/bulk",
        json={
            "items": [
                {"create": shop.book(2)},
                {"update": {"key": made["id"], "set": {"copiesLeft": 3}}},
                {"update": {"where": {"isbn13": f"{shop.mark}-2"}, "set": {"unitPrice": "8.00"}}},
            ]
        },
    )
    refused = await shop.client.post(
        "/books/bulk", json={"items": [{"update": {"key": made["id"], "set": {"copies_left": 3}}}]}
    )

    results = answer.json()["results"]
    assert [each.get("entity", {}).get("copiesLeft") for each in results] == [0, 3, None]
    assert results[2]["affected"] == 1
    assert faults(refused) == [
        (
            "/items/0/update/set/copies_left",
            "extra_forbidden",
            "Extra inputs are not permitted; did you mean 'copiesLeft'?",
        )
    ]


async def test_what_is_exported_can_be_imported(shop: Shop) -> None:
    await shop.put(1, 2)
    query = {
        "isbn13__startswith": shop.mark,
        "sort": "isbn13",
        "fields": "isbn13,titleText,unitPrice,copiesLeft",
    }

    table = (await shop.client.get("/books/export", params={**query, "as": "csv"})).text
    lines = (await shop.client.get("/books/export", params={**query, "as": "ndjson"})).text

    assert table.splitlines() == [
        "isbn13,titleText,unitPrice,copiesLeft",
        f"{shop.mark}-1,Book 1,1.50,0",
        f"{shop.mark}-2,Book 2,2.50,0",
    ]
    for text, kind in ((table, "text/csv"), (lines, "application/x-ndjson")):
        taken = await shop.client.post(
            "/books/import?upsert=true",
            content=text.replace("Book", kind[:4]),
            headers={"content-type": kind},
        )
        assert (taken.status_code, taken.json()["updated"]) == (200, 2), taken.text
        page = await shop.found(sort="isbn13", fields="titleText")
        assert [each["titleText"] for each in page.json()["items"]] == [f"{kind[:4]} 1", f"{kind[:4]} 2"]


async def test_errors_of_imported_lines_name_fields_by_their_alias(shop: Shop) -> None:
    await shop.put(1)
    csv = {"content-type": "text/csv"}

    header = await shop.client.post("/books/import", content="isbn13,title_text\n", headers=csv)
    lines = await shop.client.post(
        "/books/import",
        content=f"isbn13,titleText,unitPrice\n{shop.mark}-1,a,1\nx,,1\ny,b,much\nz,c,-1\n",
        headers=csv,
    )

    assert faults(header) == [
        ("/title_text", "extra_forbidden", "Is not a field that can be written; did you mean 'titleText'?")
    ]
    told = [each["problem"]["errors"][0] for each in lines.json()["errors"]]
    assert [(each["pointer"], each["code"]) for each in told] == [
        ("/isbn13", "already_exists"),
        ("/titleText", "string_too_short"),
        ("/unitPrice", "decimal_parsing"),
        ("/unitPrice", "greater_than_equal"),
    ]


async def test_the_documentation_calls_them_so(shop: Shop) -> None:
    schemas, paths = shop.document["components"]["schemas"], shop.document["paths"]
    read = next(name for name in ("Book", "BookDocument") if name in schemas)
    listed = {each.get("name") for each in paths["/books"]["get"]["parameters"]}
    made = await shop.put(1)

    assert list(schemas[read]["properties"]) == MEMBERS
    assert list(schemas[f"{read}Create"]["properties"]) == MEMBERS[1:]
    assert schemas[f"{read}Create"]["properties"]["copiesLeft"]["default"] == 0
    assert schemas[f"{read}Create"]["required"] == ["isbn13", "titleText", "unitPrice"]
    assert {"unitPrice__lte", "isbn13"} <= listed
    assert {"unitPrice", "writer"} <= set(schemas[f"{read}Filter"]["properties"])
    assert schemas[f"{read}Field"]["enum"] == MEMBERS
    assert "-unitPrice" in schemas[f"{read}Sort"]["enum"]
    assert "unit_price" not in str(shop.document)
    assert "`isbn13`" in paths["/books/upsert"]["post"]["description"]
    validator = jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{read}", "components": shop.document["components"]}
    )
    validator.validate(made[0])
    (example,) = schemas[f"{read}Create"]["examples"]
    assert (await shop.client.post("/books", json={**example, "isbn13": uuid.uuid4().hex})).status_code == 201


async def test_programs_go_by_the_names(shop: Shop) -> None:
    values = {"isbn_13": f"{shop.mark}-1", "title_text": "Emma", "unit_price": Decimal("9.50")}

    made = (await shop.books.create(CreateEntity(values), NOBODY)).unwrap()
    changed = (await shop.books.update(UpdateEntity(made.id, {"copies_left": 2}), NOBODY)).unwrap()
    by_tree = Query(
        specification=Where("isbn_13", Operator.EQUALS, values["isbn_13"]), fields=("title_text",)
    )
    found = await shop.books.list(ListEntities(by_tree), NOBODY)
    called = await shop.kernel.books.list(isbn_13=values["isbn_13"], sort="-unit_price", fields="title_text")

    assert (made.title_text, made.first_published, changed.copies_left) == ("Emma", None, 2)
    assert list(found.unwrap().items) == list(called.unwrap().items) == [{"title_text": "Emma"}]
    assert (await shop.books.get(GetEntity(made.id), NOBODY)).unwrap() == changed


async def test_programs_go_by_the_names_of_related_entities_too(shop: Shop) -> None:
    ada = (await shop.client.post("/writers", json={"fullName": "Ada"})).json()
    (made,) = await shop.put(1, writerId=ada["id"])

    called = await shop.kernel.books.list(
        id=made["id"], sort="writer.full_name", fields="id,writer.full_name"
    )
    misspelt = await shop.kernel.books.list(id=made["id"], fields="writer.fullName")

    assert list(called.unwrap().items) == [{"id": made["id"], "writer": {"full_name": "Ada"}}]
    assert misspelt.failure() == BadQuery("fields", "Unknown field", "full_name")


async def test_python_errors_name_fields_of_the_class(shop: Shop) -> None:
    bad = {"isbn_13": "", "titleText": "x", "unit_price": 1}
    missing = Fault("/title_text", "Field required", "missing")
    short = Fault("/isbn_13", "String should have at least 1 character", "string_too_short")
    strange = Fault(
        "/titleText", "Extra inputs are not permitted; did you mean 'title_text'?", "extra_forbidden"
    )

    alone = await shop.books.create(CreateEntity(bad), NOBODY)
    bulk = await shop.books.bulk(ApplyBulk([Create(bad)]), NOBODY)
    sent = await shop.books.create(CreateEntity(Json(shop.book(1, unitPrice="x"))), NOBODY)

    assert alone.failure() == Invalid((short, missing, strange))
    assert [each.pointer for each in bulk.failure().faults] == [
        f"/items/0/create{each.pointer}" for each in (short, missing, strange)
    ]
    assert [each.pointer for each in sent.failure().faults] == ["/unitPrice"]


async def test_dates_are_dates_by_any_name(shop: Shop) -> None:
    (made,) = await shop.put(1, firstPublished="1815-12-23")

    row = (await shop.books.get(GetEntity(made["id"]), NOBODY)).unwrap()

    assert row.first_published == datetime.date(1815, 12, 23)
