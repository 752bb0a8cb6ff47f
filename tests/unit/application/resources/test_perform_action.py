"""What an action of the user's own is promised: a unit of work that is committed only when it succeeds."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.application.resources.perform_action import (
    Action,
    PerformAction,
    PerformActionHandler,
    find_action_mistakes,
)
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import (
    Fault,
    Invalid,
    Key,
    NotFound,
    Outcome,
    OutcomeUnknown,
    PreconditionRequired,
    Stale,
)
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.declaring.action_names import action_name, name_actions
from tests.unit.application.fakes import ADA, NOON, ORDERS, Store

TOO_LATE = Invalid((Fault("", "Too late", "too_late"),))


@dataclass(frozen=True)
class CancelOrder:
    """Call an order off."""

    reason: str = "none given"

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        updated = await work.repository("orders").update(key, Patch({"note": self.reason, "status": "off"}))
        if isinstance(updated, Failure):
            return updated
        work.record(DomainEvent(resource="orders", key=key, actor=context.principal.id, occurred_at=NOON))
        return Failure(TOO_LATE) if self.reason == "late" else updated


@dataclass(frozen=True)
class BreakOrder:
    """Write, then find a defect of one's own."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        _ = await work.repository("orders").remove(key)
        raise ZeroDivisionError


@dataclass(frozen=True)
class ForgetOrder:
    """Write, then answer nothing at all."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Any:
        _ = await work.repository("orders").remove(key)


async def perform(store: Store, action: Action, key: Key = 1, version: str | None = None) -> Outcome[Any]:
    handle = PerformActionHandler(store.collaborators())
    return await handle(PerformAction(key, action, version), ADA)


async def test_commits_what_the_action_did_and_answers_what_it_answered() -> None:
    store = Store()
    before = await store.put()

    outcome = await perform(store, CancelOrder("changed my mind"))

    after = {**before, "note": "changed my mind", "status": "off"}
    assert outcome == Success({name: value for name, value in after.items() if name != "secret"})
    assert await store.rows() == [after]
    assert [(event.name, event.actor) for event in store.events()] == [
        ("orders.updated", "ada"),
        ("orders.happened", "ada"),
    ]


async def test_discards_what_the_action_did_when_it_fails() -> None:
    store = Store()
    before = await store.put()

    outcome = await perform(store, CancelOrder("late"))

    assert outcome == Failure(TOO_LATE)
    assert await store.rows() == [before]
    assert store.events() == []


async def test_passes_on_what_the_repository_says() -> None:
    assert await perform(Store(), CancelOrder(), key=9) == Failure(NotFound("orders", 9))


async def test_is_performed_on_the_version_it_is_based_on() -> None:
    store = Store()
    before = await store.put()

    stale = await perform(store, CancelOrder(), version="another")
    done = await perform(store, CancelOrder(), version=ORDERS.version_of(before))
    missing = await perform(store, CancelOrder(), key=9, version="another")

    assert stale == Failure(Stale("orders", 1, ORDERS.version_of(before)))
    shown = {name: value for name, value in before.items() if name != "secret"}
    assert done == Success({**shown, "note": "none given", "status": "off"})
    assert missing == Failure(NotFound("orders", 9))
    assert [event.name for event in store.events()] == ["orders.updated", "orders.happened"]


async def test_a_version_must_be_given_where_one_is_required() -> None:
    store = Store()
    before = await store.put()
    strict = dataclasses.replace(ORDERS, requires_version=True)

    outcome = await PerformActionHandler(store.collaborators(resource=strict))(
        PerformAction(1, CancelOrder()), ADA
    )

    assert outcome == Failure(PreconditionRequired("orders"))
    assert await store.rows() == [before]


async def test_an_action_that_returns_no_outcome_changes_nothing() -> None:
    store = Store()
    before = await store.put()

    with pytest.raises(AttributeError):
        _ = await perform(store, ForgetOrder())

    assert await store.rows() == [before]


async def test_discards_what_the_action_did_when_it_raises() -> None:
    store = Store()
    before = await store.put()

    with pytest.raises(ZeroDivisionError):
        _ = await perform(store, BreakOrder())

    assert await store.rows() == [before]


async def test_passes_on_that_the_commit_failed() -> None:
    store = Store()
    before = await store.put()
    store.refusal = OutcomeUnknown("default")

    outcome = await perform(store, CancelOrder())

    assert outcome == Failure(OutcomeUnknown("default"))
    assert await store.rows() == [before]
    assert store.events() == []


class Named:
    action_name: ClassVar[str] = "mark-paid"


class Lent:
    action_name: ClassVar[int] = 3


@pytest.mark.parametrize(
    ("action", "name"),
    [
        pytest.param(CancelOrder, "cancel", id="without the word of the entity"),
        pytest.param(type("MarkOrdersPaid", (), {}), "mark_paid", id="nor its plural"),
        pytest.param(type("CheckIn", (), {}), "check_in", id="every other word"),
        pytest.param(type("OrderAgain", (), {}), "order_again", id="the first word stays"),
        pytest.param(type("Ship", (), {}), "ship", id="the only word"),
        pytest.param(type("Refund2Order", (), {}), "refund2", id="digits belong to the word"),
        pytest.param(type("cancel_order", (), {}), "cancel", id="words in lower case"),
        pytest.param(type("_CancelOrder", (), {}), "cancel", id="a leading underscore is no word"),
        pytest.param(type("Ä", (), {}), "ä", id="a name without such words"),
        pytest.param(Named, "mark-paid", id="its own choice"),
        pytest.param(Lent, "lent", id="a choice that is no text"),
    ],
)
def test_is_called(action: type[Any], name: str) -> None:
    assert action_name(action, ORDERS.entity) == name


def test_two_actions_of_one_name_are_refused() -> None:
    class CheckIn: ...

    class CheckOrderIn: ...

    class CheckOut: ...

    named, mistakes = name_actions([CheckIn, CheckOut, CheckIn, CheckOrderIn], ORDERS.entity)

    assert named == {"check_in": CheckIn, "check_out": CheckOut}
    (sentence,) = mistakes
    assert "CheckIn and CheckOrderIn" in sentence
    assert "action_name" in sentence


class NoDataclass:
    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        raise NotImplementedError


@dataclass(frozen=True)
class NoPerform:
    perform: ClassVar[str] = "not callable"


@pytest.mark.parametrize(
    ("action", "mistakes"),
    [
        pytest.param(CancelOrder, [], id="none"),
        pytest.param(
            NoDataclass,
            ["action NoDataclass is not a dataclass: decorate it with @dataclass(frozen=True)"],
            id="no dataclass",
        ),
        pytest.param(
            NoPerform,
            ["action NoPerform has no method `async def perform(self, key, work, context)`: add it"],
            id="nothing to perform",
        ),
        pytest.param(
            Decimal,
            [
                "action Decimal is not a dataclass: decorate it with @dataclass(frozen=True)",
                "action Decimal has no method `async def perform(self, key, work, context)`: add it",
            ],
            id="both",
        ),
    ],
)
def test_each_mistake_comes_with_its_remedy(action: type[Any], mistakes: list[str]) -> None:
    assert find_action_mistakes(action) == mistakes


def test_an_action_is_recognised_by_its_method() -> None:
    assert isinstance(CancelOrder(), Action)
