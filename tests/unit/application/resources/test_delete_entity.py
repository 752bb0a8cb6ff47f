"""What removing promises: gone and told together, or neither."""

from returns.result import Failure, Success

from fastapi_easy.application.resources.delete_entity import DeleteEntity, DeleteEntityHandler
from fastapi_easy.domain.changes.events import EntityDeleted
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import NotFound, Stale, Unavailable
from tests.unit.application.fakes import ADA, ANY_ID, NOON, ORDERS, Store


def handler_on(store: Store) -> DeleteEntityHandler:
    return DeleteEntityHandler(store.collaborators())


async def test_removes_the_entity_and_publishes_it() -> None:
    store = Store()
    _ = await store.put()
    other = await store.put(id=2)

    outcome = await handler_on(store)(DeleteEntity(1), ADA)

    assert outcome == Success(None)
    assert await store.rows() == [other]
    assert store.events() == [
        EntityDeleted(
            resource="orders", key=1, actor="ada", correlation_id="call-1", occurred_at=NOON, id=ANY_ID
        )
    ]


async def test_says_that_there_is_none_the_second_time() -> None:
    store = Store()
    _ = await store.put()
    _ = await handler_on(store)(DeleteEntity(1), ADA)

    outcome = await handler_on(store)(DeleteEntity(1), ADA)

    assert outcome == Failure(NotFound("orders", 1))
    assert len(store.events()) == 1


async def test_removes_nothing_when_it_is_based_on_another_version() -> None:
    store = Store()
    before = await store.put()

    outcome = await handler_on(store)(DeleteEntity(1, "another"), ADA)

    assert outcome == Failure(Stale("orders", 1, version_of(before, ORDERS.readable)))
    assert await store.rows() == [before]
    assert store.events() == []


async def test_passes_on_that_the_commit_failed() -> None:
    store = Store()
    before = await store.put()
    store.refusal = Unavailable("default")

    outcome = await handler_on(store)(DeleteEntity(1), ADA)

    assert outcome == Failure(Unavailable("default"))
    assert await store.rows() == [before]
    assert store.events() == []
