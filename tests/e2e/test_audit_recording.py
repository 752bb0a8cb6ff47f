"""What the audit trail says of changes, reads and people."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from returns.result import Failure

from fastapi_easy.application.changes.items import Create, DeleteWhere, UpdateWhere
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Patch, Unavailable
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.recording import Audit
from fastapi_easy.settings import Settings
from fastapi_easy.testing import RecordingAuditSink, in_memory
from tests.e2e.audited_shop import ADA, PlainShop, SqlGood, audited_shop, entries_of
from tests.e2e.stores import EVERY_STORE, MONGO


def told(entries: Any) -> list[tuple[object, ...]]:
    return [(each.action, each.resource, each.key, dict(each.changes)) for each in entries]


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_every_change_is_recorded_with_what_was_there_before_and_after(
    store: str, tmp_path: Path
) -> None:
    async with audited_shop(store, tmp_path) as (shop, kernel):
        goods = kernel.goods
        (await goods.create(id=1, name="pen", price="2.00", pin="1234")).unwrap()
        (await goods.update(1, price="3.00")).unwrap()
        (await goods.update(1, pin="4321")).unwrap()
        (await goods.delete(1)).unwrap()
        (await goods.restore(1)).unwrap()
        (await goods.delete(1)).unwrap()
        (await goods.purge(1)).unwrap()
        entries = await entries_of(shop)

    whole = {"name": ["pen", None], "price": ["3.00", None]}
    assert told(entries) == [
        ("create", "goods", 1, {"name": [None, "pen"], "price": [None, "2.00"]}),
        ("update", "goods", 1, {"price": ["2.00", "3.00"]}),
        ("update", "goods", 1, {}),
        ("delete", "goods", 1, whole),
        ("restore", "goods", 1, {"name": [None, "pen"], "price": [None, "3.00"]}),
        ("delete", "goods", 1, whole),
        ("purge", "goods", 1, whole),
    ]
    assert {(each.actor, each.correlation_id, each.outcome, each.by_system) for each in entries} == {
        ("ada", "call-1", "ok", False)
    }
    assert len({each.stream for each in entries}) == 1


async def test_what_is_done_to_many_at_once_is_recorded_one_by_one(tmp_path: Path) -> None:
    async with audited_shop("sqlite", tmp_path) as (shop, kernel):
        made = [Create({"id": number, "name": "pen", "price": "1.00"}) for number in (1, 2)]
        assert (await kernel.goods.bulk(made)).unwrap().applied
        (await kernel.goods.reduce(2, to="0.50")).unwrap()
        entries = await entries_of(shop)

    # Of one moment, in two chains.
    assert {(each.action, each.resource, each.key, each.by_system) for each in entries} == {
        ("create", "goods", 1, False),
        ("create", "goods", 2, False),
        ("create", "notes", 2, True),
        ("update", "goods", 2, False),
    }


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_what_is_changed_by_a_condition_is_recorded_of_each(store: str, tmp_path: Path) -> None:
    async with audited_shop(store, tmp_path) as (shop, kernel):
        for number, price in ((1, "1.00"), (2, "2.00"), (3, "9.00")):
            (await kernel.goods.create(id=number, name="pen", price=price)).unwrap()
        cheap = Where("price", Operator.LESS, Decimal(5))
        changed = await kernel.goods.bulk([UpdateWhere(cheap, Patch({"price": Decimal(4)}), max_affected=5)])
        removed = await kernel.goods.bulk([DeleteWhere(cheap, max_affected=5)])
        assert changed.unwrap().applied
        assert removed.unwrap().applied
        entries = await entries_of(shop)

    gone = {"name": ["pen", None], "price": ["4.00", None]}
    assert sorted(told(entries)[3:], key=lambda each: (each[0] != "update", each[2])) == [
        ("update", "goods", 1, {"price": ["1.00", "4.00"]}),
        ("update", "goods", 2, {"price": ["2.00", "4.00"]}),
        ("delete", "goods", 1, gone),
        ("delete", "goods", 2, gone),
    ]


async def test_nothing_is_recorded_of_what_was_not_done(tmp_path: Path) -> None:
    async with audited_shop("sqlite", tmp_path) as (shop, kernel):
        (await kernel.notes.create(id=1, text="one")).unwrap()
        assert isinstance(await kernel.notes.create(id=1, text="again"), Failure)
        async with shop.unit_of_work(ADA) as work:
            _ = await work.repository("notes").update(1, Patch({"text": "two"}))

        assert told(await entries_of(shop)) == [
            ("create", "notes", 1, {"id": [None, 1], "text": [None, "one"]})
        ]


async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    async with audited_shop("sqlite", tmp_path) as (shop, kernel):
        (await kernel.notes.create(id=1, text="one")).unwrap()
        sink = RecordingAuditSink.of(shop.audit_trail())

        async def refuse(*_: object) -> object:
            return Failure(Unavailable("default"))

        sink.append_in = refuse  # type: ignore[method-assign]
        refused = await kernel.notes.update(1, text="two")

        assert refused == Failure(Unavailable("default"))
        assert (await kernel.notes.get(1)).unwrap()["text"] == "one"


async def test_a_value_that_is_too_large_is_recorded_as_its_digest(tmp_path: Path) -> None:
    shop = in_memory(PlainShop)
    recorded = RecordingAuditSink.of(shop.audit_trail())
    async with open_kernel(shop) as kernel:
        (await kernel.notes.create(id=1, text="x" * 70_000)).unwrap()

    (entry,) = recorded.entries
    assert entry.changes["id"] == [None, 1]
    before, after = entry.changes["text"]
    assert before is None
    assert after["$length"] == 70_002
    assert len(after["$sha256"]) == 64


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_what_is_recorded_of_people_ends_with_their_key(store: str, tmp_path: Path) -> None:
    async with audited_shop(store, tmp_path) as (shop, kernel):
        people, trail = kernel.people, shop.audit_trail()
        (await people.create(id=1, email="eve@example.org", city="Ulm")).unwrap()
        (await people.create(id=2, email="bob@example.org", city="Bonn")).unwrap()
        (await people.update(1, email="eve@example.net")).unwrap()

        stored = await entries_of(shop)
        assert "example" not in json.dumps([dict(each.changes) for each in stored])
        readable = (await trail.reveal(stored, "default")).unwrap()
        assert [each.changes.get("email") for each in readable] == [
            [None, "eve@example.org"],
            [None, "bob@example.org"],
            ["eve@example.org", "eve@example.net"],
        ]

        assert (await trail.erase("people/1", actor="dpo", reason="asked for it")).unwrap() is True
        assert (await trail.erase("people/3")).unwrap() is False
        (await people.update(1, email="new@example.org", city="Köln")).unwrap()

        readable = (await trail.reveal(await entries_of(shop), "default")).unwrap()
        erased = {"erased": True}
        assert [each.changes.get("email") for each in readable if each.resource == "people"] == [
            [None, erased],
            [None, "bob@example.org"],
            [erased, erased],
            [erased, erased],
        ]
        assert readable[-1].changes["city"] == ["Ulm", "Köln"]
        (_, told_of_erasure) = sorted(
            (each for each in readable if each.action == "audit.subject.erased"), key=lambda each: each.actor
        )
        assert told_of_erasure.actor == "dpo"
        assert told_of_erasure.changes["reason"] == "asked for it"


async def test_reads_are_recorded_where_that_is_declared(tmp_path: Path) -> None:
    async with audited_shop("sqlite", tmp_path) as (shop, kernel):
        (await kernel.people.create(id=1, email="eve@example.org")).unwrap()
        (await kernel.people.get(1)).unwrap()
        assert isinstance(await kernel.people.get(2), Failure)
        (await kernel.people.list()).unwrap()
        rows = (await kernel.people.export()).unwrap()
        assert [len(batch) async for batch in rows] == [1]
        (await kernel.notes.list()).unwrap()
        (await kernel.people.history(1)).unwrap()
        then = (await entries_of(shop))[0].occurred_at
        (await kernel.people.get(1, as_of=then)).unwrap()
    async with open_kernel(shop):
        entries = await entries_of(shop)

    reads = [each for each in entries if each.action in {"get", "list", "export", "history"}]
    past = {"as_of": then.isoformat(timespec="microseconds")}
    assert told(reads) == [
        ("get", "people", 1, {}),
        ("list", "people", None, {"keys": [1]}),
        ("export", "people", None, {"count": 1, "complete": True}),
        ("history", "people", 1, {}),
        ("get", "people", 1, past),
    ]
    assert {each.actor for each in reads} == {"ada"}


async def test_reads_that_are_too_many_are_counted() -> None:
    shop = in_memory(PlainShop)
    recorded = RecordingAuditSink.of(shop.audit_trail())
    log = type(shop.audit_reads())(shop.audit_trail(), limit=2)
    people = shop.people.resource()

    async with log.opened():
        for number in range(5):
            log.add(people, "get", ADA, number)

    assert told(recorded.entries) == [
        ("get", "people", 0, {}),
        ("get", "people", 1, {}),
        ("audit.reads.lost", "", None, {"lost": 3}),
    ]


async def test_a_tenant_has_a_chain_of_its_own() -> None:
    shop = in_memory(PlainShop)
    recorded = RecordingAuditSink.of(shop.audit_trail())
    async with open_kernel(shop) as kernel:
        (await kernel.acting_as(tenant="acme").notes.create(id=1, text="one")).unwrap()

    assert [(each.stream, each.tenant) for each in recorded.entries] == [("tenant:acme", "acme")]


def test_an_audited_resource_needs_a_key() -> None:
    class Unkeyed(Container):
        goods = resource(SqlGood, audit=True)

    with pytest.raises(DeclarationError, match="audit= needs a key, which is kept outside of the database"):
        _ = Unkeyed(settings=Settings(databases={"default": {"url": "memory://"}})).audit_trail()


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        ({"keys": {"a": "short"}}, r"audit.keys.a is not 32 bytes in base64"),
        ({"keys": {"a": "A" * 43 + "=", "b": "A" * 43 + "="}}, r"audit.current is not set"),
        ({"keys": {"a": "A" * 43 + "="}, "current": "b"}, r"audit.current is 'b'"),
        ({"keys": {"a": "A" * 43 + "="}}, r"Audit\(personal=…\) needs a key"),
        ({"keys": {"a": "A" * 43 + "="}, "personal_key": "?"}, r"audit.personal_key is not 32 bytes"),
    ],
)
def test_a_key_that_is_none_is_a_mistake(audit: dict[str, Any], message: str) -> None:
    shop: Any = PlainShop
    with pytest.raises(DeclarationError, match=message):
        _ = shop(settings=Settings(databases={"default": {"url": "memory://"}}, audit=audit)).audit_trail()


def test_a_key_of_an_entity_is_not_personal() -> None:
    class Named(Container):
        people = resource(SqlGood, audit=Audit(personal=["id"]))

    with pytest.raises(DeclarationError, match="'id' is part of the key, which stands in every entry"):
        _ = in_memory(Named).people.resource()


def test_nothing_is_audited_unless_it_is_declared() -> None:
    class Plain(Container):
        goods = resource(SqlGood)

    shop = in_memory(Plain)

    with pytest.raises(DeclarationError, match="no resource is declared with audit="):
        _ = shop.audit_trail()
    assert shop.goods.collaborators().ports.audit is None
