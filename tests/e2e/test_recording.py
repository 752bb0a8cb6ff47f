"""Every write of every way in is told of once, with the same record, on every store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.application import (
    ApplyBulk,
    Create,
    CreateEntity,
    Delete,
    DeleteEntity,
    ImportEntities,
    PerformAction,
    ReplaceEntity,
    Update,
    UpdateEntity,
    UpdateWhere,
    UpsertEntity,
)
from fastapi_easy.domain import (
    CheckFailed,
    DomainEvent,
    EntityDeleted,
    EntityUpdated,
    Failure,
    NotFound,
    Operator,
    Patch,
    Success,
    Where,
)
from fastapi_easy.domain.changes.change import BeforeChange, BeforeCreate, BeforeDelete, BeforeUpdate, Veto
from tests.e2e.recorded_shop import ADA, STORES, RelabelBook, Shop, book, recorded
from tests.thorough import only_when_thorough


@pytest.fixture(
    params=[
        pytest.param(each, marks=only_when_thorough) if each in {"sqlite", "mariadb"} else each
        for each in STORES
    ]
)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with recorded(request.param, tmp_path) as opened:
        yield opened


async def by_create(shop: Shop, values: dict[str, Any]) -> Any:
    return await shop.books.create(CreateEntity(values), ADA)


async def by_bulk(shop: Shop, values: dict[str, Any]) -> Any:
    return (await shop.books.bulk(ApplyBulk([Create(values)]), ADA)).unwrap().outcomes[0]


async def by_many(shop: Shop, values: dict[str, Any]) -> Any:
    answer = await shop.books.bulk(ApplyBulk([Create(values), Create(book())], atomic=False), ADA)
    return answer.unwrap().outcomes[0]


async def by_import(shop: Shop, values: dict[str, Any]) -> Any:
    async def lines() -> AsyncIterator[Any]:
        yield 1, Success(values)

    report = (await shop.books.import_(ImportEntities(lines()), ADA)).unwrap()
    return Failure(report.failed[0][1]) if report.failed else Success(report)


async def by_upsert(shop: Shop, values: dict[str, Any]) -> Any:
    return await shop.books.upsert(UpsertEntity(values), ADA)


async def by_hand(shop: Shop, values: dict[str, Any]) -> Any:
    async with shop.container.unit_of_work(ADA) as work:
        added = await work.repository("books").add(values)
        return added if isinstance(added, Failure) else await work.commit()


async def by_saving(shop: Shop, values: dict[str, Any]) -> Any:
    async with shop.container.unit_of_work(ADA) as work:
        entity = shop.container.books.resource().entity
        saved = await work.entities("books").save(entity(**values))
        return saved if isinstance(saved, Failure) else await work.commit()


CREATIONS = {
    "create": by_create,
    "bulk": by_bulk,
    "bulk of many": by_many,
    "import": by_import,
    "upsert": by_upsert,
    "unit of work": by_hand,
    "saving": by_saving,
}


@pytest.mark.parametrize("way", CREATIONS.values(), ids=CREATIONS)
async def test_every_way_of_creating_publishes_the_same_event(shop: Shop, way: Any) -> None:
    before: list[BeforeChange] = []
    after: list[DomainEvent] = []

    async def ask(change: BeforeChange) -> None:
        before.append(change)

    async def tell(event: DomainEvent) -> None:
        after.append(event)

    shop.container.event_bus().subscribe(BeforeChange, ask)
    shop.container.event_bus().subscribe(DomainEvent, tell)
    values = book()
    _ = (await way(shop, values)).unwrap()

    asked, event = before[0], after[0]
    assert (type(asked), asked.resource, asked.principal.id, asked.tenant) == (
        BeforeCreate,
        "books",
        "ada",
        "acme",
    )
    assert {name: asked.values[name] for name in values} == values
    assert (event.name, event.actor, event.tenant, event.correlation_id, event.version) == (
        "books.created",
        "ada",
        "acme",
        "call-1",
        "1",
    )
    assert dict(event.values) == {"id": event.key, **values, "version": 1}


@pytest.mark.parametrize("way", CREATIONS.values(), ids=CREATIONS)
async def test_a_veto_leaves_nothing_behind(shop: Shop, way: Any) -> None:
    refusal = CheckFailed("books", ("title",), reason="Not this one.")
    told: list[DomainEvent] = []

    async def refuse(change: BeforeCreate) -> None:
        if change.values["title"] == "Refused":
            raise Veto(refusal)

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(BeforeCreate, refuse)
    shop.container.event_bus().subscribe(DomainEvent, tell)

    outcome = await way(shop, book(title="Refused"))

    assert outcome == Failure(refusal)
    repository = shop.container.books.repository()
    assert (await repository.count(Where("title", Operator.EQUALS, "Refused"))).unwrap() == 0
    assert all(event.values["title"] != "Refused" for event in told)


async def test_a_handler_before_the_write_may_change_it_and_write_beside_it(shop: Shop) -> None:
    async def complete(change: BeforeCreate) -> None:
        if change.values["title"] == "Emma":
            change.values["note"] = "kept"
            _ = (await change.work.repository("books").add(book(title="Beside"))).unwrap()

    shop.container.event_bus().subscribe(BeforeCreate, complete)

    row = (await shop.books.create(CreateEntity(book()), ADA)).unwrap()

    repository = shop.container.books.repository()
    assert (await repository.read(row.id)).unwrap().note == "kept"
    assert (await repository.count(Where("title", Operator.EQUALS, "Beside"))).unwrap() == 1


async def test_what_a_refused_change_wrote_beside_it_is_discarded(shop: Shop) -> None:
    async def spoil(change: BeforeCreate) -> None:
        if change.values["title"] == "Emma":
            _ = (await change.work.repository("books").add(book(title="Beside"))).unwrap()
            raise Veto(CheckFailed("books", ("title",)))

    shop.container.event_bus().subscribe(BeforeCreate, spoil)

    assert isinstance(await shop.books.create(CreateEntity(book()), ADA), Failure)
    repository = shop.container.books.repository()
    assert (await repository.count(Where("title", Operator.EQUALS, "Beside"))).unwrap() == 0


async def change_by_update(shop: Shop, key: Any) -> Any:
    return await shop.books.update(UpdateEntity(key, Patch({"title": "Persuasion"})), ADA)


async def change_by_bulk(shop: Shop, key: Any) -> Any:
    items = [Update(key, Patch({"title": "Persuasion"}))]
    return (await shop.books.bulk(ApplyBulk(items), ADA)).unwrap().outcomes[0]


async def change_by_condition(shop: Shop, key: Any) -> Any:
    condition = Where("id", Operator.EQUALS, key)
    items = [UpdateWhere(condition, Patch({"title": "Persuasion"}), 10)]
    return (await shop.books.bulk(ApplyBulk(items), ADA)).unwrap().outcomes[0]


async def change_by_action(shop: Shop, key: Any) -> Any:
    return await shop.books.actions["relabel"](PerformAction(key, RelabelBook("Persuasion")), ADA)


async def change_by_hand(shop: Shop, key: Any) -> Any:
    async with shop.container.books.unit_of_work(ADA) as work:
        _ = (await work.repository("books").update(key, Patch({"title": "Persuasion"}))).unwrap()
        return await work.commit()


async def change_by_condition_by_hand(shop: Shop, key: Any) -> Any:
    async with shop.container.books.unit_of_work(ADA) as work:
        condition = Where("id", Operator.EQUALS, key)
        books = work.repository("books")
        _ = (await books.update_where(condition, Patch({"title": "Persuasion"}), max_affected=10)).unwrap()
        return await work.commit()


CHANGES = {
    "update": change_by_update,
    "bulk": change_by_bulk,
    "bulk by a condition": change_by_condition,
    "action": change_by_action,
    "unit of work": change_by_hand,
    "unit of work by a condition": change_by_condition_by_hand,
}


@pytest.mark.parametrize("way", CHANGES.values(), ids=CHANGES)
async def test_updates_publish_the_values_from_before(shop: Shop, way: Any) -> None:
    values = book()
    key = (await shop.books.create(CreateEntity(values), ADA)).unwrap().id
    asked: list[BeforeUpdate] = []
    told: list[EntityUpdated] = []

    async def ask(change: BeforeUpdate) -> None:
        asked.append(change)

    async def tell(event: EntityUpdated) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(BeforeUpdate, ask, resource="books")
    shop.container.event_bus().subscribe(EntityUpdated, tell, before=True)
    _ = (await way(shop, key)).unwrap()

    (change,), (event,) = asked, told
    assert (change.key, change.values) == (key, {"title": "Persuasion"})
    assert (event.key, event.actor, event.version, event.changed) == (key, "ada", "2", {"title"})
    assert event.before == {"id": key, **values, "version": 1}
    assert event.values == {"id": key, **values, "title": "Persuasion", "version": 2}


async def test_saving_a_found_entity_publishes_an_update(shop: Shop) -> None:
    values = book()
    key = (await shop.books.create(CreateEntity(values), ADA)).unwrap().id
    asked: list[BeforeChange] = []
    told: list[DomainEvent] = []

    async def ask(change: BeforeChange) -> None:
        asked.append(change)

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(BeforeChange, ask)
    shop.container.event_bus().subscribe(DomainEvent, tell)
    async with shop.container.unit_of_work(ADA) as work:
        entity = (await work.entities("books").find_by_id(key)).unwrap()
        entity.title = "Persuasion"
        _ = (await work.entities("books").save(entity)).unwrap()
        _ = (await work.commit()).unwrap()

    (change,), (event,) = asked, told
    assert isinstance(change, BeforeUpdate)
    assert isinstance(event, EntityUpdated)
    assert (change.key, change.values["title"]) == (key, "Persuasion")
    assert (event.key, event.version, event.changed) == (key, "2", {*values, "note"})
    assert event.values == {"id": key, **values, "title": "Persuasion", "version": 2}


async def test_saving_an_unknown_key_publishes_a_creation(shop: Shop) -> None:
    asked: list[BeforeChange] = []

    async def ask(change: BeforeChange) -> None:
        asked.append(change)

    shop.container.event_bus().subscribe(BeforeChange, ask)
    async with shop.container.unit_of_work(ADA) as work:
        unknown = shop.container.books.resource().entity(id=4711, **book())
        saved = (await work.entities("books").save(unknown)).unwrap()

    assert saved.id == 4711
    assert [type(change) for change in asked] == [BeforeCreate]


async def test_only_subscribers_who_asked_get_values_from_before(shop: Shop) -> None:
    values = book()
    key = (await shop.books.create(CreateEntity(values), ADA)).unwrap().id
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    end = shop.container.event_bus().subscribe(EntityUpdated, tell)
    _ = (await shop.books.replace(ReplaceEntity(key, values), ADA)).unwrap()
    end()
    shop.container.event_bus().subscribe(EntityDeleted, tell, before=True)
    _ = (await shop.books.delete(DeleteEntity(key), ADA)).unwrap()

    updated, deleted = told
    assert (updated.before, deleted.before) == (None, {"id": key, **values, "version": 2})


async def test_a_veto_keeps_an_entity_from_being_changed_and_removed(shop: Shop) -> None:
    key = (await shop.books.create(CreateEntity(book()), ADA)).unwrap().id
    refusal = CheckFailed("books", ())

    async def refuse(change: BeforeChange) -> None:
        raise Veto(refusal)

    shop.container.event_bus().subscribe(BeforeUpdate, refuse)
    shop.container.event_bus().subscribe(BeforeDelete, refuse)

    assert await change_by_update(shop, key) == Failure(refusal)
    assert await change_by_action(shop, key) == Failure(refusal)
    assert await shop.books.delete(DeleteEntity(key), ADA) == Failure(refusal)
    items = (await shop.books.bulk(ApplyBulk([Delete(key)]), ADA)).unwrap()
    assert list(items.outcomes) == [Failure(refusal)]
    assert (await shop.container.books.repository().read(key)).unwrap().title == "Emma"


async def test_a_handler_that_raises_anything_else_is_a_defect_and_discards_the_write(shop: Shop) -> None:
    async def stumble(change: BeforeCreate) -> None:
        raise ZeroDivisionError

    shop.container.event_bus().subscribe(BeforeCreate, stumble)
    values = book()

    with pytest.raises(ZeroDivisionError):
        _ = await shop.books.create(CreateEntity(values), ADA)

    count = await shop.container.books.repository().count(Where("isbn", Operator.EQUALS, values["isbn"]))
    assert count == Success(0)


async def test_an_action_on_a_missing_entity_publishes_nothing(shop: Shop) -> None:
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(DomainEvent, tell)

    assert await change_by_action(shop, 404) == Failure(NotFound("books", 404))
    assert told == []
