"""Keys that callers, the database or the program make: what the database does is asked at start."""

import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import READ_ONLY, DeclarationError
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import run_sql, with_driver
from tests.e2e.stores import SQL_STORES, empty_store

ADMIN = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}


class Base(DeclarativeBase):
    """The classes below."""


class Genre(Base):
    """As generators of classes write a key without a sequence."""

    __tablename__ = "genres"
    genre_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    name: Mapped[str | None] = mapped_column(sa.String(120))


class Event(Base):
    """With a key that the program makes."""

    __tablename__ = "key_events"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str]


def _shop(entity: type[Any], url: str, policy: str, **options: Any) -> Any:
    container: Any = type("Shop", (Container,), {"genres": resource(entity, **options)})
    chosen = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    return create_app(container(settings=Settings(databases={"default": chosen})))


async def _as_others(url: str, *statements: str) -> None:
    await run_sql(with_driver(url, ADMIN[url.partition(":")[0]]), *statements)


@pytest.mark.parametrize("store", SQL_STORES)
async def test_a_key_that_nothing_counts_is_told_at_start_and_given_by_callers_where_declared(
    store: str, tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        table = "CREATE TABLE genres (genre_id int NOT NULL PRIMARY KEY, name varchar(120))"
        await _as_others(url, table, "INSERT INTO genres VALUES (1, 'Rock')")

        with pytest.raises(DeclarationError) as refusal:
            async with client_of(_shop(Genre, url, "check")):
                pass
        async with client_of(_shop(Genre, url, "check", operations=READ_ONLY)) as client:
            assert (await client.get("/genres/1")).json() == {"genre_id": 1, "name": "Rock"}
        async with client_of(_shop(Genre, url, "check", key="client")) as client:
            given = {"genre_id": 2, "name": "Jazz"}
            assert (await client.post("/genres", json=given)).json() == given
            without = (await client.post("/genres", json={"name": "Jazz"})).json()
            again = (await client.post("/genres", json=given)).json()

    assert "nothing in the database gives the key genres.genre_id a value" in str(refusal.value)
    assert [(each["pointer"], each["code"]) for each in without["errors"]] == [("/genre_id", "missing")]
    assert [each["pointer"] for each in again["errors"]] == ["/genre_id"]


async def test_a_counter_that_is_behind_blames_no_field_and_a_key_that_nobody_makes_neither(
    postgres_url: str,
) -> None:
    await _as_others(
        postgres_url,
        "DROP TABLE IF EXISTS genres",
        "CREATE TABLE genres (genre_id serial PRIMARY KEY, name varchar(120))",
        "INSERT INTO genres VALUES (1, 'Rock')",
    )
    async with client_of(_shop(Genre, postgres_url, "check")) as client:
        taken = await client.post("/genres", json={"name": "Jazz"})
        second = await client.post("/genres", json={"name": "Jazz"})
    await _as_others(postgres_url, "ALTER TABLE genres ALTER genre_id DROP DEFAULT")
    async with client_of(_shop(Genre, postgres_url, "off")) as client:
        nothing = await client.post("/genres", json={"name": "Jazz"})
    await _as_others(postgres_url, "DROP TABLE genres")

    assert (taken.status_code, taken.json()["code"], taken.json()["errors"]) == (409, "already_exists", [])
    assert second.json() == {"genre_id": 2, "name": "Jazz"}
    assert (nothing.status_code, nothing.json()["code"], nothing.json()["errors"]) == (
        409,
        "check_failed",
        [],
    )


@pytest.mark.parametrize("store", [*SQL_STORES, "memory"])
async def test_the_program_makes_keys_that_grow_with_time(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(_shop(Event, url, "auto", key="uuid7")) as client:
            made = [(await client.post("/genres", json={"title": "a"})).json()["id"] for _ in range(2)]
            own = {"id": str(uuid.uuid4()), "title": "b"}
            assert (await client.post("/genres", json=own)).json() == own

    first, second = map(uuid.UUID, made)
    assert (first.int >> 76) & 15 == (second.int >> 76) & 15 == 7
    assert first.int >> 80 <= second.int >> 80


def test_a_key_that_cannot_be_made_is_told() -> None:
    for key, sentence in (("uuid7", "genres: key='uuid7' needs"), ("mine", "genres: key is 'mine'")):
        with pytest.raises(DeclarationError) as refusal:
            _ = _shop(Genre, "memory://", "auto", key=key)
        (told,) = refusal.value.mistakes
        assert told.startswith(sentence)
