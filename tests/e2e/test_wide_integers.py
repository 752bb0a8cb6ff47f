"""Numbers beyond what a class says of its column are found, as keys too: columns are often wider than classes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store, store_names

WIDE = 3_000_000_000
ABSENT = 5_000_000_000


class Base(DeclarativeBase):
    pass


class Reading(Base):
    __tablename__ = "wide_reading"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    value: Mapped[int | None] = mapped_column(Integer)


class Shop(Container):
    readings = resource(Reading)


@pytest.fixture(params=store_names())
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with a table that another program has made and filled."""
    columns = Column("id", BigInteger, primary_key=True), Column("value", BigInteger)
    table = Table("wide_reading", MetaData(), *columns)
    with empty_store(str(request.param), tmp_path) as found:
        driver = found.replace("postgresql://", "postgresql+psycopg://").replace(
            "mysql://", "mysql+pymysql://"
        )
        engine = create_engine(driver)
        with engine.begin() as connection:
            table.create(connection)
            _ = connection.execute(insert(table), [{"id": 1, "value": 2}, {"id": WIDE, "value": -WIDE}])
        engine.dispose()
        yield found


async def test_they_are_found_changed_and_removed(url: str) -> None:
    databases = {"default": {"url": url, "migrations": "off"}}
    shop = Shop(settings=Settings.model_validate({"databases": databases, "secret": "s" * 40}))
    async with client_of(create_app(shop)) as client:
        wide = {"id": WIDE, "value": -WIDE}
        assert (await client.get(f"/readings/{WIDE}")).json() == wide
        assert (await client.get(f"/readings?value={-WIDE}")).json()["items"] == [wide]
        assert (await client.get(f"/readings/count?id__gt={ABSENT}")).json() == {"count": 0}
        assert (await client.get(f"/readings/{ABSENT}")).status_code == 404
        assert (await client.patch(f"/readings/{WIDE}", json={"value": 3})).json()["value"] == 3
        assert (await client.patch(f"/readings/{WIDE}", json={"value": WIDE})).status_code == 422
        assert (await client.delete(f"/readings/{WIDE}")).status_code == 204
