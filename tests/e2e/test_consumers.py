"""Messages become commands of the kernel: the same rules as over HTTP, and one effect for each message."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.application import Kernel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import (
    DeclarationError,
    EntityCreated,
    EntityUpdated,
    Failure,
    NotFound,
    Outcome,
    Principal,
    Success,
)
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.messaging import ReceivedMessage, consume, open_consumers
from fastapi_easy.policies import RolePolicy
from tests.e2e.consumed import Post, consuming_orders, until
from tests.e2e.orders import STORES, container_of, opened, order, settings_for

WEB = Principal(id="web-shop", roles=frozenset({"shop"}))
COMMANDS = [
    consume(f"orders.{each}", command=f"orders.{each}", group="orders", principal=WEB)
    for each in ("create", "update", "replace", "upsert", "delete", "restore", "purge", "pay")
]
RUNS: list[str] = []
"""The messages for which `redeem` was called."""


async def redeem(message: ReceivedMessage, kernel: Kernel, work: UnitOfWork) -> Outcome[Any] | None:
    """Redeem a coupon, and fail afterwards where the message says so."""
    RUNS.append(message.id)
    redeemed = await work.repository("redemptions").add({"coupon": message.data["coupon"]})
    if isinstance(redeemed, Failure):
        return redeemed
    match message.data.get("then"):
        case "fail":
            return Failure(NotFound("coupons", 1))
        case "raise":
            raise RuntimeError("the till is jammed")
        case "return nonsense":
            nonsense: Any = 7
            return nonsense
    return None


FUNCTION = consume("coupons.found", handle=redeem, group="orders", max_attempts=1)


@pytest.fixture(scope="module", params=STORES)
async def post(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Post]:
    folder = tmp_path_factory.mktemp("orders")
    async with consuming_orders(request.param, folder, [*COMMANDS, FUNCTION]) as opened:
        yield opened


async def created(post: Post, **values: Any) -> Any:
    """An order that a message has asked for."""
    asked = order(**values)
    _ = await post.send("orders.create", asked)
    return await found(post, asked["number"])


async def found(post: Post, number: str) -> Any:
    rows: list[Any] = []

    async def is_there() -> bool:
        rows[:] = (await post.kernel.orders.list(number=number)).unwrap().items
        return bool(rows)

    await until(is_there)
    return rows[0]


async def total_of(post: Post, key: int) -> Decimal:
    return Decimal((await post.kernel.orders.get(key)).unwrap()["total"])


async def test_a_message_handled_twice_has_one_effect(post: Post) -> None:
    placed = await created(post, total="10.00")

    first = await post.send("orders.pay", {"note": "cash"}, subject=str(placed["id"]), key="till")
    _ = await post.send("orders.pay", {"note": "cash"}, subject=str(placed["id"]), key="till", event_id=first)
    _ = await post.send("orders.pay", {"note": "card"}, subject=str(placed["id"]), key="till")

    await until(lambda: _is_at_least(post, placed["id"], 12))
    assert await total_of(post, placed["id"]) == 12


async def _is_at_least(post: Post, key: int, total: int) -> bool:
    found = await post.kernel.orders.get(key)
    return not isinstance(found, Failure) and Decimal(found.unwrap()["total"]) >= total


async def test_a_create_that_is_delivered_again_is_no_conflict(post: Post) -> None:
    values, parked = order(), len(post.parked)

    first = await post.send("orders.create", values, key="again")
    _ = await post.send("orders.create", values, key="again", event_id=first)
    after = order()
    _ = await post.send("orders.create", after, key="again")

    _ = await found(post, after["number"])
    assert len(post.parked) == parked


async def test_every_command_does_what_it_does_over_http(post: Post) -> None:
    placed = await created(post, total="10.00")
    key, number = placed["id"], placed["number"]

    async def send(topic: str, data: Any, **attributes: Any) -> None:
        _ = await post.send(topic, data, key=number, **attributes)

    await send("orders.update", {"total": "20.00"}, subject=str(key))
    await until(lambda: _is_at_least(post, key, 20))
    await send("orders.update", {"key": key, "values": {"total": "30.00"}, "expected_version": "2"})
    await until(lambda: _is_at_least(post, key, 30))
    await send("orders.replace", {"number": number, "total": "40.00"}, subject=str(key))
    await until(lambda: _is_at_least(post, key, 40))
    await send("orders.upsert", {"number": number, "total": "50.00"})
    await until(lambda: _is_at_least(post, key, 50))
    await send("orders.delete", None, subject=str(key))
    await until(lambda: _is_gone(post, key))
    await send("orders.restore", {"key": key})
    await until(lambda: _is_at_least(post, key, 50))
    await send("orders.delete", {"key": key})
    await until(lambda: _is_gone(post, key))
    await send("orders.purge", None, subject=str(key))
    await until(lambda: _cannot_be_restored(post, key))


async def _is_gone(post: Post, key: int) -> bool:
    return isinstance(await post.kernel.orders.get(key), Failure)


async def _cannot_be_restored(post: Post, key: int) -> bool:
    return isinstance(await post.kernel.acting_as(dry_run=True).orders.restore(key), Failure)


async def test_a_function_commits_with_the_note_that_its_message_was_handled(post: Post) -> None:
    coupon, RUNS[:] = uuid.uuid4().hex, []

    first = await post.send("coupons.found", {"coupon": coupon}, key="c")
    _ = await post.send("coupons.found", {"coupon": coupon}, key="c", event_id=first)
    last = await post.send("coupons.found", {"coupon": uuid.uuid4().hex}, key="c")

    await until(lambda: last in RUNS)
    assert [first, last] == RUNS
    await until(lambda: _is_redeemed(post, coupon))


async def _is_redeemed(post: Post, coupon: str) -> bool:
    return bool((await post.kernel.redemptions.count({"coupon": coupon})).unwrap())


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("fail", "not_found: coupons"),
        ("raise", "raised RuntimeError (after 1 deliveries)"),
        ("return nonsense", "raised TypeError (after 1 deliveries)"),
    ],
)
async def test_a_function_that_fails_changes_nothing_and_its_message_may_come_again(
    post: Post, then: str, reason: str
) -> None:
    coupon, parked = uuid.uuid4().hex, len(post.parked)

    failed = await post.send("coupons.found", {"coupon": coupon, "then": then})
    reasons = await post.reasons(parked + 1)

    assert reasons[parked:] == [reason]
    assert not await _is_redeemed(post, coupon)
    # Nothing was noted either: an operator publishes it again, mended or not.
    _ = await post.send("coupons.found", {"coupon": coupon}, event_id=failed)
    await until(lambda: _is_redeemed(post, coupon))


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Post]:
    """On SQLite, with what is the same on every store."""
    folder = tmp_path_factory.mktemp("shop")
    async with consuming_orders("sqlite", folder, [*COMMANDS, FUNCTION]) as opened:
        yield opened


REFUSED = {
    "a field is wrong": ("orders.create", {"number": 7}, {}, "invalid: /number: "),
    "a field is unknown": ("orders.create", {"number": "a", "admin": True}, {}, "invalid: /admin: "),
    "there is no such entity": ("orders.update", {"total": "1"}, {"subject": "999"}, "not_found: orders"),
    "it does not say which entity": ("orders.delete", {}, {}, "invalid: /: Must be an object with key"),
    "a key that is none": ("orders.delete", None, {"subject": "x"}, "invalid: /id: "),
    "values where there can be none": (
        "orders.delete",
        {"a": 1},
        {"subject": "1"},
        "invalid: /: Takes no values",
    ),
    "a member that is unknown": ("orders.delete", {"key": 1, "if": 2}, {}, "invalid: /if: Only key, values"),
    "no data at all": ("orders.create", None, {}, "invalid: /: "),
}


@pytest.mark.parametrize(("topic", "data", "attributes", "reason"), REFUSED.values(), ids=REFUSED)
async def test_parks_what_the_kernel_refuses(
    shop: Post, topic: str, data: Any, attributes: Any, reason: str
) -> None:
    parked = len(shop.parked)

    _ = await shop.send(topic, data, **attributes)
    reasons = await shop.reasons(parked + 1)

    assert reasons[parked].startswith(reason)


async def test_parks_a_duplicate_key_of_another_message(shop: Post) -> None:
    placed, parked = await created(shop), len(shop.parked)

    _ = await shop.send("orders.create", order(number=placed["number"]))

    assert (await shop.reasons(parked + 1))[parked] == "already_exists: orders, number"


async def test_parks_what_cannot_be_read_at_once_and_keeps_it_as_it_was(shop: Post) -> None:
    parked = len(shop.parked)

    await shop.send_bytes("orders.create", b'{"number": ', "application/json", event_id="m-broken")
    reasons = await shop.reasons(parked + 1)

    assert reasons[parked].startswith("it cannot be read: The body is not valid JSON")
    letter = shop.parked[parked]
    assert (letter.body, letter.headers["dead-id"], letter.headers["dead-attempts"]) == (
        b'{"number": ',
        "m-broken",
        "1",
    )


async def test_reads_plain_json_and_knows_it_by_the_id_of_the_broker(shop: Post) -> None:
    first, after = order(), order()

    for _ in range(2):
        await shop.send_bytes("orders.create", _json(first), "application/json", event_id="m-plain")
    await shop.send_bytes("orders.create", _json(after), "application/json")

    _ = await found(shop, after["number"])
    assert first["number"] in await shop.numbers()


def _json(values: Any) -> bytes:
    return json.dumps(values).encode()


async def test_parks_a_message_that_nobody_could_tell_from_another(shop: Post) -> None:
    parked = len(shop.parked)

    await shop.send_bytes("orders.create", _json(order()), "application/json", event_id="")

    assert "it has no id" in (await shop.reasons(parked + 1))[parked]


async def test_events_say_who_asked_and_which_call_caused_them(shop: Post) -> None:
    seen: list[Any] = []

    async def note(event: EntityCreated) -> None:
        seen.append(event)

    end = shop.container.event_bus().subscribe(EntityCreated, note)
    try:
        _ = await shop.send("orders.create", order(), correlationid="c-42")
        await until(lambda: bool(seen))
    finally:
        end()

    assert (seen[0].actor, seen[0].correlation_id) == ("web-shop", "c-42")


def spoken_for(message: ReceivedMessage) -> Principal | None:
    """Believe a header that only the gateway of this test can set."""
    user = message.headers.get("x-user")
    return None if user is None else Principal(id=user, roles=frozenset({"shop"}))


async def tenant_spoken_for(message: ReceivedMessage) -> Principal | None:
    return spoken_for(message)


async def test_the_policy_decides_by_whom_the_consumer_says_the_message_is(tmp_path: Path) -> None:
    policy = RolePolicy({"shop": ["orders:create", "orders:list"]})
    consumers = [
        consume("orders.create", command="orders.create", group="orders", principal=spoken_for),
        consume("orders.pay", command="orders.pay", group="orders", principal=tenant_spoken_for),
        consume("orders.upsert", command="orders.upsert", group="orders"),
    ]
    async with consuming_orders("sqlite", tmp_path, consumers, policy=policy) as post:
        await post.send_bytes("orders.create", _json(order()), "application/json", **{"X-User": "ada"})
        await post.send_bytes("orders.create", _json(order()), "application/json")
        await post.send_bytes("orders.pay", _json({"key": 1}), "application/json", **{"x-user": "ada"})
        # What a message says of itself proves nothing.
        _ = await post.send("orders.upsert", order(), actor="ada", tenant="acme")
        reasons = await post.reasons(3)

        count = await post.kernel.acting_as(Principal(id="ada", roles=frozenset({"shop"}))).orders.list()

    assert sorted(reasons) == [
        "forbidden: create on orders",
        "forbidden: pay on orders",
        "forbidden: upsert on orders",
    ]
    assert len(count.unwrap().items) == 1


async def test_works_for_the_tenant_that_the_consumer_names(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def note(message: ReceivedMessage, kernel: Kernel, work: UnitOfWork) -> None:
        context: Any = work
        seen.append((message.topic, context.context.principal.id, context.context.tenant))

    consumers = [
        consume("fixed", handle=note, group="orders", principal=Principal(id="a", tenant="acme")),
        consume("named", handle=note, group="orders", principal=WEB, tenant="beta"),
        consume("told", handle=note, group="orders", tenant=lambda message: message.headers["x-tenant"]),
    ]
    async with consuming_orders("sqlite", tmp_path, consumers) as post:
        for topic in ("fixed", "named", "told"):
            await post.send_bytes(topic, b"{}", "application/json", **{"x-tenant": "gamma"})
        await until(lambda: len(seen) == 3)

    assert sorted(seen) == [("fixed", "a", "acme"), ("named", "web-shop", "beta"), ("told", "", "gamma")]


async def test_what_requires_an_idempotency_key_takes_messages(tmp_path: Path) -> None:
    consumers = [consume("orders.create", command="orders.create", group="orders")]
    declared = {"idempotency": "required"}
    async with consuming_orders("sqlite", tmp_path, consumers, declared=declared) as post:
        placed = await created(post)

    assert placed["number"]


async def test_a_change_that_waits_for_the_first_delivery_is_made_once(tmp_path: Path) -> None:
    """Two groups have inboxes of their own, two processes of one group share theirs."""
    consumers = [
        consume("orders.pay", command="orders.pay", group="orders"),
        consume("orders.pay", command="orders.pay", group="audit"),
        consume("orders.create", command="orders.create", group="orders"),
    ]
    async with consuming_orders("sqlite", tmp_path, consumers) as post:
        placed = await created(post, total="10.00")
        for key in ("a", "b", "c", "d"):
            # Four keys: four deliveries of one message at the same time.
            _ = await post.send("orders.pay", {}, subject=str(placed["id"]), event_id="m-1", key=key)
        _ = await post.send("orders.pay", {}, subject=str(placed["id"]), event_id="m-2")
        await until(lambda: _is_at_least(post, placed["id"], 14))
        await asyncio.sleep(0)

        assert await total_of(post, placed["id"]) == 14


async def test_without_deduplication_each_delivery_has_its_effect(tmp_path: Path) -> None:
    consumers = [
        replace(each, deduplicate=False) for each in COMMANDS if each.topic in {"orders.create", "orders.pay"}
    ]
    async with consuming_orders("sqlite", tmp_path, consumers) as post:
        placed = await created(post, total="10.00")
        for _ in range(2):
            _ = await post.send("orders.pay", {}, subject=str(placed["id"]), event_id="m-1")
        await until(lambda: _is_at_least(post, placed["id"], 12))


async def test_what_a_handler_takes_too_long_for_comes_again(tmp_path: Path) -> None:
    calls: list[int] = []

    async def hang_once(message: ReceivedMessage, kernel: Kernel, work: UnitOfWork) -> None:
        calls.append(message.attempts)
        if len(calls) == 1:
            _ = await asyncio.Event().wait()

    consumers = [consume("slow", handle=hang_once, group="orders", timeout=0.25)]
    async with consuming_orders("sqlite", tmp_path, consumers) as post:
        _ = await post.send("slow", {})
        await until(lambda: len(calls) == 2)

    assert calls == [1, 2]


async def test_the_end_waits_for_messages_under_way(tmp_path: Path) -> None:
    begun, finish, ended = asyncio.Event(), asyncio.Event(), []

    async def work_on(message: ReceivedMessage, kernel: Kernel, work: UnitOfWork) -> Outcome[Any]:
        begun.set()
        _ = await finish.wait()
        added = await work.repository("redemptions").add({"coupon": "late"})
        ended.append(added)
        return Success(None)

    async def open_and_close() -> None:
        async with consuming_orders(
            "sqlite", tmp_path, [consume("late", handle=work_on, group="orders")]
        ) as post:
            _ = await post.send("late", {})
            _ = await begun.wait()

    closing = asyncio.create_task(open_and_close())
    _ = await begun.wait()
    finish.set()
    await closing

    assert isinstance(ended[0], Success)


MISTAKES = {
    "neither command nor handle": (consume("a"), "give either command=… or handle=…"),
    "both": (consume("a", command="orders.create", handle=redeem), "give either command=… or handle=…"),
    "no such resource": (consume("a", command="ordres.create"), "did you mean 'orders'?"),
    "no such operation": (
        consume("a", command="orders.list"),
        "orders offers them orders.create, orders.delete",
    ),
    "a topic no broker has": (consume("a b", handle=redeem), "must be letters, digits, _ and -"),
    "a database without resources": (
        consume("a", handle=redeem, database="other"),
        "no resource lives in database",
    ),
    "attempts": (consume("a", handle=redeem, max_attempts=0), "at least 1"),
    "timeout": (consume("a", handle=redeem, timeout=0), "at least 0.25"),
}


@pytest.mark.parametrize(("consumer", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_consumer_is_told_at_start(consumer: Any, words: str) -> None:
    make: Any = container_of("memory")
    container = make(settings=settings_for("memory://"), consumers=[consumer])

    with pytest.raises(DeclarationError) as raised:
        _ = create_app(container)

    assert words in str(raised.value)


def test_a_topic_cannot_be_listened_to_twice_by_one_group() -> None:
    make: Any = container_of("memory")
    container = make(settings=settings_for("memory://"), consumers=[FUNCTION, FUNCTION])

    with pytest.raises(DeclarationError, match="listens to it twice"):
        _ = create_app(container)


CANNOT_CONSUME = {
    "no broker": ([FUNCTION], {}, (), "set events.broker_url"),
    "no consumers": ([], {"broker_url": "memory://"}, (), "the application declares no consumers"),
    "no such group": (
        [FUNCTION],
        {"broker_url": "memory://"},
        ["stock"],
        "no consumer has the group 'stock'",
    ),
}


@pytest.mark.parametrize(
    ("consumers", "events", "groups", "words"), CANNOT_CONSUME.values(), ids=CANNOT_CONSUME
)
async def test_says_why_it_cannot_consume(consumers: Any, events: Any, groups: Any, words: str) -> None:
    make: Any = container_of("memory")
    container = make(settings=settings_for("memory://", events=events), consumers=consumers)

    with pytest.raises(DeclarationError, match=words):
        async with open_consumers(container, groups):
            pass


async def test_a_server_handles_messages_beside_requests_where_the_settings_say_so() -> None:
    make: Any = container_of("memory")
    events = {"broker_url": "memory://", "consume": "embedded"}
    container = make(settings=settings_for("memory://", events=events), consumers=COMMANDS[:1])
    post = Post(container)

    async with opened(container) as client:
        placed = await created(post)
        answer = await client.get(f"/orders/{placed['id']}")

    assert answer.json()["number"] == placed["number"]


async def test_an_update_announces_itself_as_any_other(shop: Post) -> None:
    seen: list[Any] = []

    async def note(event: EntityUpdated) -> None:
        seen.append((event.actor, event.by_system))

    placed = await created(shop)
    end = shop.container.event_bus().subscribe(EntityUpdated, note)
    try:
        _ = await shop.send("orders.update", {"total": "3.00"}, subject=str(placed["id"]))
        await until(lambda: bool(seen))
    finally:
        end()

    assert seen == [("web-shop", False)]
