"""Programs on MongoDB that start, and the commands that migrate what they need."""

from typing import ClassVar

import pymongo
import pytest
from pydantic import BaseModel

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.migrations import MigrationPolicy, MigrationRequired, Standing, open_migrations
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing.conformance.store import value_of
from tests.e2e.commands import call

PROGRAM = """
from typing import ClassVar

from pydantic import BaseModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Book(BaseModel):
    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str
    isbn: str


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())
"""
MISSING = "create unique index isbn_1 on (isbn) of book"


class Book(BaseModel):
    """What is sold."""

    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str
    isbn: str


class Shop(Container):
    """All books."""

    books = resource(Book)


@pytest.fixture
def url(mongo_url):
    with pymongo.MongoClient(mongo_url) as client:
        client.drop_database(client.get_default_database().name)
        yield mongo_url
        client.drop_database(client.get_default_database().name)


@pytest.fixture
def raw(url):
    with pymongo.MongoClient(url) as client:
        yield client.get_default_database()


def shop_at(url: str, policy: MigrationPolicy | None = None) -> Shop:
    settings = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    return Shop(settings=Settings(databases={"default": settings}))


async def standing_at(url: str) -> Standing:
    async with open_migrations(shop_at(url)) as migrations:
        return value_of(await migrations.standing())


async def test_an_empty_database_is_created_at_start_without_a_ledger(url, raw):
    async with open_kernel(shop_at(url)):
        pass

    assert set(raw.list_collection_names()) == {"book", "fastapi_easy"}
    assert await standing_at(url) is Standing.UNMANAGED


async def test_a_start_that_could_not_run_names_the_plan_and_the_command(url, raw):
    raw["book"].insert_one({"title": "Emma", "isbn": "1"})

    with pytest.raises(MigrationRequired) as raised:
        async with open_kernel(shop_at(url)):
            pass

    assert [each.summary for each in raised.value.plan.steps] == [MISSING]
    assert "book has no unique index on isbn" in str(raised.value)
    assert "--allow" in raised.value.command
    assert raw["book"].index_information().keys() == {"_id_"}


async def test_a_collection_without_validator_does_not_keep_a_program_from_starting(url, raw):
    raw["book"].create_index("isbn", unique=True)
    raw["book"].insert_one({"title": "Emma", "isbn": "1"})

    async with open_kernel(shop_at(url)):
        pass

    assert await standing_at(url) is Standing.UNMANAGED


@pytest.mark.parametrize("policy", [MigrationPolicy.AUTO, MigrationPolicy.CHECK])
async def test_what_is_safe_is_applied_at_start_where_the_policy_says_so(url, raw, policy):
    schema = {"required": ["title", "author"], "properties": {"title": {"bsonType": "string"}}}
    raw.create_collection("book", validator={"$jsonSchema": schema})
    raw["book"].create_index("isbn", unique=True)

    if policy is MigrationPolicy.CHECK:
        with pytest.raises(MigrationRequired):
            async with open_kernel(shop_at(url, policy)):
                pass
        assert await standing_at(url) is Standing.UNMANAGED
        return
    async with open_kernel(shop_at(url, policy)):
        pass

    assert await standing_at(url) is Standing.CURRENT
    (stored,) = raw.list_collections(filter={"name": "book"})
    assert stored["options"]["validator"] == {"$jsonSchema": {**schema, "required": ["title"]}}


def test_the_commands_show_and_apply_what_is_missing(url, raw, tmp_path):
    (tmp_path / "shop.py").write_text(PROGRAM)
    raw["book"].insert_one({"title": "Emma", "isbn": "1"})
    database = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": url}

    def migrate(*arguments: str):
        return call(tmp_path, "migrate", *arguments, **database)

    script = migrate("plan", "shop:app", "--sql")
    refused = migrate("apply", "shop:app", "--yes")
    applied = migrate("apply", "shop:app", "--yes", "--allow", "caution")

    assert (script.returncode, refused.returncode) == (2, 3), script.stderr + refused.stderr
    assert "db.runCommand(EJSON.parse(" in script.stdout
    assert applied.returncode == 0, applied.stderr
    assert raw["book"].index_information()["isbn_1"]["unique"] is True
