"""What one store exports another imports: every kind, both formats, equal to the byte."""

import datetime
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container
from tests.e2e.samples import SAMPLES, NumberedTables, Oddities, SampleDocuments, SampleTables
from tests.e2e.serving import client_of
from tests.e2e.stores import CHOSEN, empty_store

TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
DOCUMENTS = ("memory", "mongo")
KEYS = (3, 7, 1, 40, 2, 5, 6, 8)


@asynccontextmanager
async def opened(container: type[Container], store: str, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with *container* on the empty database *store*."""
    with empty_store(store, folder) as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv(CHOSEN, url)
        app = create_app(container())
        async with client_of(app) as client:
            yield client


async def exports_of(client: httpx2.AsyncClient, names: Sequence[str]) -> dict[tuple[str, str], bytes]:
    """Every export of the resources *names*, by resource and format."""
    found = {}
    for name in names:
        for format_ in TYPES:
            answer = await client.get(f"/{name}/export", params={"as": format_})
            assert answer.status_code == 200, answer.text
            found[name, format_] = answer.content
    return found


async def restore(
    client: httpx2.AsyncClient, names: Sequence[str], exports: dict[tuple[str, str], bytes], format_: str
) -> None:
    """Import what was exported, in the order of *names*."""
    for name in names:
        answer = await client.post(
            f"/{name}/import?mode=restore",
            content=exports[name, format_],
            headers={"content-type": TYPES[format_]},
            timeout=60,
        )
        assert (answer.status_code, answer.json()["errors"]) == (200, []), answer.text[:2000]


@pytest.mark.parametrize("format_", TYPES)
@pytest.mark.parametrize(
    ("way", "created_at"),
    [
        pytest.param(
            ("postgres", "sqlite", "mariadb", "memory", "postgres"), "2026-11-30T12:00:00.123456Z", id="all"
        ),
        pytest.param(
            ("sqlite", "mongo", "sqlite"), "2026-11-30T12:00:00.123Z", id="with MongoDB's milliseconds"
        ),
    ],
)
async def test_every_kind_moves_through_every_store_and_is_as_it_was(
    way: Sequence[str], created_at: str, format_: str, tmp_path: Path
) -> None:
    lines = [
        {**sample, "id": key, "version": key % 4 + 1, "created_at": created_at}
        for key, sample in zip(KEYS, SAMPLES, strict=True)
    ]
    if "mongo" in way:
        for line in lines:
            line["moment"] = line["moment"] and line["moment"].replace(".123456", ".123")
    async with AsyncExitStack() as stack:
        exports: dict[tuple[str, str], bytes] = {
            ("samples", "ndjson"): "\n".join(map(json.dumps, lines)).encode()
        }
        first: dict[tuple[str, str], bytes] | None = None
        for number, store in enumerate(way):
            folder = tmp_path / f"{number}"
            folder.mkdir()
            container: type[Container] = SampleDocuments if store in DOCUMENTS else SampleTables
            client = await stack.enter_async_context(opened(container, store, folder))
            await restore(client, ["samples"], exports, "ndjson" if first is None else format_)
            exports = await exports_of(client, ["samples"])
            first = first or exports
            created = await client.post("/samples", json={"name": "new"})

            assert exports == first, store
            assert created.status_code == 201
            assert created.json()["id"] > max(KEYS), store

    rows = [json.loads(line) for line in exports["samples", "ndjson"].splitlines()]
    for row, line in zip(rows, sorted(lines, key=lambda line: line["id"]), strict=True):
        shown = {name: row[name] for name in line}
        assert _comparable(shown) == _comparable(line)


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """The values of *row*, with times in place of texts, which can be spelt in several ways."""
    parse = {
        "moment": datetime.datetime.fromisoformat,
        "created_at": datetime.datetime.fromisoformat,
        "alarm": datetime.time.fromisoformat,
    }
    return {name: parse[name](value) if value and name in parse else value for name, value in row.items()}


@pytest.mark.parametrize("store", ["sqlite", "postgres", "mariadb"])
async def test_computed_columns_are_left_out_and_computed_again(store: str, tmp_path: Path) -> None:
    async with opened(SampleTables, store, tmp_path) as client:
        await restore(
            client,
            ["parcels"],
            {("parcels", "csv"): b"id,width,height,area\r\n5,2,3,77\r\n"},
            "csv",
        )

        assert (await client.get("/parcels/5")).json() == {"id": 5, "width": 2, "height": 3, "area": 6}
        assert (await client.post("/parcels", json={"width": 1, "height": 1})).json()["id"] > 5


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
async def test_sequences_go_on_behind_what_is_restored(store: str, tmp_path: Path) -> None:
    lines = {"tickets": [50, 7], "invoices": [50, 7], "countdowns": [-50, 7]}
    async with opened(NumberedTables, store, tmp_path) as client:
        for name, keys in lines.items():
            first = await client.post(f"/{name}", json={})
            content = "".join(f"{key},old\r\n" for key in keys)
            answer = await client.post(
                f"/{name}/import", content=f"id,name\r\n{content}", headers={"content-type": TYPES["csv"]}
            )
            made = [(await client.post(f"/{name}", json={})).json()["id"] for _ in range(2)]

            assert (first.status_code, answer.status_code, answer.json()["errors"]) == (201, 200, []), name
            assert made[0] < -50 if name == "countdowns" else made[0] > 50, (name, made)
            assert made[1] - made[0] == (-3 if name == "countdowns" else 1), name


@pytest.mark.parametrize("format_", TYPES)
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param(
            "tags",
            [{"tagId": f"5f0c7c0d-9f9b-4f0f-8a7d-00000000000{n}", "longName": f"tag {n}"} for n in (1, 2)],
            id="aliases, and a UUID",
        ),
        pytest.param(
            "notes",
            [{"id": f"{n:024x}", "text": "t" * n, "author": "ada", "length": n} for n in (1, 2)],
            id="schemas of its own, and a text",
        ),
        pytest.param(
            "seats", [{"hall": "a", "number": n, "taken": n == 2} for n in (1, 2)], id="a key of two parts"
        ),
    ],
)
@pytest.mark.parametrize("store", DOCUMENTS)
async def test_other_names_schemas_and_keys_come_back_too(
    store: str, name: str, lines: list[dict[str, Any]], format_: str, tmp_path: Path
) -> None:
    given = "\n".join(map(json.dumps, lines)).encode()
    async with opened(Oddities, store, tmp_path) as client, opened(Oddities, store, tmp_path) as other:
        await restore(client, [name], {(name, "ndjson"): given}, "ndjson")
        first = await exports_of(client, [name])
        await restore(other, [name], first, format_)

        assert await exports_of(other, [name]) == first
    assert [json.loads(line) for line in first[name, "ndjson"].splitlines()] == lines


async def test_the_mode_is_one_of_three(tmp_path: Path) -> None:
    async with opened(SampleDocuments, "memory", tmp_path) as client:
        wrong = await client.post(
            "/samples/import?mode=all", content=b"", headers={"content-type": "text/csv"}
        )
        both = await client.post(
            "/samples/import?mode=restore&mode=create", content=b"", headers={"content-type": "text/csv"}
        )

    assert [wrong.status_code, both.status_code] == [422, 400]
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/mode"]
