"""What a user does with the container: override, embed, several databases, declarations in a file."""

import contextlib
import sqlite3
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dependency_injector import providers
from fastapi import FastAPI
from sqlmodel import Field, SQLModel

from fastapi_easy.application import NOBODY, CreateEntity, GetEntity, ListEntities
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.bootstrap import create_app, mount_resources, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    DeclarationError,
    EntityCreated,
    Failure,
    Fields,
    NotFound,
    Outcome,
    Query,
    QueryRules,
    Row,
    Success,
    Unavailable,
)
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing import FailingRepository, RecordingEventBus, in_memory, in_memory_kernel
from tests.e2e.serving import client_of


class Novel(SQLModel, table=True):
    """A long story."""

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(min_length=1, max_length=200, unique=True)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)


@dataclass
class Visit:
    """Somebody looked in."""

    page: str
    id: uuid.UUID = field(default_factory=uuid.uuid4, metadata={"key": True})


class Shop(Container):
    novels = resource(Novel)


class TwoStores(Container):
    novels = resource(Novel)
    visits = resource(Visit, database="visits")


EMMA = {"title": "Emma", "price": "9.50"}


def on_sqlite(folder: Path, **databases: str) -> Settings:
    urls = {"default": f"sqlite:///{folder / 'shop.sqlite3'}", **databases}
    return Settings(
        databases={name: DatabaseSettings.model_validate({"url": url}) for name, url in urls.items()}
    )


async def test_an_override_changes_the_next_answer_and_ends_with_its_block(tmp_path: Path) -> None:
    shop = Shop(settings=on_sqlite(tmp_path))
    async with client_of(create_app(shop)) as client:
        created = await client.post("/novels", json=EMMA)
        path = created.headers["location"]

        with shop.novels.repository.override(providers.Factory(FailingRepository)):
            during = [
                (await client.get(path)).status_code,
                (await client.get("/novels")).status_code,
                (await client.post("/novels", json=EMMA | {"title": "Persuasion"})).status_code,
                (await client.patch(path, json={"price": "1"})).status_code,
                (await client.delete(path)).status_code,
            ]
        after = await client.get(path)

    assert during == [503] * 5
    assert (after.status_code, after.json()) == (200, created.json())


async def test_a_fake_repository_of_ones_own_needs_no_arguments(tmp_path: Path) -> None:
    class Empty:
        async def read(self, key: Any, fields: Any = None) -> Outcome[Row]:
            return Failure(NotFound("novels", key))

    shop = Shop(settings=on_sqlite(tmp_path))
    async with open_kernel(shop) as kernel:
        novels = kernel.use_cases("novels")
        created = await novels.create(CreateEntity({"title": "Emma", "price": Decimal(9)}), NOBODY)
        key = created.unwrap()["id"]

        with shop.novels.repository.override(providers.Factory(Empty)):
            during = await novels.get(GetEntity(key), NOBODY)
        after = await novels.get(GetEntity(key), NOBODY)

    assert during == Failure(NotFound("novels", key))
    assert after == created


async def test_a_call_of_the_kernel_gives_what_http_gives(tmp_path: Path) -> None:
    shop = Shop(settings=on_sqlite(tmp_path))
    async with client_of(create_app(shop)) as client:
        created = await client.post("/novels", json=EMMA)

        outcome = await shop.kernel().use_cases("novels").get(GetEntity(created.json()["id"]), NOBODY)

    assert outcome == Success(Row(id=created.json()["id"], title="Emma", price=Decimal("9.50")))


async def test_the_event_bus_can_be_replaced_on_a_running_application(tmp_path: Path) -> None:
    shop = Shop(settings=on_sqlite(tmp_path))
    recording = RecordingEventBus()
    async with client_of(create_app(shop)) as client:
        with shop.event_bus.override(providers.Object(recording)):
            await client.post("/novels", json=EMMA)
            await client.post("/novels", json=EMMA)
        await client.post("/novels", json=EMMA | {"title": "Persuasion"})

    assert [(type(each), each.resource, each.values["title"]) for each in recording.events] == [
        (EntityCreated, "novels", "Emma")
    ]


async def test_a_built_in_use_case_can_be_replaced_by_a_subclass(tmp_path: Path) -> None:
    class Discounting(CreateEntityHandler):
        async def __call__(self, command: CreateEntity, context: Any, /) -> Outcome[Row]:
            halved = {**command.values, "price": command.values["price"] / 2}
            return await super().__call__(CreateEntity(halved), context)

    shop = Shop(settings=on_sqlite(tmp_path))
    replaced = providers.Factory(Discounting, shop.novels.collaborators)
    async with client_of(create_app(shop)) as client:
        with shop.novels.create.override(replaced):
            created = await client.post("/novels", json=EMMA)

    assert created.json()["price"] == "4.75"


async def test_one_application_keeps_resources_in_several_databases(tmp_path: Path) -> None:
    shop = TwoStores(settings=on_sqlite(tmp_path, visits="memory://"))
    async with client_of(create_app(shop)) as client:
        novel = await client.post("/novels", json=EMMA)
        visit = await client.post("/visits", json={"page": "/"})
        async with shop.unit_of_work() as work:
            with pytest.raises(DeclarationError, match="visits"):
                work.repository("visits")

    assert (novel.status_code, visit.status_code) == (201, 201)


async def test_the_whole_application_can_be_kept_in_memory() -> None:
    async with in_memory_kernel(TwoStores) as kernel:
        novels = kernel.use_cases("novels")
        created = await novels.create(CreateEntity({"title": "Emma", "price": Decimal("9.50")}), NOBODY)
        listed = await novels.list(ListEntities(Query()), NOBODY)

    assert listed.unwrap().items == [created.unwrap()]


async def test_a_store_that_is_down_is_a_503_problem(tmp_path: Path) -> None:
    shop = in_memory(Shop)
    failing = FailingRepository(Unavailable("default", retry_after=2.0))
    async with client_of(create_app(shop)) as client:
        with shop.novels.repository.override(providers.Object(failing)):
            answer = await client.get("/novels/1")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "unavailable",
        "2",
    )


async def test_resources_are_declared_in_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fastapi-easy.toml").write_text(
        """
        [databases.default]
        url = "sqlite:///from_file.sqlite3"

        [resources.novels]
        entity = "tests.e2e.test_container:Novel"
        operations = ["list", "get", "create"]
        query = { sort = ["price"], limit = 5 }
        """
    )
    monkeypatch.chdir(tmp_path)

    async with client_of(create_app(Container())) as client:
        created = await client.post("/novels", json=EMMA)
        sorted_by_title = await client.get("/novels", params={"sort": "title"})
        deleted = await client.delete(created.headers["location"])

    assert (created.status_code, sorted_by_title.status_code, deleted.status_code) == (201, 400, 405)
    assert (tmp_path / "from_file.sqlite3").exists()


async def test_resources_are_declared_in_a_configuration_provider(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text("resources:\n  novels:\n    entity: tests.e2e.test_container:Novel\n")

    class FromYaml(Container):
        config = providers.Configuration(yaml_files=[str(path)])

    async with client_of(create_app(FromYaml(settings=on_sqlite(tmp_path)))) as client:
        created = await client.post("/novels", json=EMMA)

    assert created.status_code == 201


def test_every_mistake_is_named_with_its_mend() -> None:
    class Broken(Container):
        novels = resource(Novel, query=QueryRules(sort=["titel"], limit=500))
        visits = resource(Visit, fields=Fields(hidden=["id"]), operations=["lst"])

    with pytest.raises(DeclarationError) as refused:
        create_app(in_memory(Broken))

    assert len(refused.value.mistakes) == 4
    assert "did you mean 'title'" in str(refused.value)
    assert "visits: operations names 'lst'" in str(refused.value)


async def test_an_existing_application_keeps_what_it_had(tmp_path: Path) -> None:
    begun: list[str] = []

    async def lifespan_of_its_own(app: FastAPI) -> Any:
        begun.append("own")
        yield

    app = FastAPI(title="Mine", lifespan=asynccontextmanager(lifespan_of_its_own))

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/api/novels/special")
    async def special() -> dict[str, str]:
        return {"mine": "yes"}

    mount_resources(app, Shop(settings=on_sqlite(tmp_path)), prefix="/api")
    async with client_of(app) as client:
        created = await client.post("/api/novels", json=EMMA)
        answers = [(await client.get(path)).json() for path in ("/hello", "/api/novels/special")]
        document = (await client.get("/openapi.json")).json()
        missing = await client.get("/nothing")

    assert begun == ["own"]
    assert created.headers["location"].endswith("/api/novels/1")
    assert answers == [{"hello": "world"}, {"mine": "yes"}]
    assert {"/hello", "/api/novels"} <= set(document["paths"])
    assert missing.json() == {"detail": "Not Found"}


def test_a_class_without_a_table_is_refused_where_tables_are_needed(tmp_path: Path) -> None:
    class Plain(Container):
        visits = resource(Visit)

    with pytest.raises(
        DeclarationError, match="visits is of a class that is mapped to no table, which SQLite needs"
    ):
        create_app(Plain(settings=on_sqlite(tmp_path)))


async def test_a_schema_that_differs_refuses_to_start(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite3")) as connection:
        _ = connection.execute("CREATE TABLE novel (id INTEGER PRIMARY KEY)")
    settings = Settings(
        databases={
            "default": DatabaseSettings.model_validate(
                {"url": f"sqlite:///{tmp_path / 'other.sqlite3'}", "migrations": "check"}
            )
        }
    )
    with pytest.raises(DeclarationError, match="novel"):
        async with open_kernel(Shop(settings=settings)):
            pass


async def test_a_client_may_not_see_a_defect(tmp_path: Path) -> None:
    class Defect:
        async def read(self, key: Any, fields: Any = None) -> Outcome[Row]:
            raise RuntimeError("the password is 1234")

    shop = in_memory(Shop)
    app = create_app(shop)
    async with client_of(app) as client:
        with shop.novels.repository.override(providers.Factory(Defect)):
            answer = await client.get("/novels/1")

    assert answer.status_code == 500
    assert isinstance(answer, httpx2.Response)
    assert "1234" not in answer.text
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
