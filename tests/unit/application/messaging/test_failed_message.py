"""What becomes of messages whose handling failed."""

import typing

import pytest

from fastapi_easy.application.messaging.failed_message import handling_of, reason_of
from fastapi_easy.domain import (
    AlreadyExists,
    AlreadyHandled,
    BadQuery,
    CheckFailed,
    DeadlineExceeded,
    Deadlock,
    Error,
    Fault,
    Forbidden,
    IdempotencyMismatch,
    InFlight,
    Invalid,
    LockHeld,
    LockLost,
    LockWaitTimeout,
    MigrationStop,
    MigrationStopped,
    NotFound,
    OutcomeUnknown,
    PositionExpired,
    PreconditionRequired,
    RateLimited,
    ReferenceBroken,
    SerializationConflict,
    Stale,
    StorageFull,
    TooLarge,
    TooManyLocks,
    Unauthenticated,
    Unavailable,
    UnreadableEntity,
    Unsupported,
)
from fastapi_easy.domain.ports.broker import Accept, Park, Redeliver

PARKED = [
    (Invalid((Fault("/title", "Is missing", "missing"),)), "invalid: /title: Is missing"),
    (BadQuery("prise", "Is not a parameter here"), "bad_query: prise: Is not a parameter here"),
    (Unauthenticated(), "unauthenticated"),
    (Forbidden("books", "create", "price"), "forbidden: create on books, field price"),
    (NotFound("books", 7), "not_found: books"),
    (AlreadyExists("books", ("title",)), "already_exists: books, title"),
    (ReferenceBroken("books", ("author_id",)), "reference_broken: books, author_id"),
    (CheckFailed("books", (), "price_positive"), "check_failed: books, price_positive"),
    (UnreadableEntity("books", 7, ("stars",)), "unreadable_entity: books, stars"),
    (PreconditionRequired("books"), "precondition_required: books"),
    (IdempotencyMismatch("k"), "idempotency_mismatch"),
    (TooLarge("answer", 10), "too_large: answer is larger than 10 bytes"),
    (TooLarge("affected", 1, "entities"), "too_large: The change would affect more than 1 entity"),
    (Unsupported("books", "arrays"), "unsupported: the store of books does not support arrays"),
    (
        MigrationStopped("default", MigrationStop.DRIFT, "somebody has changed it"),
        "migration_stopped: somebody has changed it",
    ),
    (PositionExpired("books"), "position_expired: books"),
]
DELIVERED_AGAIN = [
    RateLimited(7.0),
    InFlight("k", 7.0),
    LockHeld("till", 7.0),
    TooManyLocks("till", 7.0),
    OutcomeUnknown("default"),
    DeadlineExceeded("default"),
    LockLost("till"),
    Stale("books", 7, "3"),
]
WAITED_FOR = [
    kind("default", 7.0)
    for kind in (Unavailable, Deadlock, SerializationConflict, LockWaitTimeout, StorageFull)
]
ACCEPTED = [AlreadyHandled("m-1")]


def test_every_error_has_a_place() -> None:
    named = {
        type(each) for each in (*(error for error, _ in PARKED), *DELIVERED_AGAIN, *WAITED_FOR, *ACCEPTED)
    }

    assert named == set(typing.get_args(Error))


@pytest.mark.parametrize(("error", "reason"), PARKED, ids=lambda each: getattr(each, "code", ""))
def test_parks_what_the_message_is_to_blame_for(error: Error, reason: str) -> None:
    assert handling_of(error, 1, 8) == Park(reason)


@pytest.mark.parametrize("error", DELIVERED_AGAIN, ids=lambda each: each.code)
def test_delivers_again_what_may_pass_and_parks_it_after_the_last_attempt(error: Error) -> None:
    first, last = handling_of(error, 7, 8), handling_of(error, 8, 8)

    assert isinstance(first, Redeliver)
    assert last == Park(f"{reason_of(error)} (after 8 deliveries)")


@pytest.mark.parametrize("error", [*DELIVERED_AGAIN[:3], *WAITED_FOR], ids=lambda each: each.code)
def test_waits_as_long_as_the_error_says(error: Error) -> None:
    handling = handling_of(error, 1, 8)

    assert handling == Redeliver(7.0)


def test_never_parks_for_a_dependency_that_does_not_answer() -> None:
    assert isinstance(handling_of(Unavailable("default"), 500, 8), Redeliver)


def test_accepts_what_was_handled_before() -> None:
    assert handling_of(AlreadyHandled("m-1"), 3, 8) == Accept()


def test_an_error_in_words_never_repeats_what_was_sent_and_names_five_faults_at_most() -> None:
    faults = tuple(Fault(f"/{number}", "Is missing", "missing") for number in range(7))

    reason = reason_of(Invalid(faults))

    assert reason == "invalid: " + "; ".join(f"/{number}: Is missing" for number in range(5)) + "; …"
