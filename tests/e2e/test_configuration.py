"""Databases and resources in a container's own `Configuration`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError
from fastapi_easy.settings import Settings
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of


class Essay(SQLModel, table=True):
    """Something to think about."""

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)


@dataclass
class Note:
    """Something to remember."""

    text: str
    id: int | None = None


class Notebook(Container):
    """Has what is its own in a configuration of its own."""

    config = providers.Configuration()
    essays = resource(Essay)
    notes = resource(Note, database="archive")


def urls(shop: Any) -> dict[str, str]:
    return {name: each.url.get_secret_value() for name, each in shop.settings().databases.items()}


def in_files(folder: Path) -> dict[str, Any]:
    return {
        "databases": {
            "default": {"url": f"sqlite:///{folder / 'essays.sqlite3'}", "pool_size": 3},
            "archive": {"url": "memory://"},
        }
    }


async def test_databases_are_read_from_a_file_of_the_container(tmp_path: Path) -> None:
    (tmp_path / "notebook.yml").write_text(
        f"databases:\n  default:\n    url: sqlite:///{tmp_path / 'essays.sqlite3'}\n  archive:\n    url: memory://\n"
    )

    class FromYaml(Notebook):
        config = providers.Configuration(yaml_files=[str(tmp_path / "notebook.yml")])

    async with client_of(create_app(FromYaml())) as client:
        answers = [
            (await client.post("/essays", json={"title": "Of Studies"})).status_code,
            (await client.post("/notes", json={"text": "milk"})).status_code,
        ]

    assert answers == [201, 201]
    assert (tmp_path / "essays.sqlite3").exists()


async def test_databases_may_be_named_once_the_container_is_there(tmp_path: Path) -> None:
    shop = Notebook()
    shop.config.from_dict(in_files(tmp_path))

    async with client_of(create_app(shop)) as client:
        created = await client.post("/notes", json={"text": "milk"})

    assert created.status_code == 201
    assert shop.databases.default().technology == "SQLite"


def test_databases_may_be_handed_over_with_the_configuration(tmp_path: Path) -> None:
    shop = Notebook(config=in_files(tmp_path))

    assert urls(shop)["archive"] == "memory://"


def test_the_environment_overrides_the_url_of_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_EASY_DATABASES__DEFAULT__URL", "postgresql://db.internal/notes")
    monkeypatch.setenv("FASTAPI_EASY_DATABASES__DEFAULT__BREAKER__PAUSE", "7")
    written = in_files(tmp_path)
    written["databases"]["default"]["breaker"] = {"calls": 5, "pause": 9}

    default = Notebook(config=written).settings().databases["default"]

    assert default.url.get_secret_value() == "postgresql://db.internal/notes"
    assert (default.pool_size, default.breaker.calls, default.breaker.pause) == (3, 5, 7)


def test_an_argument_overrides_the_url_of_a_database(tmp_path: Path) -> None:
    settings = Settings.model_validate({"databases": {"default": {"url": "memory://"}}})

    shop = Notebook(settings=settings, config=in_files(tmp_path))

    assert urls(shop) == {"default": "memory://", "archive": "memory://"}


async def test_a_shop_in_memory_keeps_every_database_there(tmp_path: Path) -> None:
    written = {"databases": {"archive": {"url": "postgresql://db.internal/archive"}}}
    written["resources"] = {"memos": {"entity": f"{__name__}:Note", "database": "attic"}}
    written["databases"]["attic"] = {"url": "postgresql://db.internal/attic"}

    shop = in_memory(Notebook, config=written)

    assert set(urls(shop).values()) == {"memory://"}
    assert urls(shop).keys() == {"default", "archive", "attic"}


async def test_a_search_for_words_is_declared_in_a_file() -> None:
    query = {"search": {"fields": ["text"], "language": "english"}}
    written = {"resources": {"memos": {"entity": f"{__name__}:Note", "query": query}}}

    async with client_of(create_app(in_memory(Notebook, config=written))) as client:
        for text in ("a cat", "concatenate"):
            _ = await client.post("/memos", json={"text": text})
        found = await client.get("/memos", params={"q": "cat"})

    assert [each["text"] for each in found.json()["items"]] == ["a cat"]


def test_whichever_name_the_configuration_has(tmp_path: Path) -> None:
    class Other(Container):
        own = providers.Configuration()

    shop = Other(own={"databases": {"default": {"url": "memory://"}}})

    assert urls(shop) == {"default": "memory://"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"databases": {"default": {"urll": "memory://"}}}, "config.databases.default.urll: "),
        ({"databases": {"default": {"pool_size": "many"}}}, "config.databases.default.pool_size: "),
        ({"databases": {"default": "memory://"}}, "config.databases.default: "),
        ({"databases": "memory://"}, "config.databases is not a mapping"),
        ({"resources": [f"{__name__}:Note"]}, "config.resources is not a mapping"),
        ({"resources": {"memos": {"entity": f"{__name__}:Not"}}}, "config.resources.memos: "),
        (
            {"database": {"default": {"url": "memory://"}}},
            "config.database is not read: did you mean 'databases'?",
        ),
        ({"database": {"url": "memory://"}}, "did you mean 'databases'?"),
        ({"Databases": {"default": {"url": "memory://"}}}, "did you mean 'databases'?"),
        ({"databse": {"default": {"url": "memory://"}}}, "did you mean 'databases'?"),
        ({"resource": {"memos": {"entity": f"{__name__}:Note"}}}, "did you mean 'resources'?"),
    ],
    ids=lambda each: "" if isinstance(each, dict) else each,
)
def test_nothing_is_ignored_that_was_meant_for_us(written: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        create_app(Notebook(config={"databases": {"archive": {"url": "memory://"}}, **written}))

    assert said in str(refused.value)


def test_a_wrong_value_is_not_repeated() -> None:
    with pytest.raises(DeclarationError) as refused:
        Notebook(config={"databases": {"default": {"url": ["postgresql://shop:secret@db.internal/shop"]}}})

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        {"mailer": {"url": "smtp://mail.internal"}},
        {"sources": {"feed": {"url": "https://feed.internal"}}},
        {"database": {"dsn": ":memory:"}},
        {"database": "postgresql://db.internal/own"},
        {"data": {"url": "https://data.internal"}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_nothing_is_said_of_what_is_a_users_own(written: dict[str, Any]) -> None:
    shop = Notebook(
        config={"databases": {"default": {"url": "memory://"}, "archive": {"url": "memory://"}}, **written}
    )

    create_app(in_memory(Notebook, config=written))

    assert shop.config() is not None


def test_an_option_that_a_provider_is_made_from_is_a_users_own() -> None:
    class Own(Notebook):
        config = providers.Configuration()
        client = providers.Factory(dict, url=config.database.url)

    shop = in_memory(Own, config={"database": {"url": "https://own.internal"}})
    create_app(shop)

    assert shop.client() == {"url": "https://own.internal"}


def test_resources_that_are_configured_too_late_are_an_error() -> None:
    shop = in_memory(Notebook)
    shop.config.from_dict({"resources": {"memos": {"entity": f"{__name__}:Note"}}})

    with pytest.raises(
        DeclarationError, match=r"config\.resources\.memos was set after the container was created"
    ):
        create_app(shop)
