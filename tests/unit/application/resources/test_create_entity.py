"""What creating promises: stored and told together, or neither."""

from decimal import Decimal

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.context import NOBODY
from fastapi_easy.application.resources.create_entity import CreateEntity, CreateEntityHandler
from fastapi_easy.domain.changes.events import EntityCreated
from fastapi_easy.domain.errors import AlreadyExists, Fault, Invalid, OutcomeUnknown
from fastapi_easy.domain.values.json import Json
from tests.unit.application.fakes import ADA, ANY_ID, NOON, Store

VALUES = {"id": 7, "status": "new", "total": Decimal("9.50")}
STORED = {**VALUES, "note": None, "secret": "hidden", "channel": "web"}
READABLE = {name: value for name, value in STORED.items() if name != "secret"}


def handler_on(store: Store) -> CreateEntityHandler:
    return CreateEntityHandler(store.collaborators())


async def test_answers_the_readable_fields_as_stored() -> None:
    store = Store()

    outcome = await handler_on(store)(CreateEntity(VALUES), ADA)

    assert outcome == Success(READABLE)
    assert await store.rows() == [STORED]


async def test_publishes_who_created_what_and_when_without_hidden_fields() -> None:
    store = Store()

    _ = await handler_on(store)(CreateEntity(VALUES), ADA)

    assert store.events() == [
        EntityCreated(
            resource="orders",
            key=7,
            values=READABLE,
            actor="ada",
            correlation_id="call-1",
            occurred_at=NOON,
            id=ANY_ID,
        )
    ]


async def test_own_code_may_set_what_callers_may_not_write() -> None:
    store = Store()

    outcome = await handler_on(store)(CreateEntity(VALUES | {"secret": "known"}), ADA)

    assert outcome == Success(READABLE)
    assert await store.rows() == [{**STORED, "secret": "known"}]


async def test_refuses_fields_that_are_not_there() -> None:
    store = Store()

    outcome = await handler_on(store)(CreateEntity(VALUES | {"nope": 1}), ADA)

    expected = Fault("/nope", "Is not a field that can be written", "extra_forbidden")
    assert outcome == Failure(Invalid((expected,)))
    assert await store.rows() == []


async def test_unvalidated_json_is_a_defect() -> None:
    store = Store()

    with pytest.raises(TypeError, match="not checked"):
        _ = await handler_on(store)(CreateEntity(Json(VALUES)), ADA)

    assert await store.rows() == []


async def test_publishes_an_empty_actor_for_nobody() -> None:
    store = Store()

    _ = await handler_on(store)(CreateEntity(VALUES), NOBODY)

    assert [event.actor for event in store.events()] == [""]


async def test_changes_and_publishes_nothing_when_the_store_refuses() -> None:
    store = Store()
    there = await store.put(id=7)

    outcome = await handler_on(store)(CreateEntity(VALUES | {"status": "paid"}), ADA)

    assert outcome == Failure(AlreadyExists("orders", ("id",)))
    assert await store.rows() == [there]
    assert store.events() == []


async def test_passes_on_that_the_commit_failed() -> None:
    store = Store()
    store.refusal = OutcomeUnknown("default")

    outcome = await handler_on(store)(CreateEntity(VALUES), ADA)

    assert outcome == Failure(OutcomeUnknown("default"))
    assert await store.rows() == []
    assert store.events() == []
