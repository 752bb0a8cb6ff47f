"""Messages are delivered to webhooks: to each in their order, and a webhook that is down stops only itself."""

import asyncio
import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.webhooks.deliver_webhooks import DeliverWebhooks
from fastapi_easy.application.webhooks.delivery import DeliveryLimits, DeliveryPorts
from fastapi_easy.application.webhooks.signed_posts import SignedPosts
from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports.webhook_sender import PostResult
from fastapi_easy.domain.ports.webhook_store import Webhook
from fastapi_easy.domain.webhooks.events import WebhookDisabled
from fastapi_easy.domain.webhooks.signing import generate_secret
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.webhooks.memory import MemoryWebhookStore
from fastapi_easy.testing import FrozenClock, RecordingEventBus
from fastapi_easy.webhooks import verify

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
DELIVERED = PostResult(status=200)
DOWN = PostResult(error="no connection")
SECRET = generate_secret()

Answer = Callable[[int], PostResult]


def message(position: int, name: str = "books.created", tenant: str | None = None) -> OutboxMessage:
    resource, _, verb = name.partition(".")
    return OutboxMessage(
        id=uuid.UUID(int=position),
        number=position,
        position=position,
        resource=resource,
        verb=verb,
        entity="e",
        key=position,
        tenant=tenant,
        occurred_at=NOW,
    )


@dataclass
class Messages:
    """The part of an `Outbox` that deliveries use."""

    kept: list[OutboxMessage] = field(default_factory=list)
    is_unavailable: bool = False

    async def last_position(self) -> Any:
        if self.is_unavailable:
            return Failure(Unavailable("default"))
        return Success(max((each.position or 0 for each in self.kept), default=0))

    async def read_after(self, position: int, limit: int, /) -> Any:
        after = [each for each in self.kept if (each.position or 0) > position]
        return Success((after[:limit], False))


@dataclass
class Receivers:
    """Implements `WebhookSender`; answers by URL, and remembers what was delivered where."""

    answers: dict[str, Callable[[int], PostResult]] = field(default_factory=dict)
    delays: dict[str, asyncio.Event] = field(default_factory=dict)
    posted: list[tuple[str, int]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    closed: int = 0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, /) -> PostResult:
        position = int(body)
        self.posted.append((url, position))
        self.headers.append(headers)
        if url in self.delays:
            await self.delays[url].wait()
        return self.answers.get(url, lambda _: DELIVERED)(position)

    async def aclose(self) -> None:
        self.closed += 1

    def at(self, url: str) -> list[int]:
        return [position for posted_to, position in self.posted if posted_to == url]


class CountingStore(MemoryWebhookStore):
    """Notes how much had been posted whenever a webhook was claimed."""

    def __init__(self, receivers: Receivers) -> None:
        super().__init__(MemoryDatabase("default"))
        self._receivers = receivers
        self.claimed_after: list[int] = []

    async def claim(self, last_position: int, lease: float, /) -> Any:
        claimed = await super().claim(last_position, lease)
        if claimed.unwrap() is not None:
            self.claimed_after.append(len(self._receivers.posted))
        return claimed


class Hall:
    """Webhooks in memory, and what delivers to them."""

    def __init__(self, **limits: Any) -> None:
        self.clock = FrozenClock(NOW)
        self.events = RecordingEventBus()
        self.messages = Messages()
        self.receivers = Receivers()
        self.store = CountingStore(self.receivers)
        # Whoever has failed is due at once.
        self.limits = DeliveryLimits(**{"backoff": Backoff(first=0.0, longest=0.0), **limits})

    def deliverer(self) -> DeliverWebhooks:
        posts = SignedPosts(self.receivers, StoredSecrets(None), self.clock)
        ports = DeliveryPorts(
            store=self.store,
            outbox=self.messages,  # type: ignore[arg-type]
            posts=posts,
            encode=lambda each: str(each.position).encode(),
            clock=self.clock,
            events=self.events,
        )
        return DeliverWebhooks("default", ports, self.limits)

    async def add(self, url: str, **others: Any) -> None:
        defaults = {"position": 0, "secrets": (SECRET,), "created_at": NOW}
        _ = await self.store.add(Webhook(id=url, url=url, **{**defaults, **others}))

    async def webhook(self, url: str) -> Webhook:
        return next(each for each in (await self.store.find_all()).unwrap() if each.id == url)


def failing_at(*positions: int, result: PostResult = DOWN, times: int = 1_000_000) -> Answer:
    left = dict.fromkeys(positions, times)

    def answer(position: int) -> PostResult:
        if left.get(position, 0) > 0:
            left[position] -= 1
            return result
        return DELIVERED

    return answer


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60.0):
        while not is_so():  # noqa: ASYNC110 (what is awaited has no event)
            await asyncio.sleep(0.001)


async def run_until_idle(*tasks: DeliverWebhooks) -> None:
    while any([await each.run_once() for each in tasks]):
        pass


async def test_every_webhook_gets_every_message_in_order() -> None:
    hall = Hall(batch=2)
    hall.messages.kept = [message(position) for position in (1, 2, 3, 5, 8)]
    for url in "ab":
        await hall.add(url)

    assert await hall.deliverer().run_once()

    assert hall.receivers.at("a") == hall.receivers.at("b") == [1, 2, 3, 5, 8]
    assert (await hall.webhook("a")).position == 8
    assert not await hall.deliverer().run_once()


async def test_each_post_is_signed_and_has_the_id_of_the_event() -> None:
    hall = Hall()
    hall.messages.kept = [message(7)]
    await hall.add("a", secrets=(generate_secret(), SECRET))

    assert await hall.deliverer().run_once()

    (headers,) = hall.receivers.headers
    assert verify(headers, b"7", SECRET, now=NOW) == str(uuid.UUID(int=7))
    assert headers["content-type"] == "application/cloudevents+json"
    assert len(headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    ("choice", "positions"),
    [
        ({}, [1, 2, 3, 4]),
        ({"events": ("books.created",)}, [1, 4]),
        ({"events": ("books.*",)}, [1, 2, 4]),
        ({"events": ("book.*", "b.*", "books")}, []),
        ({"events": ("books.updated", "orders.deleted")}, [2, 3]),
        ({"tenant": "acme"}, [3, 4]),
        ({"tenant": "acme", "events": ("books.*",)}, [4]),
        ({"tenant": ""}, []),
    ],
    ids=["all", "one name", "a resource", "no such resource", "two names", "a tenant", "both", "no tenant"],
)
async def test_a_webhook_gets_what_it_wants(choice: dict[str, Any], positions: list[int]) -> None:
    hall = Hall()
    hall.messages.kept = [
        message(1),
        message(2, "books.updated", "other"),
        message(3, "orders.deleted", "acme"),
        message(4, tenant="acme"),
    ]
    await hall.add("a", **choice)

    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("a") == positions
    assert (await hall.webhook("a")).position == 4, "what it does not want is behind it as well"


async def test_a_webhook_that_is_down_stops_only_itself() -> None:
    hall = Hall(backoff=Backoff(first=3600.0, longest=3600.0), concurrency=1)
    hall.messages.kept = [message(1), message(2), message(3)]
    hall.receivers.answers["down"] = failing_at(2)
    for url in ("down", "up"):
        await hall.add(url)

    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("up") == [1, 2, 3]
    assert hall.receivers.at("down") == [1, 2], "nothing overtakes the message that failed"
    down = await hall.webhook("down")
    assert (down.position, down.attempts, down.error, down.disabled) == (1, 1, "no connection", False)


async def test_a_webhook_that_hangs_does_not_keep_others_waiting() -> None:
    hall = Hall()
    hall.messages.kept = [message(1)]
    hall.receivers.delays["hangs"] = asyncio.Event()
    for url in ("hangs", "up"):
        await hall.add(url)
    running = asyncio.create_task(hall.deliverer().run_once())
    await until(lambda: hall.receivers.at("up") == [1])
    hall.messages.kept.append(message(2))
    await until(lambda: hall.receivers.at("up") == [1, 2])

    assert hall.receivers.at("hangs") == [1]
    hall.receivers.delays["hangs"].set()
    assert await running
    assert hall.receivers.at("hangs") == [1, 2]


async def test_a_message_that_failed_is_tried_again_and_then_all_goes_on() -> None:
    hall = Hall()
    hall.messages.kept = [message(1), message(2), message(3)]
    hall.receivers.answers["a"] = failing_at(2, times=3)
    await hall.add("a")

    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("a") == [1, 2, 2, 2, 2, 3]
    webhook = await hall.webhook("a")
    assert (webhook.position, webhook.attempts, webhook.error) == (3, 0, "")


async def test_after_too_many_failures_it_is_disabled_until_an_operator_enables_it() -> None:
    hall = Hall(max_attempts=5)
    hall.messages.kept = [message(1, "orders.created"), message(2), message(3)]
    hall.receivers.answers["a"] = failing_at(2, result=PostResult(status=500), times=5)
    await hall.add("a", events=("books.*",))

    await run_until_idle(hall.deliverer())

    disabled = await hall.webhook("a")
    assert (disabled.disabled, disabled.attempts, disabled.error) == (True, 5, "HTTP 500")
    assert hall.receivers.at("a") == [2] * 5
    (event,) = hall.events.events
    assert isinstance(event, WebhookDisabled)
    assert (event.key, event.error) == ("a", "HTTP 500")

    _ = await hall.store.change(replace(disabled, disabled=False))
    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("a") == [2] * 5 + [2, 3], "it goes on from where it was"


async def test_failures_count_in_a_row_only() -> None:
    hall = Hall(max_attempts=3)
    hall.messages.kept = [message(position) for position in range(1, 5)]
    hall.receivers.answers["a"] = failing_at(1, 2, 3, 4, times=2)
    await hall.add("a")

    await run_until_idle(hall.deliverer())

    assert (await hall.webhook("a")).position == 4
    assert hall.receivers.at("a") == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]


async def test_what_is_not_wanted_between_does_not_forget_failures() -> None:
    """Also when many messages that nobody wants stand before the one that fails."""
    hall = Hall(max_attempts=4, batch=3)
    hall.messages.kept = [*(message(each, "orders.created") for each in range(1, 8)), message(8)]
    hall.receivers.answers["a"] = failing_at(8)
    await hall.add("a", events=("books.*",))

    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("a") == [8] * 4
    assert (await hall.webhook("a")).disabled


async def test_a_receiver_that_is_gone_is_disabled_at_once() -> None:
    hall = Hall()
    hall.messages.kept = [message(1)]
    hall.receivers.answers["a"] = failing_at(1, result=PostResult(status=410))
    await hall.add("a")

    await run_until_idle(hall.deliverer())

    webhook = await hall.webhook("a")
    assert (webhook.disabled, webhook.attempts, webhook.error) == (True, 1, "HTTP 410")


@pytest.mark.parametrize(
    ("result", "seconds"),
    [
        (PostResult(status=503, retry_after=100.0), 100.0),
        (PostResult(status=429, retry_after=100.0), 100.0),
        (PostResult(status=429, retry_after=1e9), 1000.0),
        (PostResult(status=500, retry_after=100.0), 0.0),
        (PostResult(status=503), 0.0),
    ],
    ids=["busy", "too many requests", "longer than is waited", "other status", "does not say"],
)
async def test_a_receiver_may_ask_to_be_left_alone(result: PostResult, seconds: float) -> None:
    hall = Hall(longest_wait=1000.0)
    hall.messages.kept = [message(1)]
    hall.receivers.answers["a"] = failing_at(1, result=result, times=1)
    await hall.add("a")
    claim = (await hall.store.claim(1, 60.0)).unwrap()
    assert claim is not None
    await hall.store.release(claim)
    before = datetime.datetime.now(datetime.UTC)

    assert await hall.deliverer().run_once()

    if not seconds:
        assert hall.receivers.at("a") == [1, 1]
        return
    assert hall.receivers.at("a") == [1]
    retry_at = (await hall.webhook("a")).retry_at
    assert retry_at is not None
    assert retry_at - before >= datetime.timedelta(seconds=seconds)


async def test_the_wait_after_a_failure_grows_up_to_a_limit() -> None:
    backoff = Backoff(first=1.0, longest=3600.0)

    assert all(0.0 <= backoff.delay(1) <= 1.0 for _ in range(50))
    assert all(backoff.delay(1000) <= 3600.0 for _ in range(50))


async def test_redirects_are_failures_that_say_so() -> None:
    hall = Hall(max_attempts=1)
    hall.messages.kept = [message(1)]
    hall.receivers.answers["a"] = failing_at(1, result=PostResult(status=302))
    await hall.add("a")

    await run_until_idle(hall.deliverer())

    assert (await hall.webhook("a")).error == "HTTP 302: redirects are not followed"


async def test_several_deliverers_share_the_work() -> None:
    hall = Hall(concurrency=2, batch=3)
    hall.messages.kept = [message(position) for position in range(1, 11)]
    urls = "abcdefgh"
    for url in urls:
        await hall.add(url)

    await asyncio.gather(*(run_until_idle(hall.deliverer()) for _ in range(3)))

    for url in urls:
        assert hall.receivers.at(url) == list(range(1, 11)), "each message once, in order"


async def test_a_deliverer_that_was_too_slow_stops_when_another_has_taken_over() -> None:
    hall = Hall(lease=0.0, timeout=0.0, concurrency=1)
    hall.messages.kept = [message(1), message(2)]
    hall.receivers.delays["a"] = asyncio.Event()
    await hall.add("a")
    slow = asyncio.create_task(hall.deliverer().run_once())
    await until(lambda: hall.receivers.at("a") == [1])
    other = (await hall.store.claim(2, 600.0)).unwrap()
    assert other is not None

    hall.receivers.delays["a"].set()
    assert await slow

    assert hall.receivers.at("a") == [1], "what comes next is for the other one"
    assert (await hall.webhook("a")).position == 0


async def test_nothing_is_begun_near_the_end_of_a_claim() -> None:
    hall = Hall(lease=60.0, timeout=15.0)
    hall.messages.kept = [message(position) for position in range(1, 6)]

    def slow(_: int) -> PostResult:
        hall.clock.advance(14.0)
        return DELIVERED

    hall.receivers.answers["a"] = slow
    await hall.add("a")
    await run_until_idle(hall.deliverer())

    assert hall.receivers.at("a") == [1, 2, 3, 4, 5]
    # A request may begin in the first 30 seconds of 60, and may then take 15.
    assert hall.store.claimed_after == [0, 3]


async def test_a_cancelled_delivery_gives_its_claim_back() -> None:
    hall = Hall()
    hall.messages.kept = [message(1)]
    hall.receivers.delays["a"] = asyncio.Event()
    await hall.add("a")
    running = asyncio.create_task(hall.deliverer().run_once())
    await until(lambda: hall.receivers.at("a") == [1])

    _ = running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert hall.receivers.closed
    hall.receivers.delays["a"].set()
    assert await hall.deliverer().run_once()
    assert hall.receivers.at("a") == [1, 1], "the same message once more, and none is lost"


async def test_a_deliverer_that_finishes_ends_after_the_request_under_way() -> None:
    hall = Hall()
    hall.messages.kept = [message(1), message(2)]
    hall.receivers.delays["a"] = asyncio.Event()
    await hall.add("a")
    task = hall.deliverer()
    running = asyncio.create_task(task.run_once())
    await until(lambda: hall.receivers.at("a") == [1])

    task.finish()
    hall.receivers.delays["a"].set()
    assert await running

    assert hall.receivers.at("a") == [1]
    assert (await hall.webhook("a")).position == 1
    assert not await task.run_once()
    assert await hall.deliverer().run_once()
    assert hall.receivers.at("a") == [1, 2]


async def test_a_database_that_does_not_answer_is_no_failure_of_the_webhook() -> None:
    hall = Hall()
    hall.messages.kept = [message(1)]
    await hall.add("a")
    hall.messages.is_unavailable = True

    assert not await hall.deliverer().run_once()

    assert (await hall.webhook("a")).attempts == 0
    hall.messages.is_unavailable = False
    assert await hall.deliverer().run_once()


async def test_a_secret_that_cannot_be_decrypted_is_a_failure_that_says_so() -> None:
    hall = Hall(max_attempts=1)
    hall.messages.kept = [message(1)]
    await hall.add("a", secrets=("fe1:lost:AAAA",))

    await run_until_idle(hall.deliverer())

    assert not hall.receivers.posted
    assert "encryption.keys" in (await hall.webhook("a")).error


def test_a_webhook_in_a_log_shows_no_secret() -> None:
    webhook = Webhook(id="a", url="https://a", secrets=(SECRET,), position=0, created_at=NOW)

    assert SECRET not in repr(webhook)
