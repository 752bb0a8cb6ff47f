"""What a transaction of MongoDB does when the server has ended it, at moments no real server can be brought to."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure

from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    CallRejected,
    CommitOutcomeUnknown,
    TransactionLost,
    entity_not_found,
)
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance import TOKENS


def conflict() -> OperationFailure:
    return OperationFailure("WriteConflict", 112, {"code": 112, "errorLabels": ["TransientTransactionError"]})


def unknown() -> AutoReconnect:
    lost = AutoReconnect("no answer")
    lost._add_error_label("UnknownTransactionCommitResult")
    return lost


class Sessions:
    """Stands for the client: hands out sessions by number, and says of each how it ended."""

    def __init__(self, *commits: Exception | None) -> None:
        self.options = ConnectionOptions(lock_timeout=0.2)
        self.ends: list[str] = []
        self._commits = list(commits)

    async def begin(self) -> int:
        self.ends.append("open")
        return len(self.ends) - 1

    async def commit(self, session: int) -> None:
        answer = self._commits.pop(0) if self._commits else None
        if answer is not None:
            raise answer
        self.ends[session] = "committed"

    async def discard(self, session: int) -> None:
        if self.ends[session] == "open":
            self.ends[session] = "undone"


class Script:
    """A piece of work that answers, or raises, what it was told, one after the other; the last stays."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.sessions: list[Any] = []

    async def __call__(self, session: Any) -> Any:
        self.sessions.append(session)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def begun(*commits: Exception | None, real: bool = True) -> tuple[Transaction, Sessions]:
    sessions: Any = Sessions(*commits)

    async def asks() -> bool:
        return real

    return Transaction(sessions, asks), sessions


async def test_everything_happens_in_one_session_that_is_committed():
    transaction, client = begun()
    first, second = Script(1), Script(2)

    answers = [await transaction.write(first), await transaction.read(second)]
    await transaction.commit()

    assert (answers, first.sessions, second.sessions) == ([1, 2], [0], [0])
    assert client.ends == ["committed"]


async def test_after_a_conflict_earlier_writes_are_replayed():
    transaction, client = begun()
    first, second = Script("a"), Script(conflict(), conflict(), "b")

    _ = await transaction.write(first)
    answer = await transaction.write(second)
    await transaction.commit()

    assert (answer, first.sessions, second.sessions) == ("b", [0, 1, 2], [0, 1, 2])
    assert client.ends == ["undone", "undone", "committed"]


async def test_a_rejected_write_is_not_retried_and_keeps_earlier_writes():
    transaction, client = begun()
    first, taken = Script("a"), Script(DuplicateKeyError("taken", 11000))

    _ = await transaction.write(first)
    with pytest.raises(DuplicateKeyError):
        await transaction.write(taken)
    await transaction.commit()

    assert (first.sessions, taken.sessions) == ([0, 1], [0])
    assert client.ends == ["undone", "committed"]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param("another", id="it comes out otherwise"),
        pytest.param(DuplicateKeyError("taken", 11000), id="its value is taken by now"),
        pytest.param(entity_not_found(resource_from(TOKENS, "tokens", dict), 1), id="it is gone by now"),
    ],
)
async def test_a_write_that_cannot_be_replayed_loses_the_transaction(again: Any):
    transaction, client = begun()

    _ = await transaction.write(Script("a", again))
    with pytest.raises(TransactionLost):
        await transaction.write(Script(conflict(), "b"))
    for attempt in (transaction.commit(), transaction.read(Script(1))):
        with pytest.raises(TransactionLost):
            await attempt
    await transaction.close()

    assert "committed" not in client.ends
    assert "open" not in client.ends


async def test_a_conflict_that_lasts_fails_the_write_and_keeps_earlier_writes():
    transaction, client = begun()

    _ = await transaction.write(Script("a"))
    with pytest.raises(OperationFailure):
        await transaction.write(Script(conflict()))
    await transaction.commit()

    assert client.ends[-1] == "committed"


async def test_a_call_the_adapter_rejects_is_not_retried():
    transaction, client = begun()
    refused = Script(entity_not_found(resource_from(TOKENS, "tokens", dict), 1))

    with pytest.raises(CallRejected):
        await transaction.write(refused)
    await transaction.commit()

    assert (refused.sessions, client.ends) == ([0], ["committed"])


@pytest.mark.parametrize(
    ("written", "tries"), [pytest.param([], 2, id="nothing yet"), pytest.param(["a"], 1, id="something")]
)
async def test_a_lost_connection_is_retried_once_and_only_before_any_write(written: list[str], tries: int):
    transaction, client = begun()
    silent = Script(AutoReconnect("no answer"))

    for each in written:
        _ = await transaction.write(Script(each))
    with pytest.raises(AutoReconnect):
        await transaction.read(silent)
    with pytest.raises(TransactionLost):
        await transaction.commit()
    await transaction.close()

    assert len(silent.sessions) == tries
    assert set(client.ends) == {"undone"}


async def test_a_commit_without_an_answer_is_sent_again():
    transaction, client = begun(unknown(), None)

    _ = await transaction.write(Script("a"))
    await transaction.commit()

    assert client.ends == ["committed"]


async def test_a_commit_without_any_answer_has_an_unknown_outcome():
    transaction, client = begun(unknown(), AutoReconnect("still none"))

    _ = await transaction.write(Script("a"))
    with pytest.raises(CommitOutcomeUnknown):
        await transaction.commit()
    with pytest.raises(TransactionLost):
        await transaction.read(Script(1))
    await transaction.close()

    assert "committed" not in client.ends


async def test_a_commit_in_conflict_is_retried():
    transaction, client = begun(conflict(), None)
    written = Script("a")

    _ = await transaction.write(written)
    await transaction.commit()

    assert (written.sessions, client.ends) == ([0, 1], ["undone", "committed"])


async def test_a_cancelled_call_loses_the_transaction():
    transaction, client = begun()

    async def given_up(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await transaction.write(given_up)
    with pytest.raises(TransactionLost):
        await transaction.commit()
    await transaction.rollback()
    answer = await transaction.read(Script("anew"))
    await transaction.close()

    assert (answer, client.ends) == ("anew", ["undone", "undone"])


@pytest.mark.parametrize("make", [lambda: begun(real=False)[0], lambda: Transaction(Sessions())])
async def test_without_transactions_every_call_commits_by_itself(make: Callable[[], Transaction]):
    transaction = make()
    written = Script("a")

    assert await transaction.write(written) == "a"
    with pytest.raises(DuplicateKeyError):
        await transaction.write(Script(DuplicateKeyError("taken", 11000)))
    await transaction.commit()
    await transaction.close()

    assert written.sessions == [None]
    assert transaction.is_unprotected
