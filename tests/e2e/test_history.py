"""What happened to an entity, and what it was, as far as each caller may know."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError
from fastapi_easy.domain.resources.recording import Audit
from fastapi_easy.testing import FrozenClock, in_memory
from tests.e2e.audited_shop import audited_shop
from tests.e2e.remembered_shop import ACCOUNT_RULES, Account, Remembered, Shop, remembered
from tests.e2e.stores import MONGO

ADMIN, ANN, BOB = "admin:ada", "owner:ann", "owner:bob"
ACME, OTHER = "owner:eve@acme", "owner:mal@other"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Remembered]:
    async with remembered(f"sqlite:///{tmp_path / 'shop.sqlite3'}") as opened:
        yield opened


async def account_of(shop: Remembered, owner: str = "ann", **values: Any) -> int:
    made = await shop.do(ADMIN, "POST", "/accounts", {"owner_id": owner, **values})
    key: int = made["id"]
    return key


async def test_a_history_tells_who_did_what_the_newest_first(shop: Remembered) -> None:
    key = await account_of(shop, balance="5.00", rating=3)
    await shop.do(ANN, "PATCH", f"/accounts/{key}", {"balance": "7.50"})
    await shop.do(ADMIN, "PATCH", f"/accounts/{key}", {"rating": 4})

    answer = await shop.ask(ADMIN, f"/accounts/{key}/history")

    items = answer.json()["items"]
    assert [(each["actor"], each["action"], each["outcome"], each["by_system"]) for each in items] == [
        ("ada", "update", "ok", False),
        ("ann", "update", "ok", False),
        ("ada", "create", "ok", False),
    ]
    assert [each["changes"] for each in items] == [
        {"rating": [3, 4]},
        {"balance": ["5.00", "7.50"]},
        {
            "id": [None, key],
            "owner_id": [None, "ann"],
            "email": [None, ""],
            "balance": [None, "5.00"],
            "rating": [None, 3],
        },
    ]
    assert [each["number"] for each in items] == [3, 2, 1]
    assert {each["stream"] for each in items} == {items[0]["stream"]}
    assert items[-1]["time"] == "2026-01-01T12:00:00Z"
    # Of the fields that the caller may not read nothing is told, nor that they have changed.
    assert (await shop.told(ANN, f"/accounts/{key}/history"))[:2] == [
        ("ada", "update", {}),
        ("ann", "update", {"balance": ["5.00", "7.50"]}),
    ]


async def test_a_history_is_for_those_who_may_see_the_entity_and_read_histories(shop: Remembered) -> None:
    key = await account_of(shop)

    statuses = [
        (await shop.ask(who, f"/accounts/{key}{what}")).status_code
        for who in (ANN, BOB, "reader:rob", "nobody:n")
        for what in ("/history", f"?as_of={shop.now()}")
    ]

    # Reading is not enough: what was is more than what is.
    assert statuses == [200, 200, 404, 404, 403, 403, 403, 403]
    assert (await shop.ask(ADMIN, "/accounts/99/history")).status_code == 404


async def test_what_was_somebody_elses_stays_unknown(shop: Remembered) -> None:
    key = await account_of(shop, "bob", balance="1.00")
    await shop.do(BOB, "PATCH", f"/accounts/{key}", {"balance": "2.00"})
    bobs = shop.now()
    await shop.do(ADMIN, "PATCH", f"/accounts/{key}", {"owner_id": "ann"})
    await shop.do(ANN, "PATCH", f"/accounts/{key}", {"balance": "3.00"})

    assert await shop.told(ANN, f"/accounts/{key}/history") == [
        ("ann", "update", {"balance": ["2.00", "3.00"]})
    ]
    assert (await shop.ask(ANN, f"/accounts/{key}?as_of={bobs}")).status_code == 404
    assert (await shop.ask(ANN, f"/accounts?as_of={bobs}")).json()["items"] == []
    # Nor may those know who have lost sight of it.
    assert (await shop.ask(BOB, f"/accounts/{key}/history")).status_code == 404
    assert (await shop.ask(BOB, f"/accounts/{key}?as_of={bobs}")).status_code == 404
    assert (await shop.ask(BOB, f"/accounts?as_of={bobs}")).json()["items"] == []
    assert (await shop.ask(ADMIN, f"/accounts/{key}?as_of={bobs}")).json()["owner_id"] == "bob"


async def test_a_deleted_entity_is_known_to_whose_it_was(shop: Remembered) -> None:
    key = await account_of(shop, balance="1.00")
    alive = shop.now()
    await shop.do(ANN, "DELETE", f"/accounts/{key}")
    gone = shop.now()

    for who in (ADMIN, ANN):
        history = await shop.told(who, f"/accounts/{key}/history")
        assert [action for _, action, _ in history if action != "get"] == ["delete", "create"]
        assert (await shop.ask(who, f"/accounts/{key}?as_of={alive}")).json()["balance"] == "1.00"
        assert (await shop.ask(who, f"/accounts/{key}?as_of={gone}")).status_code == 404
        assert [each["id"] for each in (await shop.ask(who, f"/accounts?as_of={alive}")).json()["items"]] == [
            key
        ]
    assert (await shop.ask(BOB, f"/accounts/{key}/history")).status_code == 404
    # The next entity with this key is another one.
    assert await account_of(shop, "bob") == key
    assert [action for _, action, _ in await shop.told(BOB, f"/accounts/{key}/history")] == ["create"]
    assert (await shop.ask(BOB, f"/accounts/{key}?as_of={alive}")).status_code == 404
    assert (await shop.ask(ANN, f"/accounts/{key}/history")).status_code == 404


async def test_refused_attempts_are_for_those_who_see_everything(shop: Remembered) -> None:
    key = await account_of(shop)
    assert (await shop.ask(BOB, f"/accounts/{key}")).status_code == 404
    patched = await shop.client.patch(
        f"/accounts/{key}", json={"balance": "9.00"}, headers={"x-role": "reader", "x-user": "rob"}
    )
    assert patched.status_code == 403
    _ = await shop.shop.audit_security().write()

    seen = (await shop.ask(ADMIN, f"/accounts/{key}/history")).json()["items"]

    told = {(each["actor"], each["action"], each["outcome"]) for each in seen}
    assert told == {("ada", "create", "ok"), ("bob", "get", "hidden"), ("rob", "update", "forbidden")}
    assert [action for _, action, _ in await shop.told(ANN, f"/accounts/{key}/history")] == ["create"]


async def test_what_was_erased_is_told_as_erased(shop: Remembered) -> None:
    key = await account_of(shop, email="ann@example.org")
    then = shop.now()
    assert (await shop.ask(ANN, f"/accounts/{key}?as_of={then}")).json()["email"] == "ann@example.org"
    assert (await shop.shop.audit_trail().erase(f"accounts/{key}")).unwrap()

    ((_, _, changes),) = await shop.told(ANN, f"/accounts/{key}/history")
    then_again = await shop.ask(ANN, f"/accounts/{key}?as_of={then}")

    assert changes["email"] == [None, {"erased": True}]
    assert then_again.json() == {"id": key, "owner_id": "ann", "balance": "0.00"}
    # Nobody finds it any more, either.
    found = await shop.ask(ANN, f"/accounts?as_of={then}&email=ann@example.org")
    assert (found.status_code, found.json()["items"]) == (200, [])


async def test_a_history_is_read_in_pages(shop: Remembered) -> None:
    parcel = (await shop.do(ACME, "POST", "/parcels", {"weight": 1}))["id"]
    other = (await shop.do(ACME, "POST", "/parcels", {"weight": 1}))["id"]
    for weight in (2, 3, 4):
        await shop.do(ACME, "PATCH", f"/parcels/{parcel}", {"weight": weight})
    first = (await shop.ask(ACME, f"/parcels/{parcel}/history")).json()
    await shop.do(ACME, "PATCH", f"/parcels/{parcel}", {"weight": 5})

    answer = await shop.ask(ACME, f"/parcels/{parcel}/history?cursor={first['next_cursor']}")
    rest = answer.json()

    weights = [each["changes"]["weight"][1] for each in (*first["items"], *rest["items"])]
    assert (weights, rest["next_cursor"]) == ([4, 3, 2, 1], None)
    limited = await shop.ask(ACME, f"/parcels/{parcel}/history?limit=1")
    assert limited.headers["link"].startswith(f"</parcels/{parcel}/history?limit=1&cursor=")
    for path in (
        f"/parcels/{other}/history?cursor={first['next_cursor']}",
        f"/parcels/{parcel}/history?cursor=x",
        f"/parcels/{parcel}/history?sort=time",
        f"/parcels/{parcel}/history?limit=1&limit=2",
    ):
        assert (await shop.ask(ACME, path)).status_code == 400, path
    assert (await shop.ask(ACME, f"/parcels/{parcel}/history?limit=6")).status_code == 422


async def test_tenants_know_nothing_of_each_others_past(shop: Remembered) -> None:
    key = (await shop.do(ACME, "POST", "/parcels", {"weight": 1}))["id"]
    acmes = shop.now()
    await shop.do(ACME, "DELETE", f"/parcels/{key}")
    deleted = shop.now()
    await shop.do(ACME, "POST", f"/parcels/{key}/restore")
    await shop.do(ACME, "DELETE", f"/parcels/{key}")
    await shop.do(ACME, "POST", f"/parcels/{key}/purge")

    for path in (f"/parcels/{key}/history", f"/parcels/{key}?as_of={acmes}"):
        assert (await shop.ask(OTHER, path)).status_code == 404
    assert (await shop.ask(OTHER, f"/parcels?as_of={acmes}")).json()["items"] == []
    assert [each["id"] for each in (await shop.ask(ACME, f"/parcels?as_of={acmes}")).json()["items"]] == [key]
    assert (await shop.ask(ACME, f"/parcels?as_of={deleted}")).json()["items"] == []
    history = (await shop.ask(ACME, f"/parcels/{key}/history?limit=5")).json()["items"]
    assert [each["action"] for each in history] == ["purge", "delete", "restore", "delete", "create"]
    # The same key again, for somebody else.
    assert (await shop.do(OTHER, "POST", "/parcels", {"weight": 9}))["id"] == key
    for who, weights in ((OTHER, [9]), (ACME, None)):
        answer = await shop.ask(who, f"/parcels/{key}/history?limit=5")
        if weights is None:
            assert answer.status_code == 404
        else:
            assert [each["changes"]["weight"][1] for each in answer.json()["items"]] == weights


async def test_an_entity_is_shown_as_it_was(shop: Remembered) -> None:
    before = shop.now()
    key = (await shop.do(ACME, "POST", "/parcels", {"weight": 1, "place": "Ulm"}))["id"]
    first = shop.now()
    await shop.do(ACME, "PATCH", f"/parcels/{key}", {"weight": 2, "place": None})
    second = shop.now()
    await shop.do(ACME, "PATCH", f"/parcels/{key}", {"weight": 3})

    found = [await shop.ask(ACME, f"/parcels/{key}?as_of={each}") for each in (before, first, second)]

    assert [each.status_code for each in found] == [404, 200, 200]
    assert [each.json() for each in found[1:]] == [
        {"id": key, "weight": 1, "place": "Ulm", "deleted_at": None},
        {"id": key, "weight": 2, "place": None, "deleted_at": None},
    ]
    # No version that somebody could change.
    assert "etag" not in found[1].headers
    assert (await shop.ask(ACME, f"/parcels/{key}?as_of={first}&fields=weight")).json() == {"weight": 1}
    offset = first.replace("Z", "+00:00")
    assert (await shop.ask(ACME, f"/parcels/{key}?as_of={offset}")).status_code == 200


async def test_a_list_is_filtered_sorted_and_paged_as_it_was(shop: Remembered) -> None:
    for weight, place in ((3, "Ulm"), (1, None), (2, "Bonn"), (5, "Ulm")):
        await shop.do(ACME, "POST", "/parcels", {"weight": weight, "place": place})
    await shop.do(OTHER, "POST", "/parcels", {"weight": 4})
    then = shop.now()
    await shop.do(ACME, "PATCH", "/parcels/1", {"weight": 9})
    await shop.do(ACME, "DELETE", "/parcels/3")

    async def weights(query: str) -> tuple[list[int], Any]:
        answer = await shop.ask(ACME, f"/parcels?as_of={then}&{query}")
        assert answer.status_code == 200, answer.text
        return [each["weight"] for each in answer.json()["items"]], answer.json()["next_cursor"]

    assert await weights("weight__lt=5&sort=-weight&limit=5&count=exact") == ([3, 2, 1], None)
    assert await weights("sort=place,-weight&limit=5") == ([2, 5, 3, 1], None)
    page, cursor = await weights("sort=weight")
    assert page == [1, 2]
    assert await weights(f"sort=weight&cursor={cursor}") == ([3, 5], None)
    assert await weights("sort=weight&offset=3") == ([5], None)
    assert await weights("where=" + '{"or":[{"place":"Bonn"},{"place__isnull":true}]}') == ([1, 2], None)
    searched = await shop.client.post(
        "/parcels/search",
        json={"as_of": then, "where": {"weight": 3}},
        headers={"x-role": "owner", "x-user": "eve", "x-tenant": "acme"},
    )
    assert [each["id"] for each in searched.json()["items"]] == [1]
    # The place belongs to the past in which it was.
    assert (await shop.ask(ACME, f"/parcels?sort=weight&cursor={cursor}")).status_code == 400


async def test_times_that_cannot_be_answered_are_refused(shop: Remembered, tmp_path: Path) -> None:
    key = (await shop.do(ACME, "POST", "/parcels", {"weight": 1}))["id"]
    then = shop.now()

    for query, status in (
        ("as_of=2030-01-01T00:00:00Z", 422),
        ("as_of=2026-01-01T00:00:00", 422),
        ("as_of=yesterday", 422),
        (f"as_of={then}&as_of={then}", 400),
    ):
        for path in (f"/parcels/{key}", "/parcels"):
            assert (await shop.ask(ACME, f"{path}?{query}")).status_code == status, query
    for path in ("/parcels/count", "/parcels/export", "/parcels/aggregate", "/notes", "/notes/1"):
        assert (await shop.ask(ACME, f"{path}?as_of={then}")).status_code == 400, path
    assert (await shop.ask(ACME, "/notes/1/history")).status_code == 404


async def test_what_the_trail_does_not_tell_is_left_out_or_refused(tmp_path: Path) -> None:
    class Later(Container):
        accounts = resource(Account, audit=Audit(fields=["balance"]))

    class Before(Container):
        accounts = resource(Account)

    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    async with remembered(url, Before) as shop:
        for rating in (1, 2):
            await shop.do(ADMIN, "POST", "/accounts", {"owner_id": "ann", "rating": rating})
    async with remembered(url, Later, history={"entities": 3}) as shop:
        early = shop.now()
        await shop.do(ADMIN, "PATCH", "/accounts/1", {"balance": "4.00"})
        late = shop.now()
        await shop.do(ADMIN, "PATCH", "/accounts/1", {"balance": "5.00"})

        assert (await shop.ask(ADMIN, f"/accounts/1?as_of={early}")).status_code == 400
        # What it had before is not known to have been the same all the time; what is told is exact.
        assert (await shop.ask(ADMIN, f"/accounts/1?as_of={late}")).json() == {"id": 1, "balance": "4.00"}
        refused = await shop.ask(ADMIN, f"/accounts?as_of={late}")
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_query")
        await shop.do(ADMIN, "PATCH", "/accounts/2", {"balance": "6.00"})
        now = shop.now()
        found = await shop.ask(ADMIN, f"/accounts?as_of={now}")
        assert found.json()["items"] == [{"id": 1, "balance": "5.00"}, {"id": 2, "balance": "6.00"}]
        for query in ("rating=1", "sort=rating", "include=owner"):
            assert (await shop.ask(ADMIN, f"/accounts?as_of={now}&{query}")).status_code == 400, query
        for _ in range(2):
            await shop.do(ADMIN, "POST", "/accounts", {"owner_id": "ann"})
        limited = await shop.ask(ADMIN, f"/accounts?as_of={now}")
        assert (limited.status_code, limited.json()["errors"][0]["code"]) == (422, "limit_exceeded")


async def test_conditions_about_what_is_not_recorded_show_nothing_of_the_past(tmp_path: Path) -> None:
    class Terse(Container):
        accounts = resource(Account, audit=Audit(fields=["balance"]), policy=ACCOUNT_RULES)

    async with remembered(f"sqlite:///{tmp_path / 'shop.sqlite3'}", Terse) as shop:
        key = await account_of(shop)
        then = shop.now()

        for path in (f"/accounts/{key}/history", f"/accounts/{key}?as_of={then}", f"/accounts?as_of={then}"):
            refused = await shop.ask(ANN, path)
            assert (refused.status_code, "owner_id" in refused.text) == (403, True), path
            assert (await shop.ask(ADMIN, path)).status_code == 200, path


async def test_what_was_removed_by_others_is_not_guessed(shop: Remembered, tmp_path: Path) -> None:
    key = await account_of(shop, balance="1.00")
    then = shop.now()
    await shop.do(ADMIN, "PATCH", f"/accounts/{key}", {"balance": "2.00"})
    with closing(sqlite3.connect(tmp_path / "shop.sqlite3")) as others, others:
        _ = others.execute("DELETE FROM remembered_account")
    now = shop.now()

    assert (await shop.ask(ADMIN, f"/accounts/{key}?as_of={then}")).json()["balance"] == "1.00"
    assert [each["id"] for each in (await shop.ask(ADMIN, f"/accounts?as_of={then}")).json()["items"]] == [
        key
    ]
    for path in (f"/accounts/{key}?as_of={now}", f"/accounts?as_of={now}"):
        assert (await shop.ask(ADMIN, path)).status_code == 400
    # Of what is not there, and was not deleted by anybody, only those know who see everything.
    assert (await shop.ask(ANN, f"/accounts/{key}/history")).status_code == 404


@pytest.mark.parametrize("store", ["postgres", MONGO])
async def test_the_past_is_the_same_on_other_stores(store: str, tmp_path: Path) -> None:
    clock = FrozenClock()
    async with audited_shop(store, tmp_path, clock=clock) as (_, kernel):
        goods = kernel.goods
        (await goods.create(id=1, name="pen", price="2.00")).unwrap()
        (await goods.create(id=2, name="ink", price="5.00")).unwrap()
        then = clock.now()
        clock.advance(60)
        (await goods.update(1, price="3.00")).unwrap()
        (await goods.delete(2)).unwrap()

        history = (await goods.history(1)).unwrap().items
        page = (await goods.list(as_of=then, sort="-price", limit=1)).unwrap()
        rest = (await goods.list(as_of=then, sort="-price", limit=1, cursor=page.next)).unwrap()

        assert [(each.action, each.changes["price"]) for each in history] == [
            ("update", (Decimal("2.00"), Decimal("3.00"))),
            ("create", (None, Decimal("2.00"))),
        ]
        assert (await goods.get(1, as_of=then)).unwrap() == {"id": 1, "name": "pen", "price": Decimal("2.00")}
        assert [each["id"] for each in (*page.items, *rest.items)] == [2, 1]


def test_a_field_cannot_be_called_like_the_parameter() -> None:
    class Dated(SQLModel, table=True):
        id: int | None = Column(default=None, primary_key=True)
        as_of: str = ""

    class Archive(Container):
        dated = resource(Dated, audit=True)

    with pytest.raises(DeclarationError, match="a field cannot be called 'as_of'"):
        _ = create_app(in_memory(Archive))


def test_the_document_describes_the_past_where_it_is_offered() -> None:
    document = create_app(in_memory(Shop)).openapi()

    paths = document["paths"]
    assert "/accounts/{key}/history" in paths
    assert "/notes/{key}/history" not in paths
    for path, is_offered in (("/accounts", True), ("/accounts/{key}", True), ("/notes", False)):
        parameters = paths[path]["get"]["parameters"]
        assert ({"$ref": "#/components/parameters/as_of"} in parameters) is is_offered, path
    schema = document["components"]["schemas"]["AccountHistory"]["properties"]["items"]["items"]
    assert schema == {"$ref": "#/components/schemas/AccountHistoryEntry"}
