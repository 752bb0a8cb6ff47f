"""The change feed as server-sent events, and on WebSockets."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, Header, HTTPException
from sqlmodel import Field, SQLModel
from websockets.sync.client import connect

from fastapi_easy.authentication import ApiKeys
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock
from tests.e2e.asgi_client import event_stream, web_socket
from tests.e2e.commands import program_in, serving
from tests.e2e.followed import PATIENCE, Note, Shop, settings_at


def settings_with(**http: Any) -> Settings:
    return settings_at().model_copy(update={"http": Settings(http=http).http})


@asynccontextmanager
async def serving_app(shop: Container, **options: Any) -> AsyncIterator[tuple[Any, httpx2.AsyncClient]]:
    app = create_app(shop, **options)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as client,
    ):
        yield app, client


async def test_events_have_the_values_of_get_and_its_version() -> None:
    async with (
        serving_app(Shop(settings=settings_at())) as (app, client),
        event_stream(app, "/notes/changes") as feed,
    ):
        opening = await feed.block()
        made = (await client.post("/notes", json={"text": "a\nb", "stars": 1})).json()
        got = await client.get(f"/notes/{made['id']}")
        _ = await client.delete(f"/notes/{made['id']}")
        (created, data), deleted = await feed.events(2)

    assert (feed.status, feed.headers["content-type"], feed.headers["cache-control"]) == (
        200,
        "text/event-stream",
        "no-store",
    )
    assert opening is not None
    assert opening.keys() == {"retry", "id"}
    assert created == "created"
    assert data == {
        "verb": "created",
        "key": made["id"],
        "time": data["time"],
        "version": got.headers["etag"].strip('"'),
        "values": got.json(),
    }
    assert deleted == ("deleted", {"verb": "deleted", "key": made["id"], "time": deleted[1]["time"]})


async def test_a_client_that_connects_again_misses_nothing_and_hears_nothing_twice() -> None:
    async with serving_app(Shop(settings=settings_at())) as (app, client):
        last, heard = "", []
        for number in range(3):
            # The header takes precedence over the query that the client began with.
            async with event_stream(
                app, "/notes/changes?since=now", **({"last_event_id": last} if last else {})
            ) as feed:
                _ = await feed.block() if not last else None
                _ = await client.post("/notes", json={"text": f"heard {number}"})
                heard += await feed.events(1 if number == 0 else 2)
                last = feed.last_id
            _ = await client.post("/notes", json={"text": f"missed {number}"})

    texts = [data["values"]["text"] for _, data in heard]
    assert texts == ["heard 0", "missed 0", "heard 1", "missed 1", "heard 2"]


async def test_filters_and_fields_are_those_of_lists() -> None:
    async with (
        serving_app(Shop(settings=settings_at())) as (app, client),
        event_stream(app, '/notes/changes?stars__gte=2&fields=text&where={"text__ne":"no"}') as feed,
    ):
        for text, stars in (("dull", 1), ("no", 5), ("bright", 2)):
            _ = await client.post("/notes", json={"text": text, "stars": stars})
        [(_, data)] = await feed.events(1)

    assert data["values"] == {"text": "bright"}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("sort=id", 400, "bad_query"),
        ("limit=3", 400, "bad_query"),
        ("since=yesterday", 400, "bad_query"),
        ("after=zzz", 400, "bad_query"),
        ("after=ffffff", 410, "position_expired"),
        ("stars=many", 422, "invalid"),
        ("colour=red", 400, "bad_query"),
    ],
)
async def test_what_cannot_be_followed_is_answered_with_a_problem(query: str, status: int, code: str) -> None:
    async with serving_app(Shop(settings=settings_at())) as (app, _):
        async with event_stream(app, f"/notes/changes?{query}") as refused:
            problem = await refused.body()
        async with web_socket(app, f"/notes/changes?{query}") as denied:
            await denied.start()
            same = await denied.body()

    assert (refused.status, problem["code"]) == (denied.status, same["code"]) == (status, code)


async def test_silence_is_broken_by_heartbeats_that_tell_where_to_resume() -> None:
    async with (
        serving_app(Shop(settings=settings_with(feed_heartbeat=0.02))) as (app, client),
        event_stream(app, "/notes/changes?stars=9") as feed,
    ):
        opening = await feed.block()
        _ = await client.post("/notes", json={"text": "not for you"})
        start = dict(opening or {})["id"]
        while (block := await feed.block()) == {":": "", "id": start}:
            pass

    assert block is not None
    assert "data" not in block
    assert int(block["id"], 16) > int(start, 16)


async def test_who_disconnects_ends_the_poll_at_once() -> None:
    shop = Shop(settings=settings_at())
    async with serving_app(shop) as (app, _):
        async with event_stream(app, "/notes/changes") as feed:
            _ = await feed.block()
            assert _polls() == 1
        # The heartbeat would have come much later.
        assert _polls() == 0


def _polls() -> int:
    return sum(each.get_name() == "change feed" for each in asyncio.all_tasks())


async def test_a_socket_tells_the_same() -> None:
    async with serving_app(Shop(settings=settings_at())) as (app, client):
        async with web_socket(app, "/notes/changes") as socket:
            assert (await socket.hear())["type"] == "websocket.accept"
            opening = json.loads((await socket.hear())["text"])
            made = (await client.post("/notes", json={"text": "Emma"})).json()
            data = json.loads((await socket.hear())["text"])
        async with web_socket(app, f"/notes/changes?after={opening['id']}") as resumed:
            _ = await resumed.hear(), await resumed.hear()
            again = json.loads((await resumed.hear())["text"])

    assert opening.keys() == {"id"}
    assert data["values"] == made
    assert (data["verb"], data["key"]) == ("created", made["id"])
    assert again == data


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, True),
        ({"origin": "http://shop.test"}, True),
        ({"origin": "http://evil.test"}, False),
        ({"origin": "http://evil.test", "cookie": "a=b"}, False),
        ({"origin": "http://friend.test"}, True),
        ({"origin": "http://friend.test", "cookie": "a=b"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "http://evil.test"}, False),
    ],
)
async def test_a_page_of_another_site_opens_no_socket(headers: dict[str, str], accepted: bool) -> None:
    settings = settings_with(cors={"origins": ["http://friend.test"]})
    async with (
        serving_app(Shop(settings=settings)) as (app, _),
        web_socket(app, "/notes/changes", **headers) as socket,
    ):
        answer = await socket.hear()

    assert answer["type"] == ("websocket.accept" if accepted else "websocket.http.response.start")
    assert accepted or answer["status"] == 403


async def test_a_socket_goes_through_the_dependencies_that_guard_requests() -> None:
    async def guard(x_key: Annotated[str, Header()] = "") -> None:
        if x_key != "right":
            raise HTTPException(403, "no")

    async with serving_app(Shop(settings=settings_at()), dependencies=[Depends(guard)]) as (app, _):
        async with web_socket(app, "/notes/changes") as denied:
            await denied.start()
        async with web_socket(app, "/notes/changes", x_key="right") as socket:
            accepted = await socket.hear()
        async with web_socket(app, "/notes/count", x_key="right") as other:
            refused = await other.hear()

    assert denied.status == 403
    assert accepted["type"] == "websocket.accept"
    # Nothing else of a resource takes sockets.
    assert refused["type"] in {"websocket.close", "websocket.http.response.start"}


async def test_a_revoked_key_ends_the_stream_and_is_refused_when_it_comes_back() -> None:
    class Kept(Container):
        notes = resource(Note, events=True, policy=[allow("*", to="reader"), allow("get", to=ANYONE)])

    clock = FrozenClock()
    shop = Kept(settings=settings_with(feed_heartbeat=0.05), clock=clock, api_keys=ApiKeys())
    async with serving_app(shop) as (app, _):
        issued = (await shop.keyring().create("user:1", roles=("reader",))).unwrap()
        bearer = {"authorization": f"Bearer {issued.text}"}
        async with (
            event_stream(app, "/notes/changes", **bearer) as feed,
            web_socket(app, "/notes/changes", **bearer) as socket,
        ):
            assert (await socket.hear())["type"] == "websocket.accept"
            _ = await feed.block()
            clock.advance(31)
            assert await feed.block() == {":": "", "id": feed.last_id}
            _ = await shop.keyring().revoke(issued.key.id)
            clock.advance(310)
            blocks = [each async for each in _rest(feed)]
            closing = [each async for each in _messages(socket)][-1]
        async with event_stream(app, "/notes/changes", **bearer) as again:
            problem = await again.body()

    assert blocks[-1][""] == "refused"
    assert (closing["type"], closing["code"]) == ("websocket.close", 1008)
    assert (again.status, problem["code"]) == (401, "unauthenticated")


async def _rest(feed: Any) -> AsyncIterator[dict[str, str]]:
    while (block := await feed.block()) is not None:
        yield block


async def _messages(socket: Any) -> AsyncIterator[dict[str, Any]]:
    while True:
        message = await socket.hear()
        yield message
        if message["type"] == "websocket.close":
            return


class Silent(SQLModel, table=True):
    __tablename__ = "silent_notes"
    id: int | None = Field(default=None, primary_key=True)


async def test_the_document_describes_the_feed_of_resources_with_events_only() -> None:
    class Both(Container):
        notes = resource(Note, events=True)
        silent = resource(Silent)

    async with serving_app(Both(settings=settings_at())) as (app, client):
        document = app.openapi()
        missing = await client.get("/silent/changes")

    operation = document["paths"]["/notes/changes"]["get"]
    assert operation["operationId"] == "follow_notes"
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    shared = {each["$ref"].rpartition("/")[2] for each in operation["parameters"] if "$ref" in each}
    assert {"after", "since", "LastEventId"} <= shared
    assert "NoteChange" in document["components"]["schemas"]
    assert "/silent/changes" not in document["paths"]
    assert missing.status_code in {404, 422}


PROGRAM = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str


class Shop(Container):
    notes = resource(Note, events=True)


app = create_app(Shop())


@app.get("/who")
async def who() -> int:
    return 1
"""


def test_a_server_ends_its_streams_when_it_is_told_to_stop(tmp_path: Path) -> None:
    folder = program_in(tmp_path)
    (folder / "notes.py").write_text(PROGRAM)
    with serving(folder, "notes:app", FASTAPI_EASY_HTTP__GRACE="600") as served:
        feed, writer = served.connection(), served.connection()
        feed.request("GET", "/notes/changes")
        answer = feed.getresponse()
        with connect(f"ws://{feed.host}:{feed.port}/notes/changes", open_timeout=PATIENCE) as socket:
            _ = socket.recv(PATIENCE)
            writer.request("POST", "/notes", b'{"text": "Emma"}', {"content-type": "application/json"})
            assert writer.getresponse().status == 201
            data = json.loads(socket.recv(PATIENCE))
            writer.close()

            code, _, _ = served.end(signal.SIGTERM)
        rest = answer.read().decode()

    assert data["values"]["text"] == "Emma"
    assert "event: created\n" in rest
    assert rest.endswith(f"\n: closed\nretry: 2000\nid: {data['id']}\n\n")
    # Without the end of the streams the server would have waited for ten minutes.
    assert code == 0
