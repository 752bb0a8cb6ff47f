"""Values inside of JSON fields: filtered and sorted by over HTTP and in Python, described, indexed, and refused."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy
from pydantic import BaseModel
from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Cache, JsonPath, Query, QueryRules, Sort, Where, to_one
from fastapi_easy.migrations import open_migrations
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.settings import Settings
from tests.e2e.datasets import engine_of
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names
from tests.e2e.wiretap import overheard

RULES = QueryRules(
    json_paths={
        "attributes.colour": JsonPath(str, indexed=True),
        "attributes.box.size": int,
        "attributes.sold": "bool",
    }
)


class Base(DeclarativeBase):
    pass


class TableProduct(Base):
    __tablename__ = "pathed_product"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    attributes: Mapped[Any] = mapped_column(JSON, nullable=True)


class ModelProduct(Model):
    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=50)
    attributes: Any = fields.JSONField(null=True)


class PlainProduct(BaseModel):
    id: int | None = None
    title: str
    attributes: Any | None = None


PRODUCTS = {
    "a": {"colour": "red", "box": {"size": 3}, "sold": True},
    "b": {"colour": "Red", "box": {"size": 12}},
    "c": {"colour": 7, "box": [{"size": 3}], "sold": "true"},
    "d": None,
    "e": {"colour": "green", "box": {"size": "3"}, "sold": False},
    "f": {"box": {"size": 5.0}},
}

STORES = [
    *((TableProduct, name) for name in store_names()),
    *((ModelProduct, name) for name in store_names()),
    (PlainProduct, "memory"),
    (PlainProduct, MONGO),
]


def shop_of(entity: type[Any], url: str, migrations: str = "auto") -> Any:
    class Shop(Container):
        products = resource(entity, query=RULES)

    kept = {"default": {"url": url, "migrations": migrations}}
    return Shop(settings=Settings(databases=kept, secret="s" * 40))


async def titles(client: httpx2.AsyncClient, **asked: str) -> str:
    answer = await client.get("/products", params=asked)
    assert answer.status_code == 200, answer.text
    return "".join(each["title"] for each in answer.json()["items"])


async def walked(client: httpx2.AsyncClient, **asked: str) -> str:
    found = ""
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/products", params={"limit": 1, **asked, **cursor})).json()
        found += "".join(each["title"] for each in page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize(
    ("entity", "store"), STORES, ids=[f"{each.__name__}-{name}" for each, name in STORES]
)
async def test_values_inside_of_documents(entity: type[Any], store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        shop = shop_of(entity, url)
        async with client_of(create_app(shop)) as client:
            for title, attributes in PRODUCTS.items():
                made = await client.post("/products", json={"title": title, "attributes": attributes})
                assert made.status_code == 201, made.text

            assert await titles(client, **{"attributes.colour": "red"}) == "a"
            assert await titles(client, **{"attributes.colour__ne": "red"}) == "bcdef"
            assert await titles(client, **{"attributes.colour__icontains": "RE"}) == "abe"
            assert await titles(client, **{"attributes.colour__isnull": "true"}) == "cdf"
            assert await titles(client, **{"attributes.box.size__gt": "3"}) == "bf"
            assert await titles(client, **{"attributes.box.size__in": "3,5"}) == "af"
            assert await titles(client, **{"attributes.sold": "false"}) == "e"
            tree = '{"or":[{"attributes.box.size__lte":3},{"not":{"attributes.colour__startswith":"R"}}]}'
            assert await titles(client, where=tree) == "acdef"
            assert await titles(client, sort="attributes.box.size") == "afbcde"
            assert await walked(client, sort="-attributes.box.size") == "bfacde"
            assert await walked(client, sort="attributes.colour,-title") == "beafdc"
            assert await walked(client, sort="-attributes.sold,-title") == "aefdcb"
            products = shop.kernel().products
            page = (await products.list(attributes__box__size__gte=5, sort="-attributes.colour")).unwrap()
            assert [each["title"] for each in page.items] == ["b", "f"]

            async with shop.kernel().unit_of_work() as work:
                by_size = Query(
                    specification=Where("attributes.box.size") > 3, order=(Sort("attributes.box.size"),)
                )
                found = (await work.repository("products").select(by_size)).unwrap()
            assert [each["title"] for each in found.items] == ["f", "b"]

            wrong = await client.get("/products", params={"attributes.box.size": "many"})
            assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/attributes.box.size")
            for asked in ({"attributes.weight__gt": "3"}, {"sort": "attributes.weight"}):
                refused = await client.get("/products", params=asked)
                assert refused.status_code == 400
                assert "QueryRules(json_paths={'attributes.weight': str})" in refused.json()["detail"]
        # The schema that was created is the one that is declared.
        async with client_of(
            create_app(shop_of(entity, url, "check" if store != "memory" else "auto"))
        ) as client:
            assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("store", [each for each in store_names() if each != "mariadb"])
async def test_an_index_is_planned_created_once_and_used(store: str, tmp_path: Path) -> None:
    class Bare(Container):
        products = resource(TableProduct)

    with empty_store(store, tmp_path) as url:
        kept = {"default": {"url": url, "migrations": "auto"}}
        async with client_of(create_app(Bare(settings=Settings(databases=kept, secret="s" * 40)))) as client:
            for number in range(50):
                attributes = {"colour": f"c{number}"}
                _ = await client.post("/products", json={"title": "t", "attributes": attributes})
        async with open_migrations(shop_of(TableProduct, url)) as migrations:
            planned = (await migrations.plan()).unwrap()
        assert [each.summary.partition(" on ")[0] for each in planned.steps] == [
            "create index ix_pathed_product_attributes_colour"
        ]
        async with client_of(create_app(shop_of(TableProduct, url))):
            pass
        async with open_migrations(shop_of(TableProduct, url)) as migrations:
            assert (await migrations.plan()).unwrap().steps == ()
        async with (
            overheard(url) as (address, said),
            client_of(create_app(shop_of(TableProduct, address, "off"))) as client,
        ):
            assert await titles(client, **{"attributes.colour": "c7"}) == "t"
        asked = next(
            each for each in reversed(said) if "pathed_product" in each and each.startswith("SELECT")
        )

        assert "ix_pathed_product_attributes_colour" in explained(url, asked)


def explained(url: str, statement: str) -> str:
    """How the database would find what *statement* asks for, if it can help it not to read everything."""
    engine = sqlalchemy.create_engine(url) if url.startswith("sqlite") else engine_of(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            else:
                _ = connection.exec_driver_sql("SET enable_seqscan = off")
                found = connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {statement}").all()
            return str(found)
    finally:
        engine.dispose()


class TableMaker(Base):
    __tablename__ = "pathed_maker"
    id: Mapped[int] = mapped_column(primary_key=True)
    secret: Mapped[Any] = mapped_column(JSON, default=dict)
    facts: Mapped[Any] = mapped_column(JSON, default=dict)


class TableTool(Base):
    __tablename__ = "pathed_tool"
    id: Mapped[int] = mapped_column(primary_key=True)
    maker_id: Mapped[int | None] = mapped_column(ForeignKey("pathed_maker.id"))
    maker: Mapped[TableMaker | None] = relationship()


class PlainMaker(BaseModel):
    id: int | None = None
    secret: Any = {}
    facts: Any = {}


class PlainTool(BaseModel):
    id: int | None = None
    maker_id: int | None = None


@pytest.mark.parametrize("store", [*store_names("memory"), MONGO])
async def test_related_values_and_those_that_a_caller_may_not_read(store: str, tmp_path: Path) -> None:
    is_plain = store in {"memory", MONGO}
    maker_class = PlainMaker if is_plain else TableMaker
    rules = QueryRules(json_paths={"facts.city": str, "facts.age": int, "secret.code": str})

    class Shop(Container):
        makers = resource(
            maker_class,
            query=rules,
            policy=[allow("create", "read", to=ANYONE, fields=["id", "facts"]), allow("*", to="boss")],
        )
        tools = resource(
            PlainTool if is_plain else TableTool,
            relations={"maker": to_one("makers", by="maker_id")} if is_plain else None,
            policy=[allow("*", to=ANYONE)],
            cache=Cache(),
        )

    with empty_store(store, tmp_path) as url:
        kept = {"default": {"url": url, "migrations": "auto"}}
        shop = Shop(settings=Settings(databases=kept, secret="s" * 40))
        async with client_of(create_app(shop)) as client:
            for facts in ({"city": "Bonn", "age": 40}, {"city": "Ulm"}, {"city": "Ulm", "age": 3}):
                made = await client.post("/makers", json={"facts": facts})
                assert made.status_code == 201, made.text
            for maker in (1, 2, None, 3):
                assert (await client.post("/tools", json={"maker_id": maker})).status_code == 201

            async def tools(**asked: str) -> list[int]:
                answer = await client.get("/tools", params=asked)
                assert answer.status_code == 200, answer.text
                return [each["id"] for each in answer.json()["items"]]

            assert await tools(**{"maker.facts.city": "Ulm"}) == [2, 4]
            assert await tools(where='{"maker":{"facts.city":"Ulm","facts.age__lt":9}}') == [4]
            assert await tools(sort="-maker.facts.age") == [1, 4, 2, 3]
            for asked in (
                {"secret.code": "x"},
                {"sort": "secret.code"},
                {"where": '{"not":{"secret.code":"x"}}'},
            ):
                assert (await client.get("/makers", params=asked)).status_code == 403
            assert (await client.get("/tools", params={"maker.secret.code": "x"})).status_code == 403
            document = (await client.get("/openapi.json")).json()
            listed = {each.get("name") for each in document["paths"]["/makers"]["get"]["parameters"]}
            assert {"facts.city", "facts.city__contains", "facts.age__gte", "facts.age__isnull"} <= listed
            tree = document["components"]["schemas"][f"{maker_class.__name__}Filter"]["properties"]
            assert tree["facts.age"]["type"] == "integer"
