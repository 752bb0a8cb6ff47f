"""Logging in: who is known gets a session, and whoever tries passwords has to wait."""

import asyncio
from dataclasses import dataclass, field

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.authentication.sessions.log_in import MAX_PASSWORD, LogIn, LogInHandler
from fastapi_easy.application.authentication.sessions.throttle import Throttle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.events import SessionOpened, SessionRefused
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.errors import Error, Invalid, Outcome, RateLimited, Unauthenticated, Unavailable
from fastapi_easy.domain.ports.attempt_counter import AttemptLimit
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.sessions.memory_attempts import MemoryAttemptCounter
from fastapi_easy.testing import FrozenClock, RecordingEventBus

ADA = Principal(
    id="user:1",
    roles=frozenset({"editor"}),
    tenant="acme",
    scopes=frozenset({"books:*"}),
    claims={"secret": 1},
)


WRONG = "wrong"


@dataclass
class Desk:
    """A log-in with one account, `ada`, whose password is `right`."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    events: RecordingEventBus = field(default_factory=RecordingEventBus)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False

    def __post_init__(self) -> None:
        throttle = Throttle(
            MemoryAttemptCounter(self.clock),
            by_account=AttemptLimit(free=3, delay=10.0),
            by_address=AttemptLimit(free=6, delay=10.0),
        )
        self.log_in = LogInHandler(self.verify, throttle, self.clock, self.events)

    async def verify(self, username: str, password: str) -> Principal | None:
        self.asked.append(username)
        await asyncio.sleep(0)
        if self.is_down:
            raise ConnectionError
        return ADA if (username.casefold(), password) == ("ada", "right") else None

    async def attempt(
        self, username: str, password: str = WRONG, address: str = "192.0.2.1"
    ) -> Outcome[Session]:
        return await self.log_in(LogIn(username, password), Context(address=address, correlation_id="c1"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def error_of(outcome: Outcome[Session]) -> Error:
    assert isinstance(outcome, Failure)
    return outcome.failure()


async def test_a_session_holds_who_has_logged_in_and_nothing_else(desk: Desk) -> None:
    session = (await desk.attempt("ada", "right")).unwrap()

    assert session.principal() == Principal(
        id=ADA.id,
        roles=ADA.roles,
        tenant=ADA.tenant,
        scopes=ADA.scopes,
        claims={"session_id": session.id},
    )
    assert session.opened_at == session.renewed_at == desk.clock.now()


async def test_each_session_has_an_id_that_nobody_had_before(desk: Desk) -> None:
    ids = {(await desk.attempt("ada", "right")).unwrap().id for _ in range(10)}

    assert len(ids) == 10
    assert min(map(len, ids)) >= 22


async def test_a_wrong_password_and_an_unknown_account_have_the_same_answer(desk: Desk) -> None:
    assert (
        error_of(await desk.attempt("ada"))
        == error_of(await desk.attempt("bob"))
        == Unauthenticated("Session")
    )
    assert desk.asked == ["ada", "bob"]


@pytest.mark.parametrize("account", ["ada", "nobody"])
async def test_an_account_is_not_looked_at_while_it_has_to_wait(desk: Desk, account: str) -> None:
    for _ in range(3):
        _ = await desk.attempt(account)

    refused = await desk.attempt(account, "right")

    assert error_of(refused) == RateLimited(10.0)
    assert len(desk.asked) == 3


async def test_an_account_waits_wherever_it_is_tried_from_and_however_it_is_written(desk: Desk) -> None:
    for number, name in enumerate(["ada", "ADA", " Ada "]):
        _ = await desk.attempt(name, address=f"192.0.2.{number}")

    assert isinstance(
        error_of(await desk.attempt("\N{FULLWIDTH LATIN SMALL LETTER A}da", address="198.51.100.1")),
        RateLimited,
    )


async def test_twenty_attempts_at_the_same_time_look_at_three_passwords(desk: Desk) -> None:
    _ = await asyncio.gather(*(desk.attempt("ada", f"guess {number}") for number in range(20)))

    assert len(desk.asked) == 3


async def test_success_forgets_the_failures_of_the_account(desk: Desk) -> None:
    for _ in range(4):
        _ = await desk.attempt("ada")
        _ = await desk.attempt("ada")
        assert isinstance(await desk.attempt("ada", "right", address=""), Success)
        desk.clock.advance(3601)


async def test_success_does_not_forget_the_failures_of_the_address(desk: Desk) -> None:
    for number in range(5):
        _ = await desk.attempt(f"victim {number}")
        assert isinstance(await desk.attempt("ada", "right"), Success)
    _ = await desk.attempt("victim 5")

    assert isinstance(error_of(await desk.attempt("ada", "right")), RateLimited)


async def test_an_address_may_log_in_as_often_as_it_knows_the_password(desk: Desk) -> None:
    for _ in range(20):
        assert isinstance(await desk.attempt("ada", "right"), Success)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix", "unix", True),
    ],
)
async def test_an_address_of_ipv6_stands_for_its_network(
    desk: Desk, one: str, other: str, is_same: bool
) -> None:
    for number in range(6):
        _ = await desk.attempt(f"victim {number}", address=one)

    limited = isinstance(error_of(await desk.attempt("last", address=other)), RateLimited)

    assert limited is is_same


async def test_an_attempt_that_was_refused_for_its_account_does_not_count_for_the_address(desk: Desk) -> None:
    for _ in range(20):
        _ = await desk.attempt("ada")

    assert isinstance(error_of(await desk.attempt("bob")), Unauthenticated)


async def test_a_check_that_fails_counts_as_no_attempt(desk: Desk) -> None:
    desk.is_down = True
    for _ in range(10):
        with pytest.raises(ConnectionError):
            _ = await desk.attempt("ada", "right")
    desk.is_down = False

    assert isinstance(await desk.attempt("ada", "right"), Success)


async def test_a_counter_that_is_down_lets_nobody_in() -> None:
    class Down(MemoryAttemptCounter):
        async def begin(self, name: str, limit: AttemptLimit, /) -> Outcome[float]:
            return Failure(Unavailable("attempts"))

    desk = Desk()
    limit = AttemptLimit()
    log_in = LogInHandler(desk.verify, Throttle(Down(desk.clock), limit, limit), desk.clock, desk.events)

    assert error_of(await log_in(LogIn("ada", "right"), Context())) == Unavailable("attempts")
    assert desk.asked == []


@pytest.mark.parametrize(
    ("username", "password"), [("", "x"), ("ada", ""), ("a" * 256, "x"), ("ada", "x" * 1025)]
)
async def test_what_can_be_no_password_is_not_looked_at(desk: Desk, username: str, password: str) -> None:
    assert MAX_PASSWORD == 1024
    assert isinstance(error_of(await desk.attempt(username, password)), Invalid)
    assert desk.asked == []


async def test_events_tell_who_logged_in_and_who_was_refused_and_never_a_password(desk: Desk) -> None:
    for password in ("right", "wrong one", "wrong two", "wrong three", "wrong four"):
        _ = await desk.attempt("ada", password)

    opened, *refused = desk.events.events
    assert isinstance(opened, SessionOpened)
    assert (opened.name, opened.key, opened.tenant, opened.address) == (
        "session.opened",
        "user:1",
        "acme",
        "192.0.2.1",
    )
    assert [each.throttled for each in refused if isinstance(each, SessionRefused)] == [
        False,
        False,
        False,
        True,
    ]
    assert {each.name for each in refused} == {"session.refused"}
    assert "wrong" not in repr([*desk.events.events, LogIn("ada", "wrong one")])
