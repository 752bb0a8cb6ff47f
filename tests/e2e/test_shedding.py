"""What `fastapi-easy run` answers when too many wait for a database: at once, and without making a request of it."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.commands import Served, serving
from tests.services.wanted import empty_database

PROGRAM = """
import asyncio

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class ShedBook(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str


class Shop(Container):
    books = resource(ShedBook)


shop = Shop()
app = create_app(shop)
open_again = asyncio.Event()
seen, lasting = [], []


class Seen:
    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/books"):
            seen.append(scope["path"])
        await self._app(scope, receive, send)


app.add_middleware(Seen)


@app.get("/who")
async def who() -> int:
    return 0


@app.get("/hold")
async def hold() -> int:
    pool = shop.databases.default().executor.pool
    pooled = await pool.check_out()
    waiting = asyncio.ensure_future(pool.check_out())
    # Nobody may wait for longer than that.
    await asyncio.sleep(0.2)
    open_again.clear()

    async def release() -> None:
        await open_again.wait()
        pool.check_in(pooled)
        pool.check_in(await waiting)

    app.state.releasing = asyncio.ensure_future(release())
    return pool.waiting


@app.get("/last")
async def last() -> int:
    lasting.append(1)
    await open_again.wait()
    return 1


@app.get("/lasting")
async def count_lasting() -> int:
    return len(lasting)


@app.get("/forget")
async def forget() -> None:
    seen.clear()


@app.get("/release")
async def release() -> list[int]:
    open_again.set()
    await app.state.releasing
    return [shop.databases.default().pool.shed, len(seen)]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("shedding")
    (folder / "shedding_shop.py").write_text(PROGRAM)
    with empty_database("postgres") as url:
        variables = {
            "FASTAPI_EASY_DATABASES__DEFAULT__URL": url,
            "FASTAPI_EASY_DATABASES__DEFAULT__MIGRATIONS": "auto",
            "FASTAPI_EASY_DATABASES__DEFAULT__POOL_SIZE": "1",
            "FASTAPI_EASY_DATABASES__DEFAULT__POOL_TIMEOUT": "60",
            "FASTAPI_EASY_DATABASES__DEFAULT__QUEUE_TIME": "0.1",
            "FASTAPI_EASY_HTTP__HEADER_TIMEOUT": "1",
        }
        with serving(folder, "shedding_shop:app", **variables) as started:
            yield started


def answer_of(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    headers = {"X-Correlation-ID": 'a"b', "Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.parametrize(
    ("others", "reaching"),
    [pytest.param(0, 5, id="by the application"), pytest.param(40, 1, id="at the door")],
)
def test_what_needs_the_database_is_refused_and_nothing_else(
    served: Served, others: int, reaching: int
) -> None:
    ask = served.connection()
    assert answer_of(ask, "GET", "/hold")[2] == b"1"
    # So many requests are under way that the process itself may have too much to do.
    lasting = [served.connection() for _ in range(others)]
    for each in lasting:
        each.request("GET", "/last")
    while int(answer_of(ask, "GET", "/lasting")[2]) < others:
        pass

    refused = {
        (method, path): answer_of(ask, method, path, body)
        for method, path, body in [
            ("GET", "/books?limit=1", None),
            ("HEAD", "/books", None),
            ("POST", "/books", json.dumps({"title": "x" * 100_000})),
            ("GET", "/books/1", None),
        ]
    }
    unfinished = []
    if others:
        # A refused request whose body does not end, or does not come, keeps no connection.
        for body in (b"", b"x" * 2_000_000):
            with socket.create_connection(("127.0.0.1", served.port), timeout=60) as raw:
                raw.sendall(b"POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
                unfinished.append(raw.recv(12))
                with contextlib.suppress(ConnectionError):
                    raw.sendall(body)
                    while raw.recv(65_536):
                        pass
    # The page of another origin needs the headers of the application's own middleware.
    ask.request("GET", "/books", headers={"Origin": "https://shop.example"})
    of_page = ask.getresponse()
    assert (of_page.status, of_page.read()[:1]) == (503, b"{")
    others_asked = [
        answer_of(ask, "GET", path)[0] for path in ("/who", "/health/live", "/docs", "/magazines")
    ]
    ready = answer_of(ask, "GET", "/health/ready")
    shed = answer_of(ask, "GET", "/release")
    statuses = {each.getresponse().status for each in lasting}
    after = answer_of(ask, "GET", "/books?limit=1")
    _ = answer_of(ask, "GET", "/forget")

    assert {status for status, _, _ in refused.values()} == {503}
    assert {headers["retry-after"] for _, headers, _ in refused.values()} <= {"1", "2", "3"}
    assert {headers["x-correlation-id"] for _, headers, _ in refused.values()} == {'a"b'}
    assert refused["HEAD", "/books"][2] == b""
    _, headers, body = refused["GET", "/books?limit=1"]
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert json.loads(body) == {
        "type": "/problems/unavailable",
        "title": "Temporarily unavailable",
        "status": 503,
        "detail": "Too many requests are waiting; nothing was changed. Ask again after Retry-After.",
        "code": "unavailable",
        "errors": [],
        "instance": "/books",
        "correlation_id": 'a"b',
    }
    assert unfinished == [b"HTTP/1.1 503"] * (2 if others else 0)
    assert others_asked == [200, 200, 200, 404]
    assert ready[0] == 200
    assert json.loads(ready[2])["dependencies"]["default"]["pool"]["waiting"] == 1
    counted, reached = json.loads(shed[2])
    assert counted >= len(refused) + 1 + len(unfinished)
    assert reached == reaching
    assert statuses <= {200}
    assert (after[0], json.loads(after[2])["items"]) == (200, [])
