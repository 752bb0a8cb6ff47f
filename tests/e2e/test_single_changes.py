"""A change that nobody wants to know of goes straight to the store; whoever begins to want to is told of the next."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from dependency_injector import providers

from fastapi_easy.application import NOBODY, CreateEntity, DeleteEntity, DryRun, ListEntities, UpdateEntity
from fastapi_easy.application.context import Context
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import EntityCreated, EntityDeleted, EntityUpdated, Failure, Forbidden, Success, Veto
from fastapi_easy.domain.changes.change import BeforeCreate, BeforeDelete, BeforeUpdate
from fastapi_easy.testing import FailingRepository
from tests.e2e.overriding import MEMORY, Shop, running


@dataclass
class Tag:
    """Something whose key is a text."""

    __key__: ClassVar = ("name",)

    name: str
    note: str = ""


class Tags(Container):
    """Tags alone."""

    tags = resource(Tag)


CHANGES: dict[str, tuple[Any, type, type]] = {
    "create": (CreateEntity({"title": "Emma"}), EntityCreated, BeforeCreate),
    "update": (UpdateEntity(1, {"title": "Emma"}), EntityUpdated, BeforeUpdate),
    "delete": (DeleteEntity(1), EntityDeleted, BeforeDelete),
}


async def change(shop: Any, operation: str, context: Any = NOBODY) -> Any:
    return await getattr(shop.kernel().use_cases("books"), operation)(CHANGES[operation][0], context)


async def titles(shop: Any) -> list[str]:
    books = shop.kernel().use_cases("books")
    query = books.queries.from_parameters([]).unwrap()
    page = (await books.list(ListEntities(query), NOBODY)).unwrap()
    return [row["title"] for row in page.items]


@pytest.fixture
async def shop() -> Any:
    made: Any = Shop(settings=MEMORY)
    async with running(made):
        for title in ("Persuasion", "Sanditon"):
            _ = await made.kernel().use_cases("books").create(CreateEntity({"title": title}), NOBODY)
        yield made


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_subscriber_is_told_of_the_next_change_and_of_none_after_it_has_left(
    shop: Any, operation: str
) -> None:
    seen: list[Any] = []

    async def note(event: Any) -> None:
        seen.append(event)

    leave = shop.event_bus().subscribe(CHANGES[operation][1], note)
    assert isinstance(await change(shop, operation), Success)
    leave()
    _ = await shop.kernel().use_cases("books").create(CreateEntity({"title": "Emma"}), NOBODY)

    assert [type(event) for event in seen] == [CHANGES[operation][1]]


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_handler_before_the_change_may_veto_the_next_one(shop: Any, operation: str) -> None:
    async def veto(event: Any) -> None:
        raise Veto(Forbidden("books", operation))

    before = await titles(shop)
    _ = shop.event_bus().subscribe(CHANGES[operation][2], veto)

    assert isinstance(await change(shop, operation), Failure)
    assert await titles(shop) == before


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_dry_run_leaves_everything_as_it_was(shop: Any, operation: str) -> None:
    before, run = await titles(shop), DryRun()

    assert isinstance(await change(shop, operation, Context(dry_run=run)), Success)
    assert await titles(shop) == before
    assert [type(event) for event in run.events] == [CHANGES[operation][1]]


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_repository_in_the_place_of_the_stores_makes_the_next_change(
    shop: Any, operation: str
) -> None:
    with shop.books.repository.override(providers.Factory(FailingRepository)):
        assert isinstance(await change(shop, operation), Failure)

    assert isinstance(await change(shop, operation), Success)


async def test_a_key_that_no_path_can_name_is_refused_without_a_subscriber_too() -> None:
    made: Any = Tags(settings=MEMORY)
    async with open_kernel(made):
        refused = await made.kernel().use_cases("tags").create(CreateEntity({"name": ".."}), NOBODY)

    assert isinstance(refused, Failure)
