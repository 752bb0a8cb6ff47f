"""Public databases through the API: every value as plain SQL reads it, walks, changes, and exports that import."""

import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import REAL, Engine

from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Operation, Resource
from tests.e2e.dataset_rows import PAGILA_ROWS, SAKILA, SAKILA_ROWS
from tests.e2e.datasets import (
    classes_of,
    container_of,
    document_class,
    engine_of,
    load,
    rows_of,
    script,
    statements,
)
from tests.e2e.serving import client_of
from tests.e2e.stores import CHOSEN, empty_store
from tests.services.wanted import empty_database
from tests.thorough import one_in

MIGRATIONS = CHOSEN.replace("URL", "MIGRATIONS")
PARTITION = re.compile(r"payment_p\d{4}_\d\d")
"""What Pagila keeps its payments in: dozens of tables that are alike, of which some are tried in every way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One database.

    Attributes:
        server: Where it is.

        text: Returns its tables and rows.

        rows: More rows.

        afterwards: What is run when there are other rows.

        views: What identifies a row of each view, which can only be read.

        without: A pattern of tables that no class is made of where migrations are tried.

        columns: Columns of which the same holds.

        tolerates: A pattern of statements that may fail: extensions, roles and functions of other versions.
    """

    server: str
    text: Callable[[], str]
    rows: str = ""
    afterwards: str = ""
    views: Mapping[str, Sequence[str]] = field(default_factory=dict)
    without: str = "^$"
    columns: tuple[str, ...] = ()
    tolerates: str = "^$"

    @contextmanager
    def loaded_into(self, url: str, *, with_rows: bool = True) -> Iterator[Engine]:
        """Load it into the empty database at *url*, and yield an engine of that."""
        text = self.text() + self.rows + self.afterwards
        if not with_rows:
            text = ";\n".join(each for each in statements(text) if not each.startswith("INSERT")) + ";"
        engine = engine_of(url)
        try:
            load(engine, text, tolerates=self.tolerates)
            yield engine
        finally:
            engine.dispose()


def pagila() -> str:
    """Pagila, as PostgreSQL 14 takes it."""
    text = script("pagila-schema.sql")
    return text.replace(") VIRTUAL", ") STORED").replace("uuidv7()", "gen_random_uuid()")


DATASETS = {
    "chinook": Dataset(server="postgres", text=lambda: script("chinook-postgres.sql")),
    "northwind": Dataset(server="postgres", text=lambda: script("northwind-postgres.sql")),
    "pagila": Dataset(
        server="postgres",
        text=pagila,
        rows=PAGILA_ROWS,
        afterwards="REFRESH MATERIALIZED VIEW public.rental_by_category;",
        views={
            "actor_info": ("actor_id",),
            "customer_list": ("id",),
            "film_list": ("fid", "category"),
            "nicer_but_slower_film_list": ("fid", "category"),
            "rental_by_category": ("category",),
            "sales_by_film_category": ("category",),
            "sales_by_store": ("store", "manager"),
            "staff_list": ("id",),
        },
        without="payment_p|film_embedding|_view|_list",
        columns=("release_year", "fulltext"),
        tolerates="vector|OWNER|embedding",
    ),
    "sakila": Dataset(server="mariadb", text=lambda: SAKILA, rows=SAKILA_ROWS, columns=("release_year",)),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A data set with an application on it."""

    dataset: Dataset
    engine: Engine
    classes: Mapping[str, type[Any]]
    client: httpx2.AsyncClient
    resources: Mapping[str, Resource[Any]]


@asynccontextmanager
async def served(url: str, classes: Mapping[str, type[Any]], migrations: str) -> AsyncIterator[Any]:
    """A client of an application with *classes* on the database at *url*, and its resources."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(CHOSEN, url)
        environment.setenv(MIGRATIONS, migrations)
        container: Any = container_of(classes)()
        app = create_app(container)
        async with client_of(app) as client:
            kernel = container.kernel()
            yield client, {name: kernel.use_cases(name).resource for name in classes}


@pytest.fixture(scope="module", params=DATASETS)
async def loaded(request: pytest.FixtureRequest) -> AsyncIterator[Loaded]:
    dataset = DATASETS[request.param]
    with empty_database(dataset.server) as url, dataset.loaded_into(url) as engine:
        classes = classes_of(engine, views=dataset.views)
        # The references of a partitioned table are those of its partitions.
        classes |= {name: classes.pop(name) for name in ("payment",) if name in classes}
        async with served(url, classes, "off") as (client, resources):
            yield Loaded(dataset, engine, classes, client, resources)


async def exported(client: httpx2.AsyncClient, name: str, format_: str = "ndjson") -> bytes:
    answer = await client.get(f"/{name}/export", params={"as": format_})
    assert answer.status_code == 200, answer.text
    content: bytes = answer.content
    return content


async def rows_in(client: httpx2.AsyncClient, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(client, name)).splitlines()]


async def test_every_value_is_that_of_plain_sql(loaded: Loaded) -> None:
    for name, entity in loaded.classes.items():
        table = entity.__table__
        names = loaded.resources[name].readable
        single = {each for each in names if isinstance(table.columns[each].type, REAL)}

        rows = await rows_in(loaded.client, name)
        direct = rows_of(loaded.engine, table, names, loaded.resources[name].key)

        # Numbers of single precision are equal as such.
        assert [rounded(row, single) for row in rows] == [rounded(row, single) for row in direct], name
        one = await loaded.client.get(f"/{name}/{path_of(loaded.resources[name], rows[0])}") if rows else None
        assert one is None or rounded(one.json(), single) == rounded(direct[0], single)


def rounded(row: dict[str, Any], single: Collection[str] = ()) -> dict[str, Any]:
    rounded = {
        name: struct.pack("f", value) if name in single and value is not None else value
        for name, value in row.items()
    }
    # A view of Pagila lists them in any order.
    return rounded | {"actors": sorted(rounded["actors"].split(", "))} if "actors" in rounded else rounded


def path_of(resource: Resource[Any], row: Mapping[str, Any]) -> str:
    return ",".join(
        httpx2.URL("http://x")
        .copy_with(path=f"/{str(row[name]).replace('~', '~0').replace(',', '~1')}")
        .raw_path[1:]
        .decode()
        for name in resource.key
    )


async def test_a_walk_along_every_order_shows_each_row_once(loaded: Loaded) -> None:
    for name in tried(loaded.resources):
        resource = loaded.resources[name]
        keys = {key_of(resource, row) for row in await rows_in(loaded.client, name)}
        limit = max(7, len(keys) // 2 + 1)
        for each in resource.sortable:
            for sort in (each, f"-{each}"):
                walked = await walk(loaded.client, name, sort, min(limit, 1000))

                assert len(walked) == len(keys), (name, sort)
                assert {key_of(resource, row) for row in walked} == keys, (name, sort)


def tried(names: Iterable[str]) -> list[str]:
    """*names*, with few of the partitions."""
    partitions = [each for each in names if PARTITION.fullmatch(each)]
    return [each for each in names if each not in partitions] + one_in(30, partitions)


def can(operation: Operation, resource: Resource[Any]) -> bool:
    return operation in resource.operations


async def walk(client: httpx2.AsyncClient, name: str, sort: str, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"sort": sort, "limit": limit}
    while True:
        answer = await client.get(f"/{name}", params=parameters)
        assert answer.status_code == 200, (name, sort, answer.text)
        page = answer.json()
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        parameters["cursor"] = page["next_cursor"]


def key_of(resource: Resource[Any], row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in resource.key)


async def test_rows_are_created_patched_and_deleted(loaded: Loaded) -> None:
    for name in tried(list(reversed(loaded.classes))):
        resource, rows = loaded.resources[name], await rows_in(loaded.client, name)
        if not rows or not can(Operation.CREATE, resource):
            continue
        changes = Changes(loaded.client, resource, rows)
        created = await changes.create()
        if created is None:
            continue
        await changes.patch(created)
        await changes.delete(created)

        assert await rows_in(loaded.client, name) == rows, name


def another(value: Any) -> Any:
    """A value that no row has, of the kind of *value*."""
    match value:
        case int():
            return 32_000
        case str() if re.match(r"\d{4}-\d\d-\d\dT", value):
            # In a month for which Pagila has a partition.
            return f"{value[:10]}T23:59:59Z"
        case str() if re.fullmatch(r"[0-9a-f-]{36}", value):
            return f"00000000{value[8:]}"
        case _:
            return "zzz"


class Changes:
    """Makes a row of *resource* from its *rows*, and changes it."""

    def __init__(
        self, client: httpx2.AsyncClient, resource: Resource[Any], rows: Sequence[dict[str, Any]]
    ) -> None:
        self._client = client
        self._resource = resource
        self._rows = rows

    async def create(self) -> dict[str, Any] | None:
        """Create a copy of a row with another key; `None` where every key of a copy is taken."""
        resource, row = self._resource, self._rows[0]
        body = {name: row[name] for name in resource.writable}
        taken = {key_of(resource, each) for each in self._rows}
        referring = {field for each in resource.references for field in each.fields}
        for name in resource.key:
            # A key of other rows is combined anew; any other may be chosen, or is generated.
            if name in body and name not in referring:
                body[name] = another(body[name])
            elif name in body and key_of(resource, body) in taken:
                values = dict.fromkeys(each[name] for each in self._rows)
                body[name] = next(
                    (v for v in values if key_of(resource, {**body, name: v}) not in taken), body[name]
                )
        for rule in resource.unique:
            name = next(name for name in rule if name not in referring)
            body[name] = another(body[name])
        if all(name in body for name in resource.key) and key_of(resource, body) in taken:
            return None
        answer = await self._client.post(f"/{resource.name}", json=body)
        assert answer.status_code == 201, (resource.name, body, answer.text)
        created: dict[str, Any] = answer.json()
        stored = (await self._client.get(f"/{resource.name}/{path_of(resource, created)}")).json()
        assert {name: stored[name] for name in body} == body, resource.name
        return stored

    async def patch(self, created: dict[str, Any]) -> None:
        """Give each field the values of other rows, and those of the first one again."""
        resource, path = self._resource, f"/{self._resource.name}/{path_of(self._resource, created)}"
        for other in (self._rows[-1], self._rows[len(self._rows) // 2], self._rows[0]):
            unique = {name for rule in resource.unique for name in rule}
            patch = {name: other[name] for name in resource.changeable if name not in unique}
            answer = await self._client.patch(
                path, json=patch, headers={"content-type": "application/merge-patch+json"}
            )
            assert answer.status_code == 200, (resource.name, patch, answer.text)
            stored = (await self._client.get(path)).json()
            # Triggers and `ON UPDATE` set them.
            set_there = {"last_update": None, "fulltext": None}
            assert {**stored, **set_there} == {**stored, **patch, **set_there}, resource.name

    async def delete(self, created: dict[str, Any]) -> None:
        """Delete it."""
        path = f"/{self._resource.name}/{path_of(self._resource, created)}"
        assert (await self._client.delete(path)).status_code == 204
        assert (await self._client.get(path)).status_code == 404


async def test_what_is_exported_is_imported_as_it_was(loaded: Loaded) -> None:
    dataset = loaded.dataset
    with empty_database(dataset.server) as url:
        with dataset.loaded_into(url, with_rows=False):
            pass
        async with served(url, loaded.classes, "off") as (other, resources):
            for name in loaded.classes:
                # What is in partitions is in the whole.
                if can(Operation.IMPORT, resources[name]) and not PARTITION.fullmatch(name):
                    await imported(other, name, await exported(loaded.client, name, "csv"), "csv")
            run(url, dataset.afterwards)
            for name in loaded.classes:
                if name in dataset.views:
                    there = [rounded(row) for row in await rows_in(other, name)]
                    assert there == [rounded(row) for row in await rows_in(loaded.client, name)], name
                else:
                    assert await exported(other, name) == await exported(loaded.client, name), name
            for name, resource in resources.items():
                rows = await rows_in(other, name)
                generated = [each for each in resource.key if resource.fields[each].generated]
                if rows and generated and not PARTITION.fullmatch(name):
                    created = await Changes(other, resource, rows).create()

                    assert created is not None
                    assert created[generated[0]] > max(row[generated[0]] for row in rows), name


def run(url: str, text: str) -> None:
    engine = engine_of(url)
    load(engine, text)
    engine.dispose()


async def imported(client: httpx2.AsyncClient, name: str, content: bytes, format_: str) -> None:
    headers = {"content-type": "text/csv" if format_ == "csv" else "application/x-ndjson"}
    answer = await client.post(f"/{name}/import?mode=restore", content=content, headers=headers)
    assert (answer.status_code, answer.json().get("errors")) == (200, []), (name, answer.text[:700])


async def test_chinook_moves_from_store_to_store_and_back(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(empty_database("postgres"))
        with DATASETS["chinook"].loaded_into(url) as engine:
            classes = classes_of(engine)
        documents = {name: document_class(each.__table__) for name, each in classes.items()}
        client, _ = await stack.enter_async_context(served(url, classes, "off"))
        first = {name: await exported(client, name) for name in classes}
        for number, store in enumerate(("sqlite", "mariadb", "mongo", "postgres")):
            entities = documents if store == "mongo" else classes
            format_ = ("ndjson", "csv")[number % 2]
            other_url = stack.enter_context(empty_store(store, tmp_path))
            other, _ = await stack.enter_async_context(served(other_url, entities, "auto"))
            for name in classes:
                await imported(other, name, await exported(client, name, format_), format_)
            client = other

            assert {name: await exported(client, name) for name in classes} == first, store


async def test_a_row_that_lacks_a_value_which_nobody_can_give_is_refused(loaded: Loaded) -> None:
    if "film_embedding" not in loaded.classes:
        pytest.skip("every column has a type that is known")

    listed = await loaded.client.get("/film_embedding")
    refused = await loaded.client.post("/film_embedding", json={"film_id": 1})

    assert listed.json()["items"] == []
    assert (refused.status_code, refused.json()["code"]) == (409, "check_failed")
