"""What updating promises: the fields of the patch and no others, told with the change."""

from decimal import Decimal

from returns.result import Failure, Success

from fastapi_easy.application.resources.update_entity import UpdateEntity, UpdateEntityHandler
from fastapi_easy.domain.changes.events import EntityUpdated
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import NotFound, Stale, Unavailable
from tests.unit.application.fakes import ADA, ANY_ID, NOON, ORDERS, Store


def handler_on(store: Store) -> UpdateEntityHandler:
    return UpdateEntityHandler(store.collaborators())


async def test_sets_the_fields_of_the_patch_and_no_others() -> None:
    store = Store()
    before = await store.put(note="first")

    outcome = await handler_on(store)(UpdateEntity(1, Patch({"status": "paid", "note": None})), ADA)

    assert outcome == Success(ORDERS.visible_row(Row({**before, "status": "paid", "note": None})))
    assert await store.rows() == [{**before, "status": "paid", "note": None}]


async def test_publishes_what_was_set_and_how_the_entity_is_now() -> None:
    store = Store()
    _ = await store.put()

    _ = await handler_on(store)(UpdateEntity(1, Patch({"status": "paid"})), ADA)

    assert store.events() == [
        EntityUpdated(
            resource="orders",
            key=1,
            values={"id": 1, "status": "paid", "total": Decimal("9.50"), "note": None, "channel": "web"},
            changed=frozenset({"status"}),
            actor="ada",
            correlation_id="call-1",
            occurred_at=NOON,
            id=ANY_ID,
        )
    ]


async def test_takes_the_version_it_is_based_on() -> None:
    store = Store()
    before = await store.put()
    version = version_of(before, ORDERS.readable)

    outcome = await handler_on(store)(UpdateEntity(1, Patch({"status": "paid"}), version), ADA)

    assert outcome == Success(ORDERS.visible_row(Row({**before, "status": "paid"})))


async def test_changes_and_publishes_nothing_when_it_is_based_on_another_version() -> None:
    store = Store()
    before = await store.put()

    outcome = await handler_on(store)(UpdateEntity(1, Patch({"status": "paid"}), "another"), ADA)

    assert outcome == Failure(Stale("orders", 1, version_of(before, ORDERS.readable)))
    assert await store.rows() == [before]
    assert store.events() == []


async def test_says_that_there_is_none() -> None:
    outcome = await handler_on(Store())(UpdateEntity(9, Patch({"status": "paid"})), ADA)

    assert outcome == Failure(NotFound("orders", 9))


async def test_passes_on_that_the_commit_failed() -> None:
    store = Store()
    before = await store.put()
    store.refusal = Unavailable("default")

    outcome = await handler_on(store)(UpdateEntity(1, Patch({"status": "paid"})), ADA)

    assert outcome == Failure(Unavailable("default"))
    assert await store.rows() == [before]
    assert store.events() == []
