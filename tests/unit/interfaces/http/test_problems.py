"""Every error has its status, its headers and its words."""

import json
from typing import Any, get_args

import pytest

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
from fastapi_easy.interfaces.http.pages import MEANINGS, problem_page
from fastapi_easy.interfaces.http.problems import TITLES, ascii_json, problem_of, render

CASES: list[tuple[Any, int, dict[bytes, bytes]]] = [
    (Invalid((Fault("/a", "Wrong", "wrong"),)), 422, {}),
    (BadQuery("titel", "Is not a parameter", "title"), 400, {}),
    (Unauthenticated(), 401, {b"www-authenticate": b"Bearer"}),
    (Forbidden("books", "delete"), 403, {}),
    (Forbidden("books", "update", "price"), 403, {}),
    (NotFound("books", 1), 404, {}),
    (AlreadyExists("books", ("title",)), 409, {}),
    (AlreadyExists("books", ()), 409, {}),
    (ReferenceBroken("books", ("author_id",)), 409, {}),
    (ReferenceBroken("books", ()), 409, {}),
    (CheckFailed("books", ("price",), "positive"), 409, {}),
    (UnreadableEntity("books", (1, 2), ("a",)), 409, {}),
    (PositionExpired("books"), 410, {}),
    (Stale("books", 1, "abc"), 412, {b"etag": b'"abc"'}),
    (PreconditionRequired("books"), 428, {}),
    (IdempotencyMismatch("k"), 422, {}),
    (InFlight("k", 1.2), 409, {b"retry-after": b"2"}),
    (AlreadyHandled("m-1"), 409, {}),
    (TooLarge("body", 10), 413, {}),
    (RateLimited(0.1), 429, {b"retry-after": b"1"}),
    (LockHeld("l"), 409, {b"retry-after": b"1"}),
    (TooManyLocks("l"), 503, {b"retry-after": b"1"}),
    (LockLost("l"), 503, {b"retry-after": b"1"}),
    (Unavailable("db", 3), 503, {b"retry-after": b"3"}),
    (StorageFull("db"), 507, {}),
    (Deadlock("db", 3), 503, {b"retry-after": b"3"}),
    (SerializationConflict("db", 3), 503, {b"retry-after": b"3"}),
    (LockWaitTimeout("db", 3), 503, {b"retry-after": b"3"}),
    (DeadlineExceeded("db"), 504, {}),
    (OutcomeUnknown("db"), 503, {}),
    (Unsupported("books", "arrays"), 501, {}),
    (MigrationStopped("default", MigrationStop.DRIFT, "somebody has changed it"), 409, {}),
]


@pytest.mark.parametrize(("error", "status", "headers"), CASES, ids=lambda each: type(each).__name__)
def test_an_error_is_worded(error: Error, status: int, headers: dict[bytes, bytes]) -> None:
    problem = problem_of(error)
    body = json.loads(render(problem, "/books", "abc"))

    assert (problem.status, dict(problem.headers)) == (status, headers)
    assert body["code"] == error.code
    assert (body["status"], body["instance"], body["correlation_id"]) == (status, "/books", "abc")
    assert body["type"] == f"/problems/{error.code}"
    assert body["title"] == TITLES[error.code]
    assert body["detail"]


def test_every_error_is_tried_here() -> None:
    assert {type(error) for error, _, _ in CASES} == set(get_args(Error))


def test_every_problem_has_a_page() -> None:
    assert set(MEANINGS) == set(TITLES)
    assert all(problem_page(code).status_code == 200 for code in TITLES)


def test_what_is_behind_does_not_show() -> None:
    for error in (
        Unavailable("postgresql://secret@host"),
        OutcomeUnknown("secret"),
        CheckFailed("b", (), "secret"),
    ):
        assert b"secret" not in render(problem_of(error), "/", "c")


@pytest.mark.parametrize(
    ("error", "detail", "faults"),
    [
        (Forbidden("books", "update", "price"), "The field price in update on books is not permitted.", []),
        (Unsupported("books", "arrays"), "The store of books does not support arrays.", []),
        (
            CheckFailed("books", ("stock",), reason="Fewer copies are left."),
            "Fewer copies are left.",
            ["Fewer copies are left"],
        ),
        (
            CheckFailed("books", ("price",), "positive"),
            "The values violate a check constraint of the database.",
            ["The values violate a check constraint of the database"],
        ),
        (TooLarge("affected", 1, "entities"), "The change would affect more than 1 entity.", []),
        (
            AlreadyExists("stays", ("room_id", "arrival")),
            "room_id and arrival are already taken together.",
            ["Already taken", "Already taken"],
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_sentences_say_what_is_wrong_in_plain_words(error: Error, detail: str, faults: list[str]) -> None:
    problem = problem_of(error)

    assert (problem.detail, [each.message for each in problem.faults]) == (detail, faults)


@pytest.mark.parametrize("text", ["ä", "\ud800", "😀", "\x00"])
def test_a_body_is_ascii_whatever_it_tells_of(text: str) -> None:
    written = ascii_json({"a": text})

    assert written.isascii()
    assert json.loads(written) == {"a": text}
