"""How often the values of a row are decoded on their way from the driver to the caller."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.query import Query
from tests.unit.infrastructure.sqlalchemy.relational import relational


class CountedText(TypeDecorator[str]):
    """Text that counts how often a value of it is decoded."""

    impl = String
    cache_ok = True
    decoded = 0

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        type(self).decoded += 1
        return value


class Base(DeclarativeBase): ...


class Parcel(Base):
    __tablename__ = "decoded_parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(CountedText(50))
    version: Mapped[int]


@pytest.fixture
async def parcels(url: str) -> AsyncIterator[Repository[Any]]:
    async with relational(url, {"parcels": Parcel}, options={"parcels": {"version": "version"}}) as world:
        yield world["parcels"]


async def test_decodes_a_created_row_once(parcels: Repository[Any]) -> None:
    CountedText.decoded = 0

    _ = (await parcels.add({"label": "a"})).unwrap()

    assert CountedText.decoded == 1


async def test_decodes_a_changed_row_once(parcels: Repository[Any]) -> None:
    row = (await parcels.add({"label": "a"})).unwrap()
    CountedText.decoded = 0

    _ = (await parcels.update(row["id"], Patch({"label": "b"}), expected_version="1")).unwrap()

    assert CountedText.decoded == 1


async def test_decodes_rows_of_a_page_once(parcels: Repository[Any]) -> None:
    _ = (await parcels.add_all([{"label": "a"}, {"label": "b"}])).unwrap()
    CountedText.decoded = 0

    page = (await parcels.select(Query())).unwrap()

    assert CountedText.decoded == len(page.items)
