"""Exports, imports and aggregates over HTTP, the same on every store."""

import http.client
import json
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from dependency_injector import providers

from fastapi_easy.testing import FailingRepository
from tests.e2e.ledger import ledger
from tests.e2e.serving import client_of
from tests.e2e.stores import CHOSEN, EVERY_STORE, empty_store
from tests.e2e.test_readme import served
from tests.thorough import only_when_thorough

ROOT = Path(__file__).parents[2]
NDJSON = {"content-type": "application/x-ndjson"}
CSV = {"content-type": "text/csv"}

ENTRIES: list[dict[str, Any]] = [
    {
        "code": f"e{number}",
        "text": ['say "no"', "a, b", "two\nlines\r\n", "", " spaces ", "=1+1", "ünïcödé 🜚", "plain"][
            number % 8
        ],
        "amount": f"{number - 4}.{number:02d}",
        "account": ["cash", "bank"][number % 2],
        "note": [None, "", "a note"][number % 3],
        "number": None if number == 3 else number * 1000,
        "weight": [None, 0.1, -1e-9, 1e22][number % 4],
        "paid": number % 2 == 0,
        "day": None if number == 5 else f"2026-11-{number + 1:02d}",
        "moment": None if number == 6 else f"2026-11-23T08:30:00.{number:06d}Z",
        "token": None if number == 7 else f"5f0c7c0d-9f9b-4f0f-8a7d-{number:012d}",
    }
    for number in range(1, 12)
]


def ndjson(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def app_of(client: httpx2.AsyncClient) -> Any:
    transport: Any = client._transport
    return transport.app


@asynccontextmanager
async def opened(store: str, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an empty ledger on *store*."""
    with empty_store(store, folder) as url:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(CHOSEN, url)
            app = ledger()
        async with client_of(app) as client:
            yield client


@pytest.fixture(params=EVERY_STORE)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(store: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a ledger with all entries."""
    async with opened(store, tmp_path) as client:
        answer = await client.post("/entries/import", content=ndjson(ENTRIES), headers=NDJSON)
        assert (answer.status_code, answer.json()["created"]) == (200, len(ENTRIES)), answer.text
        yield client


@pytest.mark.parametrize(("format_", "headers"), [("ndjson", NDJSON), ("csv", CSV)])
async def test_what_is_exported_is_imported_as_it_was(
    client: httpx2.AsyncClient,
    store: str,
    tmp_path_factory: pytest.TempPathFactory,
    format_: str,
    headers: dict[str, str],
) -> None:
    exported = await client.get("/entries/export", params={"as": format_, "sort": "-amount"})

    async with opened(store, tmp_path_factory.mktemp("other")) as other:
        imported = await other.post("/entries/import", content=exported.content, headers=headers)
        again = await other.get("/entries/export", params={"as": format_, "sort": "-amount"})
        rows = await other.get("/entries", params={"sort": "code", "limit": 100})

    assert imported.json() == {
        "created": len(ENTRIES),
        "updated": 0,
        "failed": 0,
        "next_line": imported.json()["next_line"],
        "errors": [],
    }
    assert again.content == exported.content
    assert rows.json()["items"] == sorted(ENTRIES, key=lambda row: row["code"])


async def test_an_export_has_the_entities_fields_and_order_that_are_asked_for(
    client: httpx2.AsyncClient,
) -> None:
    wish = {"account": "bank", "number__gte": "5000", "sort": "-code", "fields": "code,amount"}

    exported = await client.get("/entries/export", params=wish)
    listed = await client.get("/entries", params={**wish, "limit": "100"})

    assert [json.loads(line) for line in exported.text.splitlines()] == listed.json()["items"]
    assert exported.headers["content-type"] == "application/x-ndjson"
    assert exported.headers["content-disposition"] == 'attachment; filename="entries.ndjson"'


async def test_an_export_of_nothing_is_empty_or_names_the_fields(client: httpx2.AsyncClient) -> None:
    nothing = {"code": "nobody", "fields": "code,note"}

    lines = await client.get("/entries/export", params=nothing)
    table = await client.get("/entries/export", params={**nothing, "as": "csv"})

    assert (lines.status_code, lines.content) == (200, b"")
    assert (table.status_code, table.content) == (200, b"code,note\r\n")


async def test_head_tells_of_an_export_and_sends_none(client: httpx2.AsyncClient) -> None:
    told = await client.head("/entries/export", headers={"accept": "text/csv"})

    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-type"] == "text/csv; charset=utf-8; header=present"


async def test_lines_that_fail_are_skipped_and_reported(client: httpx2.AsyncClient) -> None:
    new = {"code": "new", "text": "x", "amount": "1"}
    lines = [
        json.dumps(new),
        "",
        json.dumps({**new, "code": "bad", "amount": "much", "nope": 1}),
        "{",
        '{"code": "twice", "code": "twice"}',
        json.dumps({**new, "code": "e1"}),
        json.dumps({**new, "code": "last"}),
    ]

    answer = await client.post("/entries/import", content="\n".join(lines), headers=NDJSON)

    told = answer.json()
    assert (answer.status_code, told["created"], told["failed"], told["next_line"]) == (207, 2, 4, 8)
    assert [(each["line"], each["problem"]["code"]) for each in told["errors"]] == [
        (3, "invalid"),
        (4, "invalid"),
        (5, "invalid"),
        (6, "already_exists"),
    ]
    assert {fault["pointer"] for fault in told["errors"][0]["problem"]["errors"]} == {"/amount", "/nope"}
    assert {fault["pointer"] for fault in told["errors"][3]["problem"]["errors"]} == {"/code"}
    assert (await client.get("/entries/count", params={"code__in": ["new", "last", "bad"]})).json()[
        "count"
    ] == 2


async def test_upsert_changes_what_is_there(client: httpx2.AsyncClient) -> None:
    rows = [
        {"code": "e1", "text": "changed", "amount": "1.00"},
        {"code": "new", "text": "x", "amount": "2.00"},
    ]

    answer = await client.post("/entries/import?upsert=true", content=ndjson(rows), headers=NDJSON)

    assert (answer.status_code, answer.json()["created"], answer.json()["updated"]) == (200, 1, 1)
    assert (await client.get("/entries/e1")).json()["text"] == "changed"


async def test_a_dry_run_tells_the_same_and_changes_nothing(client: httpx2.AsyncClient) -> None:
    rows = ndjson([{"code": f"n{number}", "text": "x", "amount": "1"} for number in range(3)]) + "{\n"

    dry = await client.post("/entries/import", content=rows, headers={**NDJSON, "prefer": "tx=rollback"})
    counted = (await client.get("/entries/count")).json()["count"]
    real = await client.post("/entries/import", content=rows, headers=NDJSON)

    assert (dry.status_code, dry.headers["preference-applied"]) == (207, "tx=rollback")
    assert counted == len(ENTRIES)
    assert dry.json() == real.json()


async def test_an_import_goes_on_where_the_store_went_away(store: str, tmp_path: Path) -> None:
    many = [{"code": f"c{number:04}", "text": "x", "amount": "1"} for number in range(1200)]
    async with opened(store, tmp_path) as client, AsyncExitStack() as away:
        shop = app_of(client).state.container

        async def body() -> AsyncIterator[bytes]:
            yield ndjson(many[:600]).encode()
            # Asked for when the first 500 lines are durable.
            away.enter_context(shop.entries.repository.override(providers.Factory(FailingRepository)))
            yield ndjson(many[600:]).encode()

        stopped = await client.post("/entries/import", content=body(), headers=NDJSON)
        await away.aclose()
        next_line = stopped.json()["next_line"]
        again = await client.post(
            "/entries/import", params={"from_line": next_line}, content=ndjson(many), headers=NDJSON
        )
        counted = await client.get("/entries/count")

    assert (stopped.status_code, stopped.json()["code"]) == (503, "unavailable")
    assert "retry-after" in stopped.headers
    assert (stopped.json()["created"], next_line) == (500, 501)
    assert (again.status_code, again.json()["created"], again.json()["next_line"]) == (200, 700, 1201)
    assert counted.json() == {"count": 1200}


async def test_a_store_that_is_away_is_a_problem_before_anything_is_sent(store: str, tmp_path: Path) -> None:
    async with opened(store, tmp_path) as client:
        shop = app_of(client).state.container
        with shop.entries.repository.override(providers.Factory(FailingRepository)):
            answers = [await client.get("/entries/export"), await client.get("/entries/aggregate")]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(503, "unavailable")] * 2


async def test_aggregates_are_those_of_the_entries(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        "/entries/aggregate",
        params={
            "group_by": "account",
            "total": "count,sum:number,avg:number,min:day,max:text",
            "paid": "false",
        },
    )

    rows = [row for row in ENTRIES if not row["paid"]]
    numbers = [row["number"] for row in rows if row["number"] is not None]
    assert answer.json() == {
        "items": [
            {
                "by": {"account": "bank"},
                "totals": {
                    "count": len(rows),
                    "sum:number": sum(numbers),
                    "avg:number": f"{sum(numbers) / len(numbers):.6f}",
                    "min:day": min(row["day"] for row in rows if row["day"]),
                    "max:text": max(row["text"] for row in rows),
                },
            }
        ],
        "next_offset": None,
    }


async def test_aggregates_come_in_pages(client: httpx2.AsyncClient) -> None:
    groups: list[Any] = []
    offset: int | None = 0
    while offset is not None:
        page = await client.get(
            "/entries/aggregate", params={"group_by": "note,paid", "limit": 2, "offset": offset}
        )
        groups += page.json()["items"]
        offset = page.json()["next_offset"]

    whole = await client.get("/entries/aggregate", params={"group_by": "note,paid"})
    assert groups == whole.json()["items"]
    assert len(groups) == 6
    assert [group["by"]["note"] for group in groups] == ["", "", "a note", "a note", None, None]
    assert sum(group["totals"]["count"] for group in groups) == len(ENTRIES)


BREAKING = """
from dependency_injector import providers

from fastapi_easy.domain import Row
from fastapi_easy.domain.ports.repository import StreamBroken
from tests.e2e.ledger import Ledger
from fastapi_easy.bootstrap import create_app


class Breaking:
    async def stream(self, query, *, chunk=500):
        for number in range(200):
            yield [Row(dict.fromkeys(query.fields, "x"))] * 100
        raise StreamBroken("default")


shop = Ledger()
shop.entries.repository.override(providers.Factory(Breaking))
app = create_app(shop)
"""


def test_a_client_can_tell_that_an_export_broke_off(tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(BREAKING)
    environment = {CHOSEN: "memory://", "PYTHONPATH": str(ROOT)}
    with served(tmp_path, "breaking:app", environment) as base:
        place = urlsplit(base)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        connection.request("GET", "/entries/export?fields=text")
        answer = connection.getresponse()

        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        connection.close()
        # The connection is cut, the server stays; http.client opens another one.
        assert ask(connection, "GET", "/health/ready")["status"] == "ready"
        connection.close()
    assert "a response was cut off" in (tmp_path / "server.log").read_text()


ROWS = 100_000
ALLOWED = 60 * 1024 * 1024


def rows_of_a_file(format_: str) -> Iterator[bytes]:
    """Rows, some hundred at a time."""
    if format_ == "csv":
        yield b"code,text,amount,number\r\n"
    for start in range(0, ROWS, 500):
        numbers = range(start, start + 500)
        if format_ == "csv":
            yield "".join(
                f'c{number:06},"text, ""{number}""",{number}.25,{number}\r\n' for number in numbers
            ).encode()
        else:
            yield "".join(
                f'{{"code":"c{number:06}","text":"text {number}","amount":"{number}.25","number":{number}}}\n'
                for number in numbers
            ).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store", "format_"), [("sqlite", "csv"), pytest.param("postgres", "ndjson", marks=only_when_thorough)]
)
def test_a_hundred_thousand_rows_go_in_and_out_in_bounded_memory(
    store: str, format_: str, tmp_path: Path
) -> None:
    media_type = CSV if format_ == "csv" else NDJSON
    with empty_store(store, tmp_path) as url:
        environment = {CHOSEN: url, "PYTHONPATH": str(ROOT), "FASTAPI_EASY_LOG__LEVEL": "WARNING"}
        with served(tmp_path, "tests.e2e.ledger:ledger", environment) as base:
            place = urlsplit(base)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
            idle = ask(connection, "GET", "/memory")["VmRSS"]
            connection.request(
                "POST", "/entries/import", rows_of_a_file(format_), media_type, encode_chunked=True
            )
            imported = json.loads(connection.getresponse().read())
            after_import = ask(connection, "GET", "/memory")["VmHWM"]
            lines = {each: lines_exported(connection, each) for each in ("csv", "ndjson")}
            after_export = ask(connection, "GET", "/memory")["VmHWM"]
            connection.close()

    assert (imported["created"], imported["failed"]) == (ROWS, 0)
    assert lines == {"csv": ROWS + 1, "ndjson": ROWS}
    print(f"{store}: +{(after_import - idle) >> 20} MB, +{(after_export - idle) >> 20} MB", file=sys.stderr)
    assert after_import - idle < ALLOWED
    assert after_export - idle < ALLOWED


def ask(connection: http.client.HTTPConnection, method: str, path: str) -> Any:
    connection.request(method, path)
    return json.loads(connection.getresponse().read())


def lines_exported(connection: http.client.HTTPConnection, format_: str) -> int:
    connection.request("GET", f"/entries/export?as={format_}")
    answer = connection.getresponse()
    count = 0
    while part := answer.read(65_536):
        count += part.count(b"\n")
    return count
