"""An outbox in a list, and a broker whose answers a test decides, for tests of the relay alone."""

import datetime
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxLag, OutboxMessage, ParkedMessage
from fastapi_easy.domain.ports.broker import BrokerMessage, Subscription
from fastapi_easy.testing import FrozenClock

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def message(number: int, entity: str, *, position: int | None = None) -> OutboxMessage:
    return OutboxMessage(
        id=uuid.UUID(int=number),
        number=number,
        position=position,
        resource="books",
        verb="updated",
        entity=entity,
        key=entity,
        occurred_at=NOW,
        values={"number": number},
    )


def encode(given: OutboxMessage) -> BrokerMessage:
    return BrokerMessage(
        id=str(given.id), topic=given.name, key=given.entity, body=f"{given.entity}{given.number}".encode()
    )


@dataclass
class _Row:
    message: OutboxMessage
    attempts: int = 0
    claim: uuid.UUID | None = None
    claimed_until: float = 0.0
    not_before: float = 0.0
    error: str | None = None
    is_parked: bool = False


@dataclass
class ListOutbox:
    """Implements `Outbox` with rows in a list; a test may look at them, and let calls fail.

    Attributes:
        unavailable: Names of methods that fail.
    """

    clock: FrozenClock
    rows: list[_Row] = field(default_factory=list)
    published: list[OutboxMessage] = field(default_factory=list)
    unavailable: set[str] = field(default_factory=set)

    def add(self, *messages: OutboxMessage) -> None:
        self.rows += [_Row(each) for each in messages]

    def row(self, number: int) -> _Row:
        return next(each for each in self.rows if each.message.number == number)

    @property
    def claimed(self) -> list[int]:
        return [each.message.number for each in self.rows if each.claim is not None]

    def _answer(self, method: str) -> Failure[Unavailable] | None:
        return Failure(Unavailable("database")) if method in self.unavailable else None

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        return Success(())

    async def claim(self, limit: int, lease: float, /) -> Outcome[Sequence[ClaimedMessage]]:
        if failed := self._answer("claim"):
            return failed
        now, seen, claims = self.clock.monotonic(), set[str](), list[ClaimedMessage]()
        for row in self.rows:
            if row.message.entity in seen:
                continue
            seen.add(row.message.entity)
            is_free = row.claim is None or row.claimed_until <= now
            if row.is_parked or row.not_before > now or not is_free or len(claims) == limit:
                continue
            row.claim, row.claimed_until, row.attempts = uuid.uuid4(), now + lease, row.attempts + 1
            claims.append(ClaimedMessage(message=row.message, claim=row.claim, attempts=row.attempts))
        return Success(claims)

    def _held(self, claim: ClaimedMessage) -> _Row | None:
        return next((each for each in self.rows if each.claim == claim.claim), None)

    async def mark_published(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        if failed := self._answer("mark_published"):
            return failed
        held = [row for each in claims if (row := self._held(each)) is not None]
        for row in held:
            self.rows.remove(row)
            self.published.append(row.message)
        return Success(len(held))

    async def release(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        held = [row for each in claims if (row := self._held(each)) is not None]
        for row in held:
            row.claim, row.attempts = None, row.attempts - 1
        return Success(len(held))

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str, /) -> Outcome[bool]:
        row = self._held(claim)
        if row is not None:
            row.claim, row.not_before, row.error = None, self.clock.monotonic() + delay, error
        return Success(row is not None)

    async def park(self, claim: ClaimedMessage, error: str, /) -> Outcome[bool]:
        row = self._held(claim)
        if row is not None:
            row.claim, row.is_parked, row.error = None, True, error
        return Success(row is not None)

    async def lag(self) -> Outcome[OutboxLag]:
        parked = {each.message.entity for each in self.rows if each.is_parked}
        waiting = [each for each in self.rows if each.message.entity not in parked]
        behind = len(self.rows) - len(waiting) - sum(each.is_parked for each in self.rows)
        return Success(
            OutboxLag(
                waiting=len(waiting),
                oldest=float(bool(waiting)),
                parked=sum(each.is_parked for each in self.rows),
                behind_parked=behind,
            )
        )

    async def find_parked(self, limit: int, /) -> Outcome[Sequence[ParkedMessage]]:
        return Success(
            [
                ParkedMessage(
                    message=each.message,
                    attempts=each.attempts,
                    error=each.error or "",
                    parked_at=NOW,
                    waiting=sum(
                        one.message.entity == each.message.entity and one is not each for one in self.rows
                    ),
                )
                for each in self.rows
                if each.is_parked
            ][:limit]
        )

    async def retry_parked(self, message_id: uuid.UUID | None, /) -> Outcome[int]:
        found = [each for each in self.rows if each.is_parked and message_id in {None, each.message.id}]
        for each in found:
            each.is_parked, each.attempts = False, 0
        return Success(len(found))

    async def drop_parked(self, message_id: uuid.UUID, /) -> Outcome[bool]:
        found = [each for each in self.rows if each.is_parked and each.message.id == message_id]
        for each in found:
            self.rows.remove(each)
        return Success(bool(found))

    async def assign_positions(self, limit: int, /) -> Outcome[int]:
        return Success(0)

    async def read_after(self, position: int, limit: int, /) -> Outcome[tuple[Sequence[OutboxMessage], bool]]:
        return Success(([], False))

    async def last_position(self) -> Outcome[int]:
        return Success(0)

    async def first_position(self) -> Outcome[int]:
        return Success(1)

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Outcome[Sequence[OutboxMessage]]:
        kept = self.published if published else [*self.published, *(each.message for each in self.rows)]
        return Success(
            [each for each in kept if each.position is not None and each.occurred_at < before][:limit]
        )

    async def remove(self, message_ids: Sequence[uuid.UUID], /) -> Outcome[int]:
        before = len(self.published) + len(self.rows)
        self.published = [each for each in self.published if each.id not in message_ids]
        self.rows = [each for each in self.rows if each.message.id not in message_ids]
        return Success(before - len(self.published) - len(self.rows))


Answer = Callable[[BrokerMessage], Awaitable[Outcome[None]]]


async def confirm(_: BrokerMessage) -> Outcome[None]:
    return Success(None)


async def silence(_: BrokerMessage) -> Outcome[None]:
    return Failure(Unavailable("broker"))


@dataclass
class DecidedBroker:
    """Implements `Broker`: keeps what it has confirmed, and answers as a test decides.

    Attributes:
        answer: Answers each message.

        confirmed: The bodies it has confirmed, in order.

        asked: How often it was asked to publish.
    """

    answer: Answer = confirm
    confirmed: list[str] = field(default_factory=list)
    asked: int = 0
    name: str = "broker"
    is_open: bool = True

    async def open(self) -> Outcome[None]:
        return Success(None) if self.is_open else Failure(Unavailable("broker"))

    async def publish(self, message: BrokerMessage, /) -> Outcome[None]:
        self.asked += 1
        answered = await self.answer(message)
        if isinstance(answered, Success):
            self.confirmed.append(message.body.decode())
        return answered

    async def subscribe(self, subscription: Subscription, /) -> Outcome[None]:
        raise NotImplementedError

    async def check(self) -> Outcome[None]:
        return await self.open()

    async def close(self, grace: float = 10.0) -> None:
        self.is_open = False


def positioned(given: OutboxMessage, position: int) -> OutboxMessage:
    return replace(given, position=position)
