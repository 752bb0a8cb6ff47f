"""What the database's own code does to a write: it refuses it, leaves it out, or changes the row."""

import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain import CheckFailed, EntityCreated, EntityUpdated, Failure, Patch
from fastapi_easy.settings import Settings
from tests.e2e.prepared_database import DRIVERS, database_with
from tests.e2e.serving import client_of
from tests.e2e.triggered import TRIGGERS, Accounts, Base, Views

NUMBERS = count(1)

EVERYWHERE = (
    (-1, 409, "check_failed", "not below zero"),
    (31, 409, "reference_broken", "Something that is referred to does not exist."),
    (32, 409, "already_exists", "A unique value is already taken."),
    (33, 409, "check_failed", "The values violate a rule of the store."),
)
REFUSALS = {
    "sqlite": (
        *EVERYWHERE,
        (11, 409, "check_failed", "failed"),
        (12, 409, "check_failed", "rolled back"),
        (16, 409, "check_failed", "The store's own code has left the change out."),
        (21, 409, "check_failed", "failed afterwards"),
    ),
    "postgres": (
        *EVERYWHERE,
        (11, 409, "check_failed", "a state of our own"),
        (12, 409, "check_failed", "as other databases do"),
        (14, 409, "check_failed", "The values violate a rule of the store."),
        (15, 409, "already_exists", "A unique value is already taken."),
        (16, 409, "check_failed", "The store's own code has left the change out."),
        (17, 409, "check_failed", "out of range"),
        (18, 409, "check_failed", "not for you"),
    ),
    "mariadb": (
        *EVERYWHERE,
        (11, 409, "check_failed", "a state of our own"),
        (12, 409, "check_failed", "a number of our own"),
    ),
}


@pytest.fixture(scope="module", params=DRIVERS)
def store(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
async def url(store: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    triggers = TRIGGERS[store.partition("+")[0]]
    async with database_with(store, tmp_path_factory.mktemp("triggers"), Base, *triggers) as made:
        yield made


@pytest.fixture(scope="module")
def shop(url: str) -> Any:
    accounts: Any = Accounts
    return accounts(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))


@pytest.fixture(scope="module")
async def client(shop: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(shop)) as opened:
        yield opened


def new(**values: Any) -> dict[str, Any]:
    """The body of a new account."""
    return {"name": f"account {next(NUMBERS)}", **values}


async def open_account(client: httpx2.AsyncClient, **values: Any) -> Any:
    created = await client.post("/accounts", json=new(**values))
    assert created.status_code == 201, created.text
    return created.json()


async def names(client: httpx2.AsyncClient) -> list[str]:
    page = (await client.get("/accounts?limit=100&sort=-id")).json()
    return [each["name"] for each in page["items"]]


async def test_a_refusal_says_what_the_trigger_says_to_callers(
    client: httpx2.AsyncClient, store: str
) -> None:
    for balance, status, code, detail in REFUSALS[store.partition("+")[0]]:
        account = await open_account(client)
        before, there = (await client.get(f"/accounts/{account['id']}")).json(), await names(client)
        changed = {"name": account["name"], "balance": balance, "seen": 0}
        answers = {
            "create": await client.post("/accounts", json=new(balance=balance)),
            "patch": await client.patch(f"/accounts/{account['id']}", json={"balance": balance, "seen": 0}),
            "replace": await client.put(f"/accounts/{account['id']}", json=changed),
            "upsert": await client.post("/accounts/upsert", json=changed),
        }

        told = {
            name: (each.status_code, each.json()["code"], each.json()["detail"])
            for name, each in answers.items()
        }
        assert told == dict.fromkeys(answers, (status, code, detail))
        assert (await client.get(f"/accounts/{account['id']}")).json() == before
        assert await names(client) == there


async def test_a_refused_item_leaves_the_others_of_its_bulk(client: httpx2.AsyncClient, store: str) -> None:
    for balance, status, code, _ in REFUSALS[store.partition("+")[0]]:
        good, bad, fine = new(), new(balance=balance), new()
        items = [{"create": each} for each in (good, bad, fine)]
        there = await names(client)

        atomic = await client.post("/accounts/bulk", json={"items": items})
        kept = await names(client)
        separate = await client.post("/accounts/bulk", json={"items": items, "atomic": False})
        imported = await client.post(
            "/accounts/import",
            content="\n".join(json.dumps(each) for each in (new(), new(balance=balance))),
            headers={"content-type": "application/x-ndjson"},
        )

        assert atomic.status_code == status, atomic.text
        assert kept == there
        assert [each["status"] for each in separate.json()["results"]] == [201, status, 201], separate.text
        assert (imported.json()["created"], imported.json()["failed"]) == (1, 1), imported.text
        assert code in imported.text
        assert (await names(client))[1:3] == [fine["name"], good["name"]]


async def test_a_reference_that_only_the_database_knows_is_named(client: httpx2.AsyncClient) -> None:
    account = await open_account(client)
    remark = (await client.post("/remarks", json={"account": account["id"]})).json()

    for refused in (
        await client.post("/remarks", json={"account": 9999}),
        await client.patch(f"/remarks/{remark['id']}", json={"account": 9999}),
        await client.put(f"/remarks/{remark['id']}", json={"account": 9999}),
    ):
        assert refused.json()["detail"] == "account refers to something that does not exist."
        assert [each["pointer"] for each in refused.json()["errors"]] == ["/account"]
    removed = await client.delete(f"/accounts/{account['id']}")
    assert removed.json()["detail"] == "Other entities still refer to this one."


async def test_a_trigger_refuses_a_delete(client: httpx2.AsyncClient, store: str) -> None:
    kept, odd = await open_account(client, balance=99), await open_account(client, balance=98)

    refused = await client.delete(f"/accounts/{kept['id']}")
    left_out = await client.delete(f"/accounts/{odd['id']}")

    assert (refused.status_code, refused.json()["detail"]) == (409, "never deleted")
    assert (await client.get(f"/accounts/{kept['id']}")).status_code == 200
    # Triggers of MariaDB cannot leave a row out.
    assert left_out.status_code == (204 if store.startswith("mariadb") else 409)
    assert (await client.get(f"/accounts/{odd['id']}")).status_code == (
        404 if store.startswith("mariadb") else 200
    )


async def test_a_view_says_what_it_does_not_take(url: str, store: str) -> None:
    views: Any = Views
    settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "off"}}})
    name = store.partition("+")[0]
    async with client_of(create_app(views(settings=settings))) as client:
        small = await client.post("/things", json={"code": "small", "size": 1})
        large = await client.post("/things", json={"code": "large", "size": 10})
        changed = await client.patch("/things/small", json={"size": 2})
        there = (await client.get("/things/small")).json()["size"]
        total = await client.get("/totals/small")
        totals = [
            await client.post("/totals", json={"code": "x", "size": 1}),
            await client.post("/totals/bulk", json={"items": [{"create": {"code": c}} for c in "xy"]}),
            await client.patch("/totals/small", json={"size": 9}),
            await client.put("/totals/small", json={"size": 9}),
            await client.delete("/totals/small"),
        ]
        numbered = [
            await client.post("/numbered", json={"size": 1}),
            await client.post("/numbered/bulk", json={"items": [{"create": {"size": 1}}] * 2}),
        ]
        _ = await client.delete("/things/small")

    assert (small.status_code, large.status_code, large.json()["code"]) == (201, 409, "check_failed")
    # The view of SQLite has no trigger for it.
    assert (changed.status_code, there) == ((501, 1) if name == "sqlite" else (200, 2))
    assert total.json() == {"code": "small", "size": there}
    assert {(each.status_code, each.json()["code"]) for each in totals} == {(501, "unsupported")}
    if name != "mariadb":
        details = [each.json()["detail"] for each in numbered]
        assert all("does not support telling the key of a new entity" in each for each in details), details


async def test_answers_are_what_is_stored_afterwards(client: httpx2.AsyncClient) -> None:
    changed_by_columns = {
        "rounded": "2.5",
        "single": 0.1,
        "padded": "ab",
        "whole_seconds": "2026-11-29T12:00:00.654321Z",
    }
    body = new(note="low", **changed_by_columns)
    answers = []
    created = await client.post("/accounts", json=body)
    path = f"/accounts/{created.json()['id']}"
    answers.append((created, await client.get(path)))
    for send, where in ((client.patch, path), (client.put, path), (client.post, "/accounts/upsert")):
        body = {**body, "note": "lower", "seen": 0}
        changed = await send(where, json=body)
        answers.append((changed, await client.get(path)))
    bulk = await client.post(
        "/accounts/bulk", json={"items": [{"create": {**body, **new(note="x")}} for _ in range(3)]}
    )
    made = [each["entity"] for each in bulk.json()["results"]]

    for answer, read in answers:
        assert answer.json() == read.json()
        assert answer.headers["etag"] == read.headers["etag"]
        assert answer.json()["note"] in {"LOW", "LOWER"}
    assert made == [(await client.get(f"/accounts/{each['id']}")).json() for each in made]
    assert [each["note"] for each in made] == ["X", "X", "X"]


async def test_events_tell_what_is_stored_afterwards(url: str) -> None:
    accounts: Any = Accounts
    own = accounts(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
    told: list[Any] = []

    async def tell(event: Any) -> None:
        told.append((type(event), event.values["note"], event.version))

    own.event_bus().subscribe(EntityCreated, tell)
    own.event_bus().subscribe(EntityUpdated, tell)

    async with open_kernel(own) as kernel:
        made = (await kernel.accounts.create(new(note="low"))).unwrap()
        changed = (await kernel.accounts.update(made.id, {"note": "lower", "seen": 0})).unwrap()

    assert (made.note, changed.note) == ("LOW", "LOWER")
    assert told == [(EntityCreated, "LOW", str(made.version)), (EntityUpdated, "LOWER", str(changed.version))]


async def test_a_refusal_in_a_transaction_leaves_what_came_before(url: str, store: str) -> None:
    accounts: Any = Accounts
    own = accounts(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
    good, other = new(), new()

    async with open_kernel(own) as kernel, kernel.unit_of_work() as work:
        repository = work.repository("accounts")
        first = (await repository.add(good)).unwrap()
        refused = await repository.update(first.id, Patch({"balance": -1}))
        failing = 21 if store == "sqlite" else -1
        failed = await repository.add(new(balance=failing))
        _ = (await repository.add(other)).unwrap()
        there = (await repository.read(first.id)).unwrap()
        committed = await work.commit()

    assert refused == Failure(CheckFailed("accounts", (), reason="not below zero"))
    assert isinstance(failed, Failure)
    assert isinstance(failed.failure(), CheckFailed)
    assert there.balance == 0
    assert not isinstance(committed, Failure)
    async with open_kernel(own) as kernel:
        found = (await kernel.accounts.list(sort="-id", limit=2)).unwrap()
    assert [each.name for each in found.items] == [other["name"], good["name"]]
