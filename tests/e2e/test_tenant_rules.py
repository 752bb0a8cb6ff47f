"""What a resource with tenants promises beside the suite of every store: over HTTP, with a policy, of each kind."""

import logging
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import Header
from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field as Column
from sqlmodel import Relationship, SQLModel

from fastapi_easy.application import Context, Create
from fastapi_easy.application.access import Access
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    Failure,
    Fields,
    Forbidden,
    Grant,
    NotFound,
    Operator,
    Principal,
    ReferenceBroken,
    Resource,
    Specification,
    Tenant,
    Where,
)
from fastapi_easy.settings import Settings
from fastapi_easy.settings.resources import ResourceSettings
from fastapi_easy.testing import in_memory
from tests.counted_calls import counted_calls
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store
from tests.e2e.tenants import PlainShop, SqlShop, Statements
from tests.policies import RowPolicy


def caller(tenant: str | None = Header(default=None)) -> Principal:
    """Who calls: tests name the tenant where a program would read it from a token."""
    return Principal(id="ada", tenant=tenant)


async def test_over_http_the_tenant_is_that_of_the_principal() -> None:
    app = create_app(in_memory(PlainShop), principal=caller)
    async with client_of(app) as client:
        ours, theirs = {"tenant": "ours"}, {"tenant": "theirs"}

        created = await client.post("/orders", json={"number": "1"}, headers=ours)
        where = created.headers["location"]
        said = await client.post("/orders", json={"number": "2", "org_id": "theirs"}, headers=ours)
        foreign = await client.get(where, headers=theirs)
        absent = await client.get("/orders/999", headers=theirs)
        anonymous = await client.post("/orders", json={"number": "2"})
        document = (await client.get("/openapi.json")).json()["components"]["schemas"]

    assert created.json()["org_id"] == "ours"
    assert (said.status_code, said.json()["errors"][0]["code"]) == (422, "extra_forbidden")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["detail"].replace("1", "999") == absent.json()["detail"]
    assert anonymous.status_code == 403
    written = [f"PlainOrder{change}" for change in ("Create", "Update")]
    assert ["org_id" in document[name]["properties"] for name in ("PlainOrder", *written)] == [
        True,
        *[False] * 2,
    ]


async def test_a_cursor_of_one_tenant_is_none_of_another() -> None:
    app = create_app(in_memory(PlainShop), principal=caller)
    async with client_of(app) as client:
        for tenant in ("ours", "theirs"):
            for number in range(3):
                _ = await client.post("/orders", json={"number": str(number)}, headers={"tenant": tenant})
        first = (await client.get("/orders", headers={"tenant": "ours"})).json()

        own = await client.get("/orders", params={"cursor": first["next_cursor"]}, headers={"tenant": "ours"})
        foreign = await client.get(
            "/orders", params={"cursor": first["next_cursor"]}, headers={"tenant": "theirs"}
        )

    assert [row["number"] for row in own.json()["items"]] == ["2"]
    assert foreign.status_code == 400


class OnlyCheap(RowPolicy):
    """Everybody sees what costs less than ten."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        return Where("total", Operator.LESS, 10)


async def test_a_policy_says_less_than_the_tenant_and_never_more() -> None:
    shop: Any = in_memory(PlainShop, policy=OnlyCheap())
    async with open_kernel(shop) as kernel:
        ours, theirs = (kernel.acting_as(Principal(id="ada", tenant=name)).orders for name in ("a", "b"))

        cheap = (await ours.create(number="1", total=1)).unwrap()
        dear = await ours.create(number="2", total=10)
        left = await ours.update(cheap.id, {"total": 11})

    assert cheap.org_id == "a"
    assert dear == Failure(Forbidden("orders", "create"))
    assert left == Failure(Forbidden("orders", "update"))
    async with open_kernel(shop) as kernel:
        _ = kernel
    assert await theirs.get(cheap.id) == Failure(NotFound("orders", cheap.id))


@dataclass
class Room:
    """Rooms of houses that are counted."""

    house: int
    id: int | None = None


@dataclass
class Device:
    """Devices of owners with a UUID."""

    owner: UUID
    id: int | None = None


class House(Container):
    rooms = resource(Room, tenant="house")
    devices = resource(Device, tenant="owner", fields=Fields(hidden=["owner"]))


@pytest.mark.parametrize("tenant", ["seven", "7.0", "", "99999999999999999999", "\x00"])
async def test_a_tenant_that_the_field_cannot_hold_is_nobodys(tenant: str) -> None:
    async with open_kernel(in_memory(House)) as kernel:
        rooms = kernel.acting_as(Principal(id="ada", tenant=tenant)).rooms

        assert await rooms.create() == Failure(Forbidden("rooms", "create"))
        assert (await rooms.list()).unwrap().items == []


async def test_the_tenant_is_of_the_type_of_its_field_and_may_be_hidden() -> None:
    house = in_memory(House)
    async with open_kernel(house) as kernel:
        owner = uuid.uuid4()
        rooms = kernel.acting_as(Principal(id="ada", tenant="7")).rooms
        devices = kernel.acting_as(Principal(id="ada", tenant=str(owner))).devices

        room, device = (await rooms.create()).unwrap(), (await devices.create()).unwrap()
        async with kernel.unit_of_work() as work:
            stored = (await work.as_system().repository("devices").read(device.id)).unwrap()

        assert (room.house, dict(device), stored.owner) == (7, {"id": 1}, owner)
        assert (await rooms.count(), await devices.count()) == (
            await rooms.count({"id": room.id}),
            await devices.count({"id": device.id}),
        )


class Label(SQLModel, table=True):
    __tablename__ = "tenant_label"
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40)
    text: str = Column(default="", max_length=40)


class Tagging(SQLModel, table=True):
    __tablename__ = "tenant_tagging"
    article_id: int = Column(foreign_key="tenant_article.id", primary_key=True)
    label_id: int = Column(foreign_key="tenant_label.id", primary_key=True)


class Article(SQLModel, table=True):
    __tablename__ = "tenant_article"
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40)
    labels: list[Label] = Relationship(link_model=Tagging)


class Press(Container):
    labels = resource(Label, tenant="org_id")
    articles = resource(Article, tenant="org_id")
    taggings = resource(Tagging)


async def test_many_to_many_stays_inside_the_tenant(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        press = Press(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
        async with open_kernel(press) as kernel:
            ours, theirs = (kernel.acting_as(Principal(id="ada", tenant=name)) for name in ("a", "b"))
            article = (await ours.articles.create()).unwrap()
            own, foreign = (await ours.labels.create()).unwrap(), (await theirs.labels.create()).unwrap()

            refused = await ours.taggings.create(article_id=article.id, label_id=foreign.id)
            _ = (await ours.taggings.create(article_id=article.id, label_id=own.id)).unwrap()
            async with kernel.unit_of_work() as work:
                row = {"article_id": article.id, "label_id": foreign.id}
                _ = (await work.as_system().repository("taggings").add(row)).unwrap()
                _ = (await work.commit()).unwrap()
            shown = (await ours.articles.get(article.id, include="labels")).unwrap()
            matching = await ours.articles.count({"labels.id": foreign.id})

    assert refused == Failure(ReferenceBroken("taggings", ("label_id",)))
    assert shown["labels"] == [own]
    assert matching.unwrap() == 0


class Building(SQLModel, table=True):
    __tablename__ = "tenant_building"
    org_id: int = Column(primary_key=True)
    number: int = Column(primary_key=True)


class Flat(SQLModel, table=True):
    __tablename__ = "tenant_flat"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "building"], ["tenant_building.org_id", "tenant_building.number"]),
    )
    id: int | None = Column(default=None, primary_key=True)
    org_id: int
    building: int


class Estate(Container):
    buildings = resource(Building, tenant="org_id")
    flats = resource(Flat, tenant="org_id")


async def test_a_key_may_begin_with_the_tenant_and_its_references_cost_no_question(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        spans = Statements()
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        estate: Any = Estate(settings=settings, tracer=spans)
        async with open_kernel(estate) as kernel:
            ours, theirs = (kernel.acting_as(Principal(id="ada", tenant=name)) for name in ("1", "2"))
            _ = [(await each.buildings.create(number=5)).unwrap() for each in (ours, theirs)]
            _ = (await theirs.buildings.create(number=6)).unwrap()
            spans.names.clear()

            flat = (await ours.flats.create(building=5)).unwrap()
            many = (await ours.flats.bulk([Create({"building": 5}), Create({"building": 5})])).unwrap()
            statements = [name for name in spans.names if "SELECT" in name]
            broken = await ours.flats.create(building=6)
            foreign = await ours.buildings.get((2, 6))

    assert (flat.org_id, [each.unwrap().org_id for each in many.outcomes]) == (1, [1, 1])
    assert statements == []
    assert isinstance(broken.failure(), ReferenceBroken)
    assert foreign == Failure(NotFound("buildings", (2, 6)))


async def test_a_start_says_what_discloses_other_tenants(caplog: pytest.LogCaptureFixture) -> None:
    @dataclass
    class Account:
        __unique__ = ("email",)
        org_id: str
        email: str
        id: int | None = None

    class Bank(Container):
        accounts = resource(Account, tenant="org_id")

    class Papers(Container):
        labels = resource(Label, tenant="org_id")
        articles = resource(Article, tenant="org_id", relations=())
        taggings = resource(Tagging)

    with caplog.at_level(logging.WARNING):
        for container in (Bank, Papers, SqlShop):
            async with open_kernel(in_memory(container)):
                pass

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["accounts", "taggings"]
    assert "make org_id, email unique together" in caplog.text
    assert "refers to articles, labels" in caplog.text


async def test_a_resource_without_tenants_is_everybodys_beside_those_that_have_some() -> None:
    @dataclass
    class Country:
        code: str
        id: int | None = None

    class World(PlainShop):
        countries = resource(Country)

    async with open_kernel(in_memory(World)) as kernel:
        created = (await kernel.countries.create(code="FR")).unwrap()
        tenant = kernel.acting_as(Principal(id="ada", tenant="a"))

        assert (await tenant.countries.list(sort="code")).unwrap().items == [created]
        assert (await tenant.countries.update(created.id, {"code": "DE"})).unwrap().code == "DE"


def test_a_grant_of_everything_is_narrowed_without_being_made_anew() -> None:
    shop: Any = in_memory(PlainShop)
    orders = shop.orders.resource()
    first, second = (Access(Context(tenant="a"), has_tenants=True).grant(orders, "get") for _ in range(2))

    assert first is second
    assert first == Grant(rows=Where("org_id", Operator.EQUALS, "a"), stamps={"org_id": "a"})


class Free(Container):
    labels = resource(Label)


class Bound(Container):
    labels = resource(Label, tenant="org_id")


async def calls_of(container: type[Container], folder: Path, **values: object) -> dict[str, int]:
    """How many calls the operations of *container* take, after statements of many tenants have been made."""
    settings = Settings.model_validate({"databases": {"default": {"url": f"sqlite:///{folder}/a.db"}}})
    shop: Any = container(settings=settings)
    taken = {}
    async with open_kernel(shop) as kernel:
        for tenant in ("other", "another", "acme", "acme"):
            labels = kernel.acting_as(Principal(id="ada", tenant=tenant)).labels
            key = (await labels.create(text="x", **values)).unwrap().id
            operations: dict[str, Any] = {
                "create": lambda labels=labels: labels.create(text="x", **values),
                "get": lambda labels=labels, key=key: labels.get(key),
                "list": lambda labels=labels: labels.list(text="x", limit=2),
                "update": lambda labels=labels, key=key: labels.update(key, {"text": "y"}),
            }
            for name, operation in operations.items():
                with counted_calls() as counted:
                    _ = (await operation()).unwrap()
                taken[name] = counted.calls
    return taken


async def test_a_tenant_costs_little_and_no_statements_of_its_own(tmp_path: Path) -> None:
    (free := tmp_path / "free").mkdir()
    (bound := tmp_path / "bound").mkdir()

    without, within = await calls_of(Free, free, org_id="acme"), await calls_of(Bound, bound)

    # To compile a statement takes thousands.
    shares = {name: within[name] / without[name] for name in without}
    assert all(share < 1.3 for share in shares.values()), shares
    assert shares["get"] < 1.15


def test_a_tenant_can_be_declared_in_a_file() -> None:
    declared = ResourceSettings(entity="tests.e2e.tenants:PlainOrder", tenant="org_id").declaration()

    assert declared.tenant == "org_id"


@dataclass
class Member:
    """Somebody who may be an administrator, which callers do not decide."""

    org_id: str
    name: str = ""
    is_admin: bool = False
    id: int | None = None


class Club(Container):
    members = resource(Member, tenant="org_id", fields=Fields(write=["name"]))


@pytest.mark.parametrize("scopes", [None, frozenset({"*"})], ids=["none", "all"])
async def test_neither_tenants_nor_scopes_let_an_import_set_what_a_policy_would_have_to_permit(
    scopes: frozenset[str] | None,
) -> None:
    async with open_kernel(in_memory(Club)) as kernel:
        members = kernel.acting_as(Principal(id="ada", tenant="a", scopes=scopes)).members
        lines = [{"id": 1, "org_id": "a", "name": "Ann"}, {"id": 2, "name": "Bob", "is_admin": True}]

        report = (await members.import_(lines)).unwrap()
        names = [row.name for row in (await members.list()).unwrap().items]

    assert (report.created, names) == (1, ["Ann"])
    assert [fault.code for _, error in report.failed for fault in error.faults] == ["read_only"]
