"""A schema that the user of the database may not enter is a missing privilege like any other."""

from urllib.parse import urlsplit

import psycopg
import pytest
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.faults.outages.accounts import account_on
from tests.thorough import only_when_thorough

SCHEMA = """
CREATE SCHEMA closed;
CREATE TABLE closed.outages_boxes (id serial PRIMARY KEY, name varchar(40) NOT NULL);
GRANT ALL ON closed.outages_boxes, closed.outages_boxes_id_seq TO {user};
"""


class Box(SQLModel, table=True):
    """Something in a schema of its own."""

    __tablename__ = "outages_boxes"
    __table_args__ = {"schema": "closed"}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Store(Container):
    boxes = resource(Box)


@pytest.mark.parametrize(
    "driver", ["postgresql+asyncpg", pytest.param("postgresql+psycopg", marks=only_when_thorough)]
)
async def test_a_schema_without_usage_is_forbidden_also_before_the_first_call(driver: str) -> None:
    with account_on("postgres") as account:
        parts = urlsplit(account.url)
        address = f"postgresql://postgres@{parts.netloc.rpartition('@')[2]}{parts.path}"
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(SCHEMA.format(user=parts.username).encode())
            database = DatabaseSettings.model_validate({"url": account.url_with(driver), "migrations": "off"})
            shop = Store(settings=Settings(databases={"default": database}))
            async with client_of(create_app(shop)) as client:
                refused = [
                    await client.get("/boxes"),
                    await client.get("/boxes/1"),
                    await client.post("/boxes", json={"name": "a"}),
                    await client.delete("/boxes/1"),
                ]
                admin.execute(f"GRANT USAGE ON SCHEMA closed TO {parts.username}".encode())
                allowed = await client.post("/boxes", json={"name": "a"})
            admin.execute("DROP SCHEMA closed CASCADE")

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "forbidden")] * 4
    assert allowed.status_code == 201
