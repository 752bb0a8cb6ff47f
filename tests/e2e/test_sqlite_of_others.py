"""SQLite files that others write: whatever they hold is shown, is found again, and is walked past once."""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.e2e.odd_files import (
    EVERY_ODD,
    OF_LEAVES,
    OF_THINGS,
    LeafShop,
    Shop,
    Stored,
    StrictShop,
    answer,
    check,
    execute,
    new_file,
    rows_of,
    serve,
    store,
    walk,
)
from tests.thorough import examples

PROPERTY: Final = settings(
    deadline=None,
    # Each example is an application of its own: to look for a smaller one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return new_file(tmp_path)


@given(rows_of(OF_THINGS))
@settings(PROPERTY, max_examples=examples(4, 12))
def test_what_is_shown_is_found_and_walks_are_complete(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Stored]]
) -> None:
    path = new_file(tmp_path_factory.mktemp("things"))
    store(path, "thing", rows)

    serve(path, Shop, lambda client: check(client, "/things", OF_THINGS, list(range(1, len(rows) + 1))))


@given(rows_of(OF_LEAVES))
@settings(PROPERTY, max_examples=examples(4, 10))
def test_the_same_holds_for_tables_of_tortoise(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Stored]]
) -> None:
    path = tmp_path_factory.mktemp("leaves") / "leaves.db"
    execute(
        path,
        "CREATE TABLE leaf (id INTEGER PRIMARY KEY AUTOINCREMENT, price VARCHAR(40), made TIMESTAMP, day DATE,"
        " lasts BIGINT, token CHAR(36), color VARCHAR(4))",
    )
    store(path, "leaf", rows)

    serve(path, LeafShop, lambda client: check(client, "/leaves", OF_LEAVES, list(range(1, len(rows) + 1))))


@pytest.mark.parametrize(
    "default",
    [
        "CURRENT_TIMESTAMP",
        "(strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        "(datetime('now'))",
        "'2026-01-01 10:00'",
        "(date())",
    ],
)
def test_times_that_the_table_fills_in_are_found(file: Path, default: str) -> None:
    execute(
        file,
        "DROP TABLE note",
        f"CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT, made DATETIME DEFAULT {default})",
    )

    async def steps(client: httpx2.AsyncClient) -> None:
        for title in "abcde":
            assert (await client.post("/notes", json={"title": title})).status_code == 201
        shown = (await answer(client, "/notes"))["items"]
        await check(client, "/notes", {"title": (), "made": ()}, [1, 2, 3, 4, 5])
        assert (await answer(client, "/notes/count", made__lte=shown[0]["made"]))["count"] >= 1

    serve(file, Shop, steps)


def test_a_walk_by_times_of_whole_seconds_is_complete(file: Path) -> None:
    """As SQLAlchemy's `create_all` has the database write them."""
    store(file, "note", [{"title": str(each), "made": "2026-01-01 10:00:00"} for each in range(10)])

    async def steps(client: httpx2.AsyncClient) -> None:
        for sort in ("made", "-made"):
            assert [each["id"] for each in await walk(client, "/notes", sort)] == list(range(1, 11))
        assert (await answer(client, "/notes/count", made="2026-01-01T10:00:00Z"))["count"] == 10
        assert (await answer(client, "/notes/count", made__lt="2026-01-01T10:00:00.000001Z"))["count"] == 10
        groups = (await answer(client, "/notes/aggregate", group_by="made", total="count"))["items"]
        assert groups == [{"by": {"made": "2026-01-01T10:00:00Z"}, "totals": {"count": 10}}]

    serve(file, Shop, steps, mode="check")


def test_times_that_others_write_while_we_run_are_noticed_when_they_are_read(file: Path) -> None:
    own = "2026-01-01 10:00:00.000000"
    store(file, "thing", [{"made": own}] * 3)

    async def steps(client: httpx2.AsyncClient) -> None:
        assert (await answer(client, "/things/count", made="2026-01-01T10:00:00Z"))["count"] == 3
        store(file, "thing", [{"made": "2026-01-01T10:00:00Z"}])
        assert len((await answer(client, "/things"))["items"]) == 4
        assert (await answer(client, "/things/count", made="2026-01-01T10:00:00Z"))["count"] == 4
        assert [each["id"] for each in await walk(client, "/things", "-made")] == [1, 2, 3, 4]

    serve(file, Shop, steps)


@pytest.mark.parametrize("spelling", [uuid.UUID.__str__, lambda each: each.hex], ids=["dashes", "no dashes"])
def test_uuids_are_written_as_all_others_in_their_column(
    file: Path, spelling: Callable[[uuid.UUID], str]
) -> None:
    store(file, "thing", [{"token": spelling(uuid.UUID(int=each))} for each in (1, 2)])

    async def steps(client: httpx2.AsyncClient) -> None:
        made = await client.post("/things", json={"token": str(uuid.UUID(int=3))})
        assert made.json()["token"] == str(uuid.UUID(int=3))
        for each in (1, 2, 3):
            found = await answer(client, "/things", token=str(uuid.UUID(int=each)))
            assert [item["id"] for item in found["items"]] == [each]

    serve(file, Shop, steps)
    with sqlite3.connect(file) as connection:
        stored = [token for (token,) in connection.execute("SELECT token FROM thing ORDER BY id")]
    connection.close()
    assert stored == [spelling(uuid.UUID(int=each)) for each in (1, 2, 3)]


def test_an_entity_of_odd_values_can_be_changed_and_removed(file: Path) -> None:
    store(file, "thing", [EVERY_ODD, EVERY_ODD])
    mended = {"whole": 1, "price": "2.50", "day": "2026-01-01", "yes": True, "name": "café", "doc": {"a": 1}}

    async def steps(client: httpx2.AsyncClient) -> None:
        before = await client.get("/things/1")
        changed = await client.patch(
            "/things/1", json={"whole": 1}, headers={"if-match": before.headers["etag"]}
        )
        assert (changed.status_code, changed.json()) == (200, {**before.json(), "whole": 1})
        assert before.json()["yes"] == "true" and before.json()["made"] == 1_767_261_600
        replaced = await client.put("/things/1", json=mended)
        assert replaced.status_code == 200, replaced.text
        assert {name: replaced.json()[name] for name in mended} == mended
        assert (await client.delete("/things/2")).status_code == 204

    serve(file, Shop, steps)


def test_a_strict_resource_names_every_odd_field(file: Path) -> None:
    store(file, "thing", [{"whole": 1}])

    async def steps(client: httpx2.AsyncClient) -> None:
        assert len((await answer(client, "/things"))["items"]) == 1
        # Written after the table was looked at.
        store(file, "thing", [EVERY_ODD])
        page = await answer(client, "/things")
        assert [each["id"] for each in page["items"]] == [1]
        problem = (await client.get("/things/2")).json()
        assert {each["pointer"] for each in problem["errors"]} == {f"/{name}" for name in EVERY_ODD}, problem

    serve(file, StrictShop, steps)
