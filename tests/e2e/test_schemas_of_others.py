"""Schemas as others have them: views, tables without a key, references that are keys."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import run_sql, with_driver
from tests.e2e.stores import SQL_STORES, empty_store

ADMIN = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}


def _shop(url: str, policy: str, **declared: Any) -> Any:
    container: Any = type("Shop", (Container,), declared)
    chosen = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    return create_app(container(settings=Settings(databases={"default": chosen})))


class Base(DeclarativeBase):
    """The classes below."""


class Sale(Base):
    """What the view is made of."""

    __tablename__ = "sales"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(sa.String(20))
    amount: Mapped[int]


class CityTotal(Base):
    """A view."""

    __tablename__ = "city_totals"
    __table_args__: ClassVar = {"info": {"is_view": True}}
    city: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    total: Mapped[int] = mapped_column(sa.BigInteger)


class Line(Base):
    """A table without a key."""

    __table__ = sa.Table(
        "loose_lines", Base.metadata, sa.Column("number", sa.Integer), sa.Column("text", sa.String(20))
    )
    __mapper_args__: ClassVar = {"primary_key": [__table__.c.number]}


async def _as_others(url: str, *statements: str) -> None:
    await run_sql(with_driver(url, ADMIN[url.partition(":")[0]]), *statements)


@pytest.mark.parametrize("store", SQL_STORES)
async def test_a_view_and_a_table_without_a_key_are_read(store: str, tmp_path: Path) -> None:
    kind = "MATERIALIZED VIEW" if store == "postgres" else "VIEW"
    with empty_store(store, tmp_path) as url:
        async with client_of(_shop(url, "auto", sales=resource(Sale), lines=resource(Line))):
            pass
        number = "SIGNED" if store == "mariadb" else "bigint"
        await _as_others(
            url,
            "INSERT INTO sales (id, city, amount) VALUES (1, 'Ulm', 2), (2, 'Ulm', 3), (3, 'Bonn', 4)",
            "INSERT INTO loose_lines VALUES (1, 'a'), (2, 'b'), (3, NULL)",
            f"CREATE {kind} city_totals AS SELECT city, CAST(sum(amount) AS {number}) AS total"
            " FROM sales GROUP BY city",
        )
        for policy in ("auto", "check"):
            resources = {"sales": resource(Sale), "totals": resource(CityTotal), "lines": resource(Line)}
            async with client_of(_shop(url, policy, **resources)) as client:
                totals = (await client.get("/totals", params={"sort": "-total", "total__gt": 1})).json()
                one = (await client.get("/totals/Bonn")).json()
                walked = (await client.get("/lines", params={"limit": 2})).json()
                rest = (await client.get("/lines", params={"cursor": walked["next_cursor"]})).json()
                created = await client.post("/totals", json={"city": "Rome", "total": 1})
                removed = await client.delete("/lines/1")

            assert totals["items"] == [{"city": "Ulm", "total": 5}, {"city": "Bonn", "total": 4}]
            assert one == {"city": "Bonn", "total": 4}
            assert [each["number"] for each in (*walked["items"], *rest["items"])] == [1, 2, 3]
            assert (created.status_code, removed.status_code) == (405, 405)


def test_a_view_that_is_to_be_changed_is_told() -> None:
    with pytest.raises(DeclarationError) as refusal:
        _ = _shop("memory://", "auto", totals=resource(CityTotal, operations=["create", "list"]))

    (told,) = refusal.value.mistakes
    assert told.startswith("totals: operations names 'create', which needs a table that can be changed")


class Owner(Base):
    """Whose animals are in one table."""

    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    pets: Mapped[list["Pet"]] = relationship(back_populates="owner", order_by="Pet.name.desc()")
    cats: Mapped[list["Cat"]] = relationship(viewonly=True)


class Pet(Base):
    """Any of them."""

    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    name: Mapped[str] = mapped_column(sa.String(10))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("owners.id"))
    owner: Mapped[Owner | None] = relationship(back_populates="pets")
    __mapper_args__: ClassVar = {"polymorphic_on": "kind", "polymorphic_identity": "pet"}


class Cat(Pet):
    """With a column that others do not have."""

    lives: Mapped[int | None]
    __mapper_args__: ClassVar = {"polymorphic_identity": "cat"}


class Kitten(Cat):
    """A cat as well."""

    __mapper_args__: ClassVar = {"polymorphic_identity": "kitten"}


@pytest.mark.parametrize("store", SQL_STORES)
async def test_classes_that_share_a_table_are_resources_of_their_own(store: str, tmp_path: Path) -> None:
    declared = {
        "pets": resource(Pet),
        "cats": resource(Cat),
        "kittens": resource(Kitten),
        "owners": resource(Owner),
    }
    with empty_store(store, tmp_path) as url:
        async with client_of(_shop(url, "auto", **declared)) as client:
            _ = await client.post("/owners", json={})
            made = [
                (await client.post(path, json={"name": path[1], "owner_id": 1})).json()
                for path in ("/pets", "/cats", "/kittens")
            ]
            refused = await client.post("/cats", json={"name": "x", "kind": "pet"})
            seen = {
                path: [each["id"] for each in (await client.get(path)).json()["items"]]
                for path in ("/pets", "/cats", "/kittens", "/pets?kind=cat", "/pets?owner.id=1")
            }
            counted = (await client.get("/cats/count")).json()
            others = [
                await client.get("/cats/1"),
                await client.delete("/cats/1"),
                await client.get("/pets/3"),
            ]
            owner = (await client.get("/owners/1?include=pets,cats")).json()
            having = (await client.get("/owners?cats.lives=9")).json()["items"]
            changed = (await client.patch("/kittens/3", json={"lives": 9})).json()

    assert [each["kind"] for each in made] == ["pet", "cat", "kitten"]
    assert (made[1].keys() - made[0].keys(), refused.status_code) == ({"lives"}, 422)
    assert seen == {
        "/pets": [1, 2, 3],
        "/cats": [2, 3],
        "/kittens": [3],
        "/pets?kind=cat": [2],
        "/pets?owner.id=1": [1, 2, 3],
    }
    assert counted == {"count": 2}
    assert [each.status_code for each in others] == [404, 404, 200]
    assert [[each["id"] for each in owner[name]] for name in ("pets", "cats")] == [[1, 3, 2], [2, 3]]
    assert (having, changed["lives"]) == ([], 9)


class OrderDetail(Base):
    """A table whose names are those of a spreadsheet."""

    __table__ = sa.Table(
        "order details",
        Base.metadata,
        sa.Column("Order ID", sa.Integer, primary_key=True),
        sa.Column("unit.price", sa.Numeric(10, 2)),
        sa.Column("2nd class", sa.String(20)),
    )


@pytest.mark.parametrize("store", SQL_STORES)
async def test_names_with_blanks_and_dots_are_those_of_fields(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        for policy in ("auto", "check"):
            async with client_of(_shop(url, policy, details=resource(OrderDetail))) as client:
                made = (await client.post("/details", json={"unit.price": "2.5", "2nd class": "a"})).json()
                asked = {"unit.price__gt": 2, "2nd class": "a", "sort": "-unit.price", "fields": "unit.price"}
                found = (await client.get("/details", params=asked)).json()["items"]
                document = await client.get("/openapi.json")

    assert made == {"Order ID": 2, "unit.price": "2.50", "2nd class": "a"}
    assert found == [{"unit.price": "2.50"}] * 2
    assert document.status_code == 200


class Account(Model):
    """What a profile belongs to."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=30)


class Address(Model):
    """What profiles share."""

    id = fields.IntField(primary_key=True)
    street = fields.CharField(max_length=30)


class Profile(Model):
    """Its key refers to another model."""

    account: Any = fields.OneToOneField("models.Account", related_name="profile", primary_key=True)
    addresses: Any = fields.ManyToManyField("models.Address", related_name="profiles")


class Change(Model):
    """Two relations of it are stored in one table, though nobody has said so."""

    id = fields.IntField(primary_key=True)
    assignees: Any = fields.ManyToManyField("models.Account", related_name="assigned")
    reviewers: Any = fields.ManyToManyField("models.Account", related_name="reviewing")


async def test_a_key_of_tortoises_that_is_a_reference_is_an_end_of_relations(tmp_path: Path) -> None:
    declared = {"accounts": resource(Account), "addresses": resource(Address), "profiles": resource(Profile)}
    url = f"sqlite:///{tmp_path / 'profiles.sqlite3'}"

    async with client_of(_shop(url, "auto", **declared)) as client:
        key = (await client.post("/accounts", json={"name": "a"})).json()["id"]
        created = await client.post("/profiles", json={"account_id": key})
        found = await client.get(f"/profiles/{key}", params={"include": "account,addresses"})

    assert created.json() == {"account_id": key}
    assert found.json() == {"account_id": key, "account": {"id": key, "name": "a"}, "addresses": []}


def test_relations_of_tortoises_that_share_a_table_by_chance_are_told() -> None:
    with pytest.raises(DeclarationError) as refusal:
        _ = _shop("sqlite://", "auto", accounts=resource(Account), changes=resource(Change))

    assert "Change.reviewers is stored in change_account, as Change.assignees is" in str(refusal.value)


async def test_sqlite_finds_a_table_that_was_created_in_another_case(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    await _as_others(
        url,
        "CREATE TABLE Sales (id INTEGER PRIMARY KEY, city varchar(20) NOT NULL, amount int NOT NULL)",
        "INSERT INTO Sales VALUES (1, 'Ulm', 3)",
    )

    async with client_of(_shop(url, "check", sales=resource(Sale))) as client:
        found = (await client.get("/sales/1")).json()

    assert found == {"id": 1, "city": "Ulm", "amount": 3}
