"""Fields that are encrypted at rest, on every store: what callers see, and what is stored."""

import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.composition.secrets.stored_secrets import open_stored_secrets
from fastapi_easy.container import Container
from fastapi_easy.domain.changes.events import EntityCreated, EntityUpdated
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import (
    AlreadyExists,
    BadQuery,
    Forbidden,
    Stale,
    UnreadableEntity,
    Unsupported,
)
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.values.sealed_text import read_sealed
from fastapi_easy.settings import Settings
from tests.e2e.secret_customers import Clients, Customers, NamesOnly, Orders, Patrons, key, settings
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store

IBAN = "DE02 1203 0000 0000 2020 51"
ANN: dict[str, Any] = {
    "name": "Ann",
    "iban": IBAN,
    "notes": "true",
    "profile": {"vip": True, "of": [1, 2.5, None, "é🙂"]},
    "password": "correct horse",
}

PLACES = {
    "memory": ("memory", Patrons),
    "sqlite": ("sqlite", Customers),
    "postgres": ("postgres", Customers),
    "mariadb": ("mariadb", Customers),
    "mongo": ("mongo", Patrons),
    "tortoise": ("sqlite", Clients),
}
"""The store, and the container whose classes are mapped to it."""


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, type[Any]]]:
    store, container = PLACES[request.param]
    with empty_store(store, tmp_path) as url:
        yield url, container


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.sqlite3'}"


def stored_in(shop: Any) -> Any:
    """Return the repository of the store itself."""
    return shop.customers.repository().stored


async def stored_rows(shop: Any) -> list[dict[str, Any]]:
    page = await stored_in(shop).select(Query())
    return [dict(row) for row in page.unwrap().items]


@asynccontextmanager
async def opened(container: type[Any], chosen: Settings) -> AsyncIterator[tuple[Any, Kernel]]:
    shop = container(settings=chosen)
    async with open_kernel(shop) as kernel:
        yield shop, kernel


async def test_callers_see_values_and_the_store_sees_none(place: tuple[str, type[Container]]) -> None:
    url, container = place
    shop: Any = container(settings=settings(url, "a"))
    events: list[Any] = []

    async def note(event: Any) -> None:
        events.append(event)

    _ = shop.event_bus().subscribe(EntityCreated, note)
    _ = shop.event_bus().subscribe(EntityUpdated, note)

    async with client_of(create_app(shop)) as client:
        created = await client.post("/customers", json=ANN)
        ann = created.json()
        path = f"/customers/{ann['id']}"
        again = await client.post("/customers", json={**ANN, "name": "Double"})
        other = (await client.post("/customers", json={"name": "Bob"})).json()
        read = await client.get(path)
        found = await client.get("/customers", params={"iban": IBAN})
        among = await client.get("/customers", params={"iban__in": [IBAN, "x"]})
        without = await client.get("/customers", params={"iban__isnull": "true"})
        different = await client.get("/customers", params={"iban__ne": IBAN})
        patched = await client.patch(path, json={"iban": "FR76"}, headers={"If-Match": read.headers["etag"]})
        outdated = await client.patch(path, json={"notes": "x"}, headers={"If-Match": read.headers["etag"]})
        exported = await client.get("/customers/export")
        bulk = await client.post(
            "/customers/bulk", json={"items": [{"create": {"name": "Cy", "iban": "IT60"}}]}
        )
        rows = await stored_rows(shop)

    assert created.status_code == 201
    assert {name: ann[name] for name in ("iban", "notes", "profile")} == {
        name: ANN[name] for name in ("iban", "notes", "profile")
    }
    assert "password" not in ann
    assert not {name for name in ann if name.endswith("_lookup")}
    assert again.status_code == 409
    assert again.json()["errors"][0]["pointer"] == "/iban"
    assert read.json() == ann
    assert [each["id"] for each in found.json()["items"]] == [ann["id"]]
    assert [each["id"] for each in among.json()["items"]] == [ann["id"]]
    assert [each["id"] for each in without.json()["items"]] == [other["id"]]
    assert [each["id"] for each in different.json()["items"]] == [other["id"]]
    assert patched.status_code == 200
    assert patched.json()["iban"] == "FR76"
    assert outdated.status_code == 412
    assert [json.loads(line)["iban"] for line in exported.text.splitlines()] == ["FR76", None]
    assert bulk.status_code == 200
    by_name = {row["name"]: row for row in rows}
    assert {read_sealed(row["notes"]).key_id for row in rows} == {"a"}  # type: ignore[union-attr]
    assert by_name["Bob"]["iban"] is None
    assert by_name["Bob"]["iban_lookup"] is None
    assert read_sealed(by_name["Cy"]["iban"]) is not None
    assert by_name["Ann"]["password"].startswith("$argon2id$")
    told = json.dumps([repr(row) for row in rows]) + repr(events)
    assert not [text for text in (IBAN, "FR76", "correct horse", "vip") if text in told]
    assert [set(event.values) for event in events if event.values["name"] == "Ann"] == [
        {"id", "name"} | extra(ann)
    ] * 2


def extra(row: dict[str, Any]) -> set[str]:
    """Return the fields of *row* that are neither secret nor those of every class here."""
    return set(row) - {"id", "name", "iban", "notes", "profile", "salary", "born"}


async def test_a_rotation_leaves_nothing_with_the_old_key_and_keeps_lookups_unique(
    place: tuple[str, type[Container]],
) -> None:
    url, container = place
    if url == "memory://":
        pytest.skip("a database in memory does not outlive its container")
    async with opened(container, settings(url, "a")) as (_, kernel):
        _ = (await kernel.customers.create(**ANN)).unwrap()
        _ = (await kernel.customers.create(name="Bob", iban="FR76")).unwrap()

    async with opened(container, settings(url, "a", "b", current="b")) as (shop, kernel):
        taken = await kernel.customers.create(name="Eve", iban=IBAN)
        found = (await kernel.customers.list(iban=IBAN)).unwrap().items
        changed = await kernel.customers.update(found[0]["id"], {"iban": IBAN})
        _ = (await kernel.customers.update(found[0]["id"], {"iban": "IT60"})).unwrap()
        _ = (await kernel.customers.update(found[0]["id"], {"iban": IBAN})).unwrap()
        async with open_stored_secrets(shop, "customers") as (secrets,):
            before = {use.field: dict(use.values) for use in (await secrets.count()).unwrap()}
            dry = (await secrets.rotate(lambda _: None, is_dry_run=True)).unwrap()
            done = (await secrets.rotate(lambda _: None)).unwrap()
            again = (await secrets.rotate(lambda _: None)).unwrap()
            after = {use.field: dict(use.values) for use in (await secrets.count()).unwrap()}

    async with opened(container, settings(url, "b")) as (_, kernel):
        rest = (await kernel.customers.list(iban=IBAN)).unwrap().items

    assert taken == Failure(AlreadyExists("customers", ("iban",)))
    assert isinstance(changed, Success)
    assert before["iban"] == {"a": 1, "b": 1}
    assert (dry.examined, dry.changed) == (done.examined, done.changed) == (2, 2)
    assert again.changed == 0
    assert after["iban"] == {"b": 2}
    assert after["profile"] == {"b": 1}
    assert [(row["name"], row["profile"]) for row in rest] == [("Ann", ANN["profile"])]


async def test_what_is_no_text_comes_back_with_its_type_from_stores_of_documents(
    mongo_or_memory: str,
) -> None:
    values = {"name": "Ann", "salary": Decimal("1234.50"), "born": date(1990, 2, 28)}

    async with opened(Patrons, settings(mongo_or_memory, "a")) as (shop, kernel):
        created = (await kernel.customers.create(**values)).unwrap()
        row = (await kernel.customers.get(created["id"])).unwrap()
        stored = await stored_rows(shop)

    assert {name: row[name] for name in values} == values
    assert read_sealed(stored[0]["salary"]) is not None
    assert read_sealed(stored[0]["born"]) is not None


@pytest.fixture(params=["memory", "mongo"])
def mongo_or_memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


async def test_what_was_tampered_with_moved_or_is_plain_is_a_problem_and_never_shown(
    sqlite: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (shop, kernel):
        keys = [(await kernel.customers.create({**ANN, "iban": f"DE{n}"})).unwrap()["id"] for n in range(4)]
        rows = {row["id"]: row for row in await stored_rows(shop)}
        broken = rows[keys[0]]["notes"]
        # In the middle: the last digit of base64 may have bits that mean nothing.
        middle = len(broken) // 2
        other = "A" if broken[middle] != "A" else "B"
        stored = stored_in(shop)
        for place, change in (
            (keys[0], {"notes": broken[:middle] + other + broken[middle + 1 :]}),
            (keys[1], {"notes": rows[keys[1]]["iban"]}),
            (keys[2], {"notes": "written by hand"}),
        ):
            _ = (await stored.update(place, Patch(change))).unwrap()
        caplog.set_level(logging.DEBUG)
        read = [await kernel.customers.get(each) for each in keys]
        page = (await kernel.customers.list(sort="id")).unwrap()
        async with client_of(create_app(shop)) as client:
            answered = await client.get(f"/customers/{keys[2]}")

    assert [each.failure() for each in read[:3]] == [
        UnreadableEntity("customers", each, ("notes",)) for each in keys[:3]
    ]
    assert read[3].unwrap()["notes"] == "true"
    assert [row["id"] for row in page.items] == [keys[3]]
    assert [problem.key for problem in page.problems] == keys[:3]
    assert answered.status_code < 600
    assert answered.json()["code"] == "unreadable_entity"
    assert "written by hand" not in answered.text
    logged = caplog.text
    assert "customers.notes" in logged
    assert not [text for text in (key("a"), "written by hand", "DE0") if text in logged]


async def test_a_key_that_is_gone_is_named_in_the_log_and_its_values_are_kept(
    sqlite: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(Customers, settings(sqlite, "old")) as (_, kernel):
        ann = (await kernel.customers.create(ANN)).unwrap()

    async with opened(Customers, settings(sqlite, "new")) as (shop, kernel):
        read = await kernel.customers.get(ann["id"])
        renamed = await kernel.customers.update(ann["id"], {"name": "Anna"})
        async with shop.unit_of_work() as work:
            entities = work.entities("customers")
            entity = (await entities.find_by_id(ann["id"])).unwrap()
            entity.name = "Annie"
            saved = await entities.save(entity)
            _ = (await work.commit()).unwrap()
        async with open_stored_secrets(shop) as (secrets,):
            done = (await secrets.rotate(lambda _: None)).unwrap()

    async with opened(Customers, settings(sqlite, "old", "new")) as (_, kernel):
        found = (await kernel.customers.get(ann["id"])).unwrap()
        verified = (await kernel.customers.verify_password({"id": ann["id"]}, "correct horse")).unwrap()

    assert isinstance(read.failure(), UnreadableEntity)
    assert "'old'" in caplog.text
    assert isinstance(renamed, Success)
    assert isinstance(saved, Success)
    assert (done.changed, done.unreadable) == (0, 1)
    assert {name: found[name] for name in ("name", "iban", "profile")} == {
        "name": "Annie",
        "iban": IBAN,
        "profile": ANN["profile"],
    }
    assert verified is not None


async def test_plain_values_are_encrypted_by_a_rotation_that_goes_on_after_a_kill(sqlite: str) -> None:
    chosen = settings(sqlite, "a", read_plaintext=True)
    async with opened(Customers, chosen) as (shop, kernel):
        for number in range(5):
            _ = (
                await stored_in(shop).add(
                    {"name": f"n{number}", "iban": f"DE{number}", "notes": "by hand", "profile": {"a": 1}}
                )
            ).unwrap()
        plain = (await kernel.customers.list()).unwrap().items
        unfound = (await kernel.customers.list(iban="DE3")).unwrap().items
        async with open_stored_secrets(shop) as (secrets,):
            secrets._batch = 2

            def kill(_: object) -> None:
                raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                await secrets.rotate(kill)
            counted = (await secrets.count()).unwrap()
            done = (await secrets.rotate(lambda _: None)).unwrap()
        found = (await kernel.customers.list(iban="DE3")).unwrap().items

    async with opened(Customers, settings(sqlite, "a")) as (_, kernel):
        rows = (await kernel.customers.list(sort="id")).unwrap().items

    assert [row["iban"] for row in plain] == [f"DE{number}" for number in range(5)]
    assert unfound == []
    assert {use.field: dict(use.values) for use in counted}["notes"] == {"a": 2, "plaintext": 3}
    assert (done.examined, done.changed) == (5, 3)
    assert [row["name"] for row in found] == ["n3"]
    assert [(row["notes"], row["profile"]) for row in rows] == [("by hand", {"a": 1})] * 5


async def test_a_rotation_does_not_undo_what_others_change_meanwhile(sqlite: str) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (_, kernel):
        keys = [(await kernel.customers.create(name=f"n{n}", notes="old")).unwrap()["id"] for n in range(3)]

    async with opened(Customers, settings(sqlite, "a", "b", current="b")) as (shop, kernel):
        stored = stored_in(shop)
        read_before = (await stored.select(Query())).unwrap().items
        _ = (await kernel.customers.update(keys[1], {"notes": "new"})).unwrap()
        _ = (await kernel.customers.delete(keys[2])).unwrap()
        async with open_stored_secrets(shop) as (secrets,):
            for row in read_before:
                _ = (await secrets._renew(row, is_dry_run=False)).unwrap()
        rows = (await kernel.customers.list(sort="id")).unwrap().items

    assert [(row["id"], row["notes"]) for row in rows] == [(keys[0], "old"), (keys[1], "new")]


async def test_what_needs_the_value_itself_is_not_offered(sqlite: str) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (shop, kernel):
        document = create_app(shop).openapi()
        answers = [
            await kernel.customers.list(sort="iban"),
            await kernel.customers.list(iban__contains="DE"),
            await kernel.customers.list(iban__gt="DE"),
            await kernel.customers.list(notes="x"),
            await kernel.customers.list(iban_lookup="x"),
            await kernel.customers.list({"password": "x"}),
            await kernel.customers.aggregate(group_by="iban"),
        ]
        compared = await shop.customers.repository().count(Where("notes", Operator.EQUALS, "x"))

    assert [type(each.failure()) for each in answers] == [BadQuery] * len(answers)
    assert isinstance(compared.failure(), Unsupported)
    text = json.dumps(document)
    assert "iban__in" in text
    assert not [word for word in ("iban__gt", "notes__", "_lookup", "sum:iban") if word in text]
    schemas = document["components"]["schemas"]
    assert "password" not in schemas["Customer"]["properties"]
    assert schemas["CustomerCreate"]["properties"]["password"]["anyOf"][0] == {
        "type": "string",
        "minLength": 8,
        "maxLength": 128,
    }


async def test_the_version_of_an_entity_says_nothing_about_its_secrets(sqlite: str) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (shop, kernel):
        resource = shop.customers.resource()
        one = (await kernel.customers.create(name="Ann", notes="1234")).unwrap()
        version = resource.version_of(one)
        same = (
            await kernel.customers.update(one["id"], {"notes": "1234"}, expected_version=version)
        ).unwrap()
        stale = await kernel.customers.update(one["id"], {"notes": "x"}, expected_version=version)
        read = (await kernel.customers.get(one["id"])).unwrap()

    assert resource.version_of(same) != version
    assert isinstance(stale.failure(), Stale)
    assert resource.version_of(read) == resource.version_of(same)


async def test_the_file_of_the_database_holds_no_plain_value(sqlite: str) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (_, kernel):
        _ = (await kernel.customers.create(ANN)).unwrap()

    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
        rows = repr(connection.execute("SELECT * FROM secret_customers").fetchall())
    connection.close()

    assert "Ann" in rows
    assert not [text for text in (IBAN, "correct horse", "vip", "true") if text in rows]


async def test_a_merge_reaches_into_an_encrypted_document(sqlite: str) -> None:
    async with opened(Customers, settings(sqlite, "a")) as (shop, _), client_of(create_app(shop)) as client:
        ann = (await client.post("/customers", json=ANN)).json()
        merged = await client.patch(
            f"/customers/{ann['id']}",
            json={"profile": {"vip": None, "since": 2020}},
            headers={"Content-Type": "application/merge-patch+json"},
        )

    assert merged.json()["profile"] == {"of": [1, 2.5, None, "é🙂"], "since": 2020}


async def test_a_filter_along_a_relation_finds_by_the_keyed_hash(sqlite: str) -> None:
    async with opened(Orders, settings(sqlite, "a")) as (_, kernel):
        ann = (await kernel.customers.create(name="Ann", iban=IBAN)).unwrap()
        _ = (await kernel.orders.create(customer_id=ann["id"])).unwrap()
        found = (await kernel.orders.list({"customer.iban": IBAN}, include="customer")).unwrap().items
        other = (await kernel.orders.list({"customer.iban": "DE"})).unwrap().items

    assert [row["customer"]["iban"] for row in found] == [IBAN]
    assert other == []


async def test_an_upsert_finds_its_entity_by_a_secret_field(sqlite: str) -> None:
    async with opened(Orders, settings(sqlite, "a")) as (_, kernel):
        first = (await kernel.customers.upsert(name="Ann", iban=IBAN)).unwrap()
        second = (await kernel.customers.upsert(name="Anna", iban=IBAN)).unwrap()

    assert (first.created, second.created) == (True, False)
    assert second.row["name"] == "Anna"


async def test_whoever_may_not_read_a_secret_field_may_neither_see_nor_compare_it(sqlite: str) -> None:
    shop = Customers(settings=settings(sqlite, "a"), policy=NamesOnly())
    async with open_kernel(shop) as kernel:
        created = (await kernel.customers.create(ANN)).unwrap()
        read = (await kernel.customers.get(created["id"])).unwrap()
        compared = await kernel.customers.list(iban=IBAN)

    assert set(read) == {"id", "name"}
    assert compared == Failure(Forbidden("customers", "list", "iban"))
