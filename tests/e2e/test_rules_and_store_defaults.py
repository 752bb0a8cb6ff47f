"""A rule over several fields is asked of a replace by the defaults of the store, and of an import that restores."""

from pathlib import Path

import pytest
from pydantic import model_validator
from sqlalchemy import text
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of


class Booking(SQLModel, table=True):
    """A time, with a state that the database fills in."""

    __tablename__ = "booking_with_state"

    id: int | None = Field(default=None, primary_key=True)
    start: int
    end: int
    state: str | None = Field(default=None, sa_column_kwargs={"server_default": text("'new'")})

    @model_validator(mode="after")
    def check_order(self) -> "Booking":
        if self.end < self.start:
            raise ValueError("ends before it begins")
        return self


class Shop(Container):
    bookings = resource(Booking)


@pytest.mark.parametrize("given", [{}, {"state": "held"}])
async def test_it_is_refused_or_takes_the_default(tmp_path: Path, given: dict[str, str]) -> None:
    databases = {"default": {"url": f"sqlite:///{tmp_path / 'shop.sqlite3'}"}}
    shop = Shop(settings=Settings.model_validate({"databases": databases, "secret": "s" * 40}))
    async with client_of(create_app(shop)) as client:
        created = await client.post("/bookings", json={"start": 1, "end": 2, "state": "old"})
        assert created.status_code == 201
        refused = await client.put("/bookings/1", json={"start": 2, "end": 1, **given})
        assert (refused.status_code, refused.json()["errors"][0]["message"]) == (422, "ends before it begins")
        replaced = await client.put("/bookings/1", json={"start": 1, "end": 3, **given})
        assert replaced.json() == {"id": 1, "start": 1, "end": 3, "state": "new", **given}


async def test_it_is_asked_of_what_an_import_restores(tmp_path: Path) -> None:
    databases = {"default": {"url": f"sqlite:///{tmp_path / 'shop.sqlite3'}"}}
    shop = Shop(settings=Settings.model_validate({"databases": databases, "secret": "s" * 40}))
    headers = {"content-type": "application/x-ndjson"}
    async with client_of(create_app(shop)) as client:
        lines = '{"id": 7, "start": 1, "end": 2, "state": "old"}\n{"id": 8, "start": 2, "end": 1, "state": "old"}\n'
        answer = await client.post("/bookings/import?mode=restore", content=lines, headers=headers)
        assert "ends before it begins" in answer.text
        assert [each["id"] for each in (await client.get("/bookings")).json()["items"]] == [7]
