"""Foreign keys in memory: what the suites cannot ask of stores where one would wait for the other, or that differ."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure, Success
from sqlalchemy import ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Model, fields

from fastapi_easy.composition.technologies import describe
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import ReferenceBroken
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.resources.relation import to_one
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase, SqlAlchemyRepository
from fastapi_easy.testing.resources import resources_with_relations


class Base(DeclarativeBase): ...


class Country(Base):
    __tablename__ = "countries"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(2), unique=True)


class City(Base):
    __tablename__ = "cities"

    id: Mapped[int] = mapped_column(primary_key=True)
    followed: Mapped[str | None] = mapped_column(ForeignKey("countries.code", onupdate="CASCADE"))
    forgotten: Mapped[str | None] = mapped_column(ForeignKey("countries.code", onupdate="SET NULL"))
    replaced: Mapped[int | None] = mapped_column(
        ForeignKey("countries.id", ondelete="SET DEFAULT"), default=1, server_default="1"
    )
    needed: Mapped[int] = mapped_column(ForeignKey("countries.id", ondelete="SET NULL"), default=1)
    late: Mapped[int | None] = mapped_column(
        ForeignKey("countries.id", deferrable=True, initially="DEFERRED")
    )


class Street(Base):
    __tablename__ = "streets"

    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id", ondelete="CASCADE"))
    next_id: Mapped[int | None] = mapped_column(ForeignKey("streets.id"))
    region: Mapped[str | None] = mapped_column(ForeignKey("regions.name", use_alter=True))


class Region(Base):
    """Refers to a street, which refers to it; no resource of these tests but one."""

    __tablename__ = "regions"

    name: Mapped[str] = mapped_column(String(9), primary_key=True)
    street_id: Mapped[int | None] = mapped_column(ForeignKey("streets.id"))


class Floor(Base):
    __tablename__ = "floors"
    __table_args__ = (UniqueConstraint("written", "level"),)

    house: Mapped[str] = mapped_column(String(9), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str | None] = mapped_column("written", String(9))


class Room(Base):
    __tablename__ = "rooms"
    __table_args__ = (
        ForeignKeyConstraint(["level", "house"], ["floors.level", "floors.house"]),
        ForeignKeyConstraint(["level", "label"], ["floors.level", "floors.written"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    house: Mapped[str | None] = mapped_column(String(9))
    level: Mapped[int | None]
    label: Mapped[str | None] = mapped_column(String(9))


@dataclass
class Owner:
    id: int | None = None
    country_id: int | None = None


class Shop(Model):
    id = fields.IntField(primary_key=True)

    class Meta:
        app = "memory_references"


class Till(Model):
    id = fields.IntField(primary_key=True)
    shop = fields.ForeignKeyField("memory_references.Shop", related_name=False)

    class Meta:
        app = "memory_references"


TOWN = {"countries": Country, "cities": City, "streets": Street}
HOUSE = {"floors": Floor, "rooms": Room}


class World:
    """Resources in one database, and two transactions on it."""

    def __init__(self, entities: dict[str, type[Any]], **options: Any) -> None:
        shapes = {name: describe(each) for name, each in entities.items()}
        self.resources = resources_with_relations(shapes, entities, options=options)
        self.database = MemoryDatabase()
        self.first, self.second = MemoryTransaction(), MemoryTransaction()

    def __getitem__(self, name: str) -> MemoryRepository[Any]:
        return MemoryRepository(self.resources[name], self.database)

    def in_first(self, name: str) -> MemoryRepository[Any]:
        return self[name].in_transaction(self.first)

    def in_second(self, name: str) -> MemoryRepository[Any]:
        return self[name].in_transaction(self.second)


class OnSqlite(World):
    """The same resources in a real database."""

    def __init__(self, entities: dict[str, type[Any]]) -> None:
        super().__init__(entities)
        self.sqlite = SqlAlchemyDatabase("default", "sqlite://")

    def __getitem__(self, name: str) -> Any:
        return SqlAlchemyRepository(self.resources[name], self.sqlite)


@pytest.fixture
async def town() -> World:
    world = World(TOWN)
    _ = await world["countries"].add_all([{"id": 1, "code": "fr"}, {"id": 2, "code": "de"}])
    return world


@pytest.fixture(params=["memory", "sqlite"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Two countries in memory, or where SQL says what has to become of them."""
    world = World(TOWN) if request.param == "memory" else OnSqlite(TOWN)
    if isinstance(world, OnSqlite):
        await world.sqlite.open()
        resources = [
            *world.resources.values(),
            resources_with_relations({"r": describe(Region)}, {"r": Region})["r"],
        ]
        _ = (await world.sqlite.prepare(resources, SchemaMode.CREATE)).unwrap()
    _ = (await world["countries"].add_all([{"id": 1, "code": "fr"}, {"id": 2, "code": "de"}])).unwrap()
    yield world
    if isinstance(world, OnSqlite):
        await world.sqlite.close()


async def test_what_was_referred_to_and_is_removed_meanwhile_fails_the_commit(town):
    _ = (await town.in_first("cities").add({"late": 2})).unwrap()
    _ = (await town["countries"].remove(2)).unwrap()

    committed = town.first.commit()

    assert committed == Failure(ReferenceBroken("cities", ("late",)))
    assert await town["cities"].count(Everything()) == Success(0)


async def test_a_change_of_reference_to_what_is_removed_meanwhile_fails_the_commit(town):
    city = (await town["cities"].add({})).unwrap()
    _ = (await town.in_first("cities").update(city.id, Patch({"followed": "de"}))).unwrap()
    _ = (await town["countries"].remove(2)).unwrap()

    assert town.first.commit() == Failure(ReferenceBroken("cities", ("followed",)))


async def test_removing_what_is_referred_to_meanwhile_fails_the_commit(town):
    _ = (await town.in_first("countries").remove(2)).unwrap()
    _ = (await town["cities"].add({"late": 2})).unwrap()

    committed = town.first.commit()

    assert committed == Failure(ReferenceBroken("countries", ()))
    assert await town["countries"].count(Everything()) == Success(2)


async def test_what_came_meanwhile_goes_with_whom_it_refers_to(town):
    city = (await town["cities"].add({})).unwrap()
    other = (await town["cities"].add({})).unwrap()
    _ = (await town["streets"].add_all([{"city_id": city.id}, {"city_id": other.id}])).unwrap()
    _ = (await town.in_first("cities").remove(city.id)).unwrap()
    _ = (await town["streets"].add({"city_id": city.id})).unwrap()

    committed = town.first.commit()

    assert committed == Success(None)
    left = (await town["streets"].select(Query())).unwrap()
    assert [each.city_id for each in left.items] == [other.id]


async def test_two_who_commit_what_does_not_concern_the_other_both_do(town):
    city = (await town["cities"].add({"late": 2})).unwrap()
    _ = (await town.in_first("cities").update(city.id, Patch({"late": 1}))).unwrap()
    _ = (await town.in_second("cities").update(city.id, Patch({"followed": "fr"}))).unwrap()
    _ = (await town.in_second("countries").update(2, Patch({"code": "at"}))).unwrap()

    assert (town.first.commit(), town.second.commit()) == (Success(None), Success(None))
    assert await town["countries"].remove(2) == Success(None)


async def test_a_statement_that_is_refused_leaves_no_trace_in_a_transaction(town):
    city = (await town.in_first("cities").add({})).unwrap()
    _ = (await town.in_first("streets").add_all([{"id": 1, "city_id": city.id}])).unwrap()
    other = (await town.in_first("cities").add({})).unwrap()
    _ = (await town.in_first("streets").add({"city_id": other.id, "next_id": 1})).unwrap()

    refused = await town.in_first("cities").remove(city.id)

    assert refused == Failure(ReferenceBroken("cities", ()))
    assert await town.in_first("streets").count(Everything()) == Success(2)
    assert town.first.commit() == Success(None)


async def test_what_a_discarded_transaction_removed_can_be_referred_to(town):
    _ = (await town.in_first("countries").remove(2)).unwrap()
    town.first.discard()

    added = await town.in_first("cities").add({"late": 2})

    assert type(added) is Success


async def test_a_deferred_reference_may_lead_nowhere_until_the_commit(town):
    early = (await town.in_first("cities").add({"late": 3})).unwrap()
    _ = (await town.in_first("countries").add({"id": 3})).unwrap()

    assert town.first.commit() == Success(None)
    assert (await town["cities"].read(early.id)).unwrap().late == 3


@pytest.mark.parametrize("alone", [True, False])
async def test_a_deferred_reference_that_leads_nowhere_is_refused_in_the_end(town, alone):
    added = await (town["cities"] if alone else town.in_first("cities")).add({"late": 3})

    refused = added if alone else town.first.commit()

    assert refused == Failure(ReferenceBroken("cities", ("late",)))


async def test_those_who_are_added_together_may_refer_to_one_who_comes_later(either):
    city = (await either["cities"].add({"replaced": None})).unwrap()

    added = await either["streets"].add_all(
        [{"id": 1, "next_id": 2, "city_id": city.id}, {"id": 2, "next_id": 1, "city_id": city.id}]
    )

    assert [row.next_id for row in added.unwrap()] == [2, 1]


async def test_those_who_refer_to_one_another_are_removed_together(either):
    city = (await either["cities"].add({"replaced": None})).unwrap()
    rows = [{"id": 1, "city_id": city.id}, {"id": 2, "next_id": 1, "city_id": city.id}]
    _ = (await either["streets"].add_all(rows)).unwrap()

    assert await either["streets"].remove(1) == Failure(ReferenceBroken("streets", ()))
    assert await either["streets"].remove_where(Everything(), max_affected=2) == Success(2)


async def test_removals_reach_through_several_tables(either):
    city = (await either["cities"].add({})).unwrap()
    rows = [{"id": 1, "city_id": city.id}, {"id": 2, "next_id": 1, "city_id": city.id}]
    _ = (await either["streets"].add_all(rows)).unwrap()

    removed = await either["cities"].remove(city.id)

    assert removed == Success(None)
    assert await either["streets"].count(Everything()) == Success(0)


async def test_new_values_are_followed_or_forgotten(either):
    city = (await either["cities"].add({"followed": "de", "forgotten": "de"})).unwrap()

    changed = await either["countries"].update(2, Patch({"code": "at"}))

    assert type(changed) is Success
    assert await either["cities"].read(city.id) == Success({**city, "followed": "at", "forgotten": None})


async def test_a_default_takes_the_place_of_what_is_removed(either):
    city = (await either["cities"].add({"replaced": 2})).unwrap()

    removed = await either["countries"].remove(2)

    assert removed == Success(None)
    assert await either["cities"].read(city.id) == Success({**city, "replaced": 1})


async def test_a_default_that_leads_nowhere_refuses_the_removal(either):
    _ = (await either["cities"].add({"replaced": 1, "needed": 2})).unwrap()

    assert await either["countries"].remove(1) == Failure(ReferenceBroken("countries", ()))


async def test_nothing_becomes_null_that_must_not_be(town):
    _ = (await town["cities"].add({"replaced": None, "needed": 2})).unwrap()

    assert await town["countries"].remove(2) == Failure(ReferenceBroken("countries", ()))


async def test_what_is_no_resource_is_not_looked_for(town):
    city = (await town["cities"].add({})).unwrap()

    added = await town["streets"].add({"city_id": city.id, "region": "nowhere"})

    assert type(added) is Success


async def test_tables_that_refer_to_each_other_are_both_looked_at():
    world = World({**TOWN, "regions": Region})
    _ = (await world["countries"].add({"id": 1, "code": "fr"})).unwrap()
    city = (await world["cities"].add({})).unwrap()

    street = await world["streets"].add({"city_id": city.id, "region": "nowhere"})
    region = await world["regions"].add({"name": "here", "street_id": 9})

    assert street == Failure(ReferenceBroken("streets", ("region",)))
    assert region == Failure(ReferenceBroken("regions", ("street_id",)))


async def test_the_fields_of_a_key_may_be_named_in_another_order():
    world = World(HOUSE)
    _ = (await world["floors"].add({"house": "a", "level": 1, "label": "x"})).unwrap()

    assert type(await world["rooms"].add({"house": "a", "level": 1})) is Success
    assert type(await world["rooms"].add({"label": "x", "level": 1})) is Success
    assert await world["rooms"].add({"house": "b", "level": 1}) == Failure(
        ReferenceBroken("rooms", ("level", "house"))
    )
    assert await world["rooms"].add({"label": "y", "level": 1}) == Failure(
        ReferenceBroken("rooms", ("level", "label"))
    )


async def test_a_unique_value_of_what_is_marked_as_deleted_is_there():
    world = World({"countries": Country, "cities": City}, countries={"soft_delete": "code"})
    _ = (await world["countries"].add_all([{"id": 1}, {"id": 2, "code": "de"}])).unwrap()

    assert type(await world["cities"].add({"followed": "de"})) is Success
    assert await world["cities"].add({"followed": "fr"}) == Failure(ReferenceBroken("cities", ("followed",)))


async def test_each_resource_of_one_class_answers_with_its_own_name():
    world = World({**TOWN, "towns": City, "lands": Country})
    _ = (await world["lands"].add_all([{"id": 1}, {"id": 2}])).unwrap()

    refused = await world["towns"].add({"late": 3})
    _ = (await world["towns"].add({"late": 2})).unwrap()

    assert refused == Failure(ReferenceBroken("towns", ("late",)))
    assert await world["lands"].remove(2) == Failure(ReferenceBroken("lands", ()))
    assert await world["countries"].remove(2) == Failure(ReferenceBroken("countries", ()))


async def test_a_link_that_only_the_declaration_knows_is_no_rule():
    world = World(
        {"countries": Country, "owners": Owner},
        owners={"relations": {"country": to_one("countries", by="country_id")}},
    )

    added = await world["owners"].add({"country_id": 3})

    assert type(added) is Success
    assert world.resources["owners"].references == []


async def test_the_references_of_tortoises_models_are_kept_too():
    world = World({"shops": Shop, "tills": Till})
    shop = (await world["shops"].add({})).unwrap()
    _ = (await world["tills"].add({"shop_id": shop.id})).unwrap()

    refused = await world["tills"].add({"shop_id": shop.id + 1})
    removed = await world["shops"].remove(shop.id)

    assert refused == Failure(ReferenceBroken("tills", ("shop_id",)))
    assert removed == Success(None)
    assert await world["tills"].count(Everything()) == Success(0)
