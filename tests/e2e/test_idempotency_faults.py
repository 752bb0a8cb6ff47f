"""What becomes of a change with an `Idempotency-Key` when something goes wrong on the way to the answer."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tortoise import fields as columns
from tortoise.models import Model

from fastapi_easy.application import DryRun
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    BeforeCreate,
    DeclarationError,
    Failure,
    Grant,
    IdempotencyMismatch,
    Invalid,
    Principal,
)
from fastapi_easy.infrastructure.relational.system_tables.idempotency_table import CALLS
from fastapi_easy.testing.clock import FrozenClock
from tests.e2e.orders import SERVERS, container_of, key, opened, order, settings_for
from tests.e2e.stores import empty_store
from tests.wire import wired


class TortoiseOrder(Model):
    id = columns.IntField(primary_key=True)
    number = columns.CharField(max_length=40, unique=True)
    version = columns.IntField(default=1)

    class Meta:
        table = "retried_tortoise_order"


PROGRAM = """
import asyncio, json, os, signal, sys

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import DomainEvent
from tests.e2e.orders import container_of, settings_for


async def main(store, url, key, number):
    shop = container_of(store)(settings=settings_for(url))

    async def die(event):
        # Told after the commit, and before the answer.
        os.kill(os.getpid(), signal.SIGKILL)

    shop.event_bus().subscribe(DomainEvent, die)
    async with open_kernel(shop) as kernel:
        await kernel.acting_as(idempotency_key=key).orders.create(number=number)


# Everything is imported once, and each line is a process of its own.
for line in sys.stdin:
    child = os.fork()
    if not child:
        asyncio.run(main(*json.loads(line)))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def create_and_die() -> Iterator[Callable[..., int]]:
    """Make an order in a process that is killed between commit and answer; returns how the process ended."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def run(*arguments: str) -> int:
            print(json.dumps(arguments), file=given, flush=True)
            return int(told.readline())

        yield run


def made(store: str, url: str, *, declared: Any = None, options: Any = None, **more: Any) -> Any:
    make: Any = container_of(store, **(declared or {}))
    overriding = {name: more.pop(name) for name in ("clock", "policy", "retry") if name in more}
    return make(settings=settings_for(url, options or {}, **more), **overriding)


@pytest.mark.parametrize("store", ["sqlite", *SERVERS])
async def test_a_process_killed_between_commit_and_answer_leaves_the_answer(
    store: str, create_and_die: Callable[..., int], tmp_path: Path
) -> None:
    headers, body = key(), {"number": order()["number"]}
    with empty_store(store, tmp_path) as url:
        async with opened(made(store, url)):
            pass  # the tables are there
        name = headers["Idempotency-Key"]
        killed = await asyncio.to_thread(create_and_die, store, url, name, body["number"])

        async with opened(made(store, url)) as client:
            answers = [await client.post("/orders", json=body, headers=headers) for _ in range(2)]
            there = (await client.get("/orders/count", params=body)).json()

    assert killed == -signal.SIGKILL
    assert there == {"count": 1}
    # Another door: what counts is what was asked for.
    assert [(each.status_code, each.headers.get("idempotent-replayed")) for each in answers] == [
        (201, "true")
    ] * 2
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("store", SERVERS)
async def test_retries_at_two_processes_at_once_write_once(store: str, tmp_path: Path) -> None:
    headers, body = key(), order()
    patient = {"pool_timeout": 60.0, "queue_time": 60.0, "lock_timeout": 30.0}
    with empty_store(store, tmp_path) as url:
        async with (
            opened(made(store, url, options=patient, idempotency={"wait": 60.0})) as one,
            opened(made(store, url, options=patient, idempotency={"wait": 60.0})) as other,
        ):
            answers = await asyncio.gather(
                *(
                    each.post("/orders", json=body, headers=headers)
                    for _ in range(10)
                    for each in (one, other)
                )
            )
            there = (await one.get("/orders/count")).json()

    assert there == {"count": 1}
    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert Counter(each.headers.get("idempotent-replayed") for each in answers) == {None: 1, "true": 19}


class Gate:
    """A handler before creates that waits until it is opened."""

    def __init__(self, shop: Any) -> None:
        self.reached, self.open, self.times = asyncio.Event(), asyncio.Event(), 0
        shop.event_bus().subscribe(BeforeCreate, self)

    async def __call__(self, change: BeforeCreate) -> None:
        self.times += 1
        self.reached.set()
        _ = await self.open.wait()


async def test_a_retry_in_the_same_process_waits_no_longer_than_it_may() -> None:
    shop = made("memory", "memory://", idempotency={"wait": 0})
    gate, headers, body = Gate(shop), key(), order()
    async with opened(shop) as client:
        first = asyncio.ensure_future(client.post("/orders", json=body, headers=headers))
        _ = await gate.reached.wait()
        early = await client.post("/orders", json=body, headers=headers)
        gate.open.set()
        answered = await first
        late = await client.post("/orders", json=body, headers=headers)

        assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_flight")
        assert early.headers["retry-after"] == "1"
        assert (late.status_code, late.content) == (201, answered.content)
        assert gate.times == 1


@pytest.mark.parametrize("store", SERVERS)
async def test_a_retry_in_another_process_waits_as_long_as_for_a_lock(store: str, tmp_path: Path) -> None:
    headers, body = key(), order()
    with empty_store(store, tmp_path) as url:
        one, other = made(store, url), made(store, url, options={"lock_timeout": 1.0})
        gates = Gate(one), Gate(other)
        async with opened(one) as client, opened(other) as second:
            first = asyncio.ensure_future(client.post("/orders", json=body, headers=headers))
            _ = await gates[0].reached.wait()
            early = await second.post("/orders", json=body, headers=headers)
            gates[0].open.set()
            answered = await first
            late = await second.post("/orders", json=body, headers=headers)

    assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_flight")
    assert (late.status_code, late.content) == (201, answered.content)
    assert gates[1].times == 0


@pytest.mark.parametrize(("store", "commit"), [("postgres", b"COMMIT"), ("mariadb", b"\x03COMMIT")])
async def test_a_commit_whose_answer_is_lost_is_answered_all_the_same(
    store: str, commit: bytes, tmp_path: Path
) -> None:
    headers, body = key(), order()
    patient = {"breaker": {"calls": 10_000}}
    with empty_store(store, tmp_path) as own:
        async with wired(own) as (url, wire), opened(made(store, url, options=patient)) as client:
            _ = await client.post("/orders", json=order(), headers=key())
            wire.lose_at = commit
            with_key = await client.post("/orders", json=body, headers=headers)
            wire.lose_at = commit
            without = await client.post(f"{with_key.headers['location']}/pay", json={})
            there = (await client.get("/orders/count", params={"number": body["number"]})).json()

    assert (with_key.status_code, with_key.headers.get("idempotent-replayed")) == (201, "true")
    assert there == {"count": 1}
    assert (without.status_code, without.json()["code"]) == (503, "outcome_unknown")


@pytest.mark.parametrize(("store", "commit"), [("postgres", b"COMMIT"), ("mariadb", b"\x03COMMIT")])
async def test_a_commit_that_did_not_arrive_leaves_the_key_to_the_retry(
    store: str, commit: bytes, tmp_path: Path
) -> None:
    headers, body = key(), order()
    patient = {"breaker": {"calls": 10_000}}
    with empty_store(store, tmp_path) as own:
        async with wired(own) as (url, wire), opened(made(store, url, options=patient)) as client:
            _ = await client.post("/orders", json=order(), headers=key())
            wire.cut_before = commit
            failed = await client.post("/orders", json=body, headers=headers)
            wire.cut_before, wire.is_cut = None, False
            answers = [await client.post("/orders", json=body, headers=headers) for _ in range(2)]
            there = (await client.get("/orders/count", params={"number": body["number"]})).json()

    assert (failed.status_code, there) == (503, {"count": 1})
    assert [(each.status_code, each.headers.get("idempotent-replayed")) for each in answers] == [
        (201, None),
        (201, "true"),
    ]


@pytest.mark.parametrize("store", ["memory", "sqlite", *SERVERS])
async def test_an_expired_key_is_free_again(store: str, tmp_path: Path) -> None:
    clock, headers = FrozenClock(), key()
    with empty_store(store, tmp_path) as url:
        async with opened(made(store, url, clock=clock, idempotency={"retention": 60})) as client:
            first, other = order(), order()
            made_first = await client.post("/orders", json=first, headers=headers)
            clock.advance(59)
            replayed = await client.post("/orders", json=first, headers=headers)
            clock.advance(1)
            made_other = await client.post("/orders", json=other, headers=headers)
            again = await client.post("/orders", json=other, headers=headers)

    assert [each.status_code for each in (made_first, replayed, made_other, again)] == [201] * 4
    assert replayed.content == made_first.content
    assert "idempotent-replayed" not in made_other.headers
    assert again.content == made_other.content != made_first.content


@pytest.mark.parametrize("store", ["sqlite", *SERVERS])
async def test_expired_records_are_removed_beside_the_calls(store: str, tmp_path: Path) -> None:
    clock = FrozenClock()
    with empty_store(store, tmp_path) as url:
        shop = made(store, url, clock=clock, idempotency={"retention": 30})
        async with opened(shop) as client:
            used = [key() for _ in range(5)]
            for headers in used:
                assert (await client.post("/orders", json=order(), headers=headers)).status_code == 201
            clock.advance(3600)
            assert (await client.post("/orders", json=order(), headers=key())).status_code == 201
            await shop.idempotency().aclose()
            kept = await records(shop)

    assert len(kept) == 1


async def records(shop: Any, column: str = "id") -> list[Any]:
    """A column of all records, found as an operator would."""
    database = shop.databases.default()
    if database.technology == "MongoDB":
        found = database.client.collection("fe_idempotency").find({}, {"_id": 1})
        return [each async for each in found]
    return list(
        await database.executor.run_sync(lambda connection: connection.execute(select(CALLS.c[column])).all())
    )


class Rights:
    """Implements `Policy`: what everybody may do at the moment."""

    def __init__(self) -> None:
        self.grants: dict[str, Grant | None] = {}

    async def permissions(self, principal: Any, tenant: Any, /) -> "Rights":
        return self

    def grant(self, resource: Any, action: str, /) -> Grant | None:
        return self.grants.get(action, Grant())


async def test_a_retry_gets_nothing_that_its_caller_may_not_see_any_more() -> None:
    rights, headers, body = Rights(), key(), order()
    async with opened(made("memory", "memory://", policy=rights)) as client:
        first = await client.post("/orders", json=body, headers=headers)
        rights.grants["create"] = Grant(readable=frozenset({"id", "number"}))
        cut = await client.post("/orders", json=body, headers=headers)
        rights.grants["create"] = None
        refused = await client.post("/orders", json=body, headers=headers)

    assert (first.status_code, cut.status_code, refused.status_code) == (201, 201, 403)
    assert cut.json() == {name: first.json()[name] for name in ("id", "number")}
    assert cut.headers["etag"] == first.headers["etag"]


async def test_where_fields_are_encrypted_so_are_answers(tmp_path: Path) -> None:
    keys = {name: base64.b64encode(bytes([number]) * 32).decode() for number, name in enumerate("ab")}
    headers, body = key(), order(details={"iban": "DE02120300000000202051"})
    both, only_b = (
        {"keys": keys, "current": "a"},
        {"keys": {"b": keys["b"]}, "current": "b"},
    )
    with empty_store("sqlite", tmp_path) as url:
        shop = made("sqlite", url, encryption=both)
        async with opened(shop) as client:
            first = await client.post("/orders", json=body, headers=headers)
            again = await client.post("/orders", json=body, headers=headers)
            stored = await records(shop, "answer")
        async with opened(made("sqlite", url, encryption=only_b)) as client:
            lost = await client.post("/orders", json=body, headers=headers)
            there = (await client.get("/orders/count")).json()

    assert (again.status_code, again.content) == (201, first.content)
    assert [row[0].partition(":")[0] for row in stored] == ["fe1"]
    assert "DE02" not in stored[0][0]
    assert (lost.status_code, lost.json()["code"], there) == (503, "outcome_unknown", {"count": 1})


async def test_an_answer_that_is_too_large_changes_nothing() -> None:
    async with opened(made("memory", "memory://", idempotency={"max_answer": 100})) as client:
        refused = await client.post("/orders", json=order(), headers=key())
        there = (await client.get("/orders/count")).json()

    assert (refused.status_code, there) == (413, {"count": 0})


async def test_a_server_without_transactions_refuses_the_key_and_nothing_else(
    mongo_alone_url: str,
) -> None:
    async with opened(made("mongo", mongo_alone_url)) as client:
        refused = await client.post("/orders", json=order(), headers=key())
        taken = await client.post("/orders", json=order())
        there = (await client.get("/orders/count")).json()

    assert (refused.status_code, refused.json()["code"]) == (501, "unsupported")
    assert (taken.status_code, there) == (201, {"count": 1})
    with pytest.raises(DeclarationError, match="idempotency keys need transactions"):
        async with open_kernel(made("mongo", mongo_alone_url, declared={"idempotency": "required"})):
            raise AssertionError


async def test_where_a_key_is_required_nothing_is_made_without_one(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        shop = made("sqlite", url, declared={"idempotency": "required"})
        async with opened(shop) as client:
            kept = await records(shop)
            refused = await client.post("/orders", json=order())
            taken = await client.post("/orders", json=order(), headers=key())
            path = taken.headers["location"]
            others = [
                await client.post(f"{path}/pay", json={}),
                await client.post("/orders/bulk", json={"items": [{"create": order()}]}),
                await client.patch(path, json={"total": "1.00"}),
                await client.post("/orders", json=order(), headers={"Prefer": "tx=rollback"}),
            ]

    assert kept == []
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "idempotency_key")
    assert [each.status_code for each in others] == [422, 422, 200, 201]


@pytest.mark.parametrize("url", ["memory://", "sqlite://"])
async def test_a_key_means_the_same_without_http(url: str) -> None:
    shop = made("memory" if url == "memory://" else "sqlite", url)
    async with open_kernel(shop) as kernel:
        ada = kernel.acting_as(Principal(id="ada"), idempotency_key="k-1")
        first = (await ada.orders.create(number="1")).unwrap()
        second = (await ada.orders.create(number="1")).unwrap()
        other = await ada.orders.create(number="2")
        malformed = await kernel.acting_as(idempotency_key="two words").orders.create(number="3")
        dry = await ada.acting_as(dry_run=DryRun()).orders.create(number="4")
        by_bob = await kernel.acting_as(Principal(id="bob"), idempotency_key="k-1").orders.create(number="5")

    assert second == first
    assert type(second.status) is type(first.status)
    assert second.reference == first.reference
    assert isinstance(other, Failure)
    assert other.failure() == IdempotencyMismatch("k-1")
    assert isinstance(malformed, Failure)
    assert isinstance(malformed.failure(), Invalid)
    assert not isinstance(dry, Failure)
    assert not isinstance(by_bob, Failure)


@pytest.mark.parametrize("store", ["sqlite", "postgres", "mariadb"])
async def test_models_of_tortoise_are_made_once(store: str, tmp_path: Path) -> None:
    class Models(Container):
        orders = resource(TortoiseOrder, version="version")

    make: Any = Models
    with empty_store(store, tmp_path) as url:
        async with opened(make(settings=settings_for(url))) as client:
            headers, body = key(), {"number": "1"}
            answers = await asyncio.gather(
                *(client.post("/orders", json=body, headers=headers) for _ in range(5))
            )
            there = (await client.get("/orders/count")).json()

    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert there == {"count": 1}


async def test_a_first_key_that_a_circuit_breaker_refuses_is_unavailable() -> None:
    with empty_store("mongo", Path()) as url:
        shop = made("mongo", url)
        async with open_kernel(shop) as kernel:
            _ = (await kernel.orders.create(number="1")).unwrap()
            shop.breakers.default().isolate()
            refused = await kernel.acting_as(idempotency_key="k-1").orders.create(number="2")
            shop.breakers.default().reset()
            made_once = await kernel.acting_as(idempotency_key="k-1").orders.create(number="2")

    assert isinstance(refused, Failure)
    assert refused.failure().code == "unavailable"
    assert not isinstance(made_once, Failure)
