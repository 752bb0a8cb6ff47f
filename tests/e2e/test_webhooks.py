"""Changes arrive at webhooks, signed and in order, on every store; operators look after them on the command line."""

import asyncio
import base64
import datetime
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from returns.result import Failure
from sqlmodel import Field, SQLModel
from typer.testing import CliRunner

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.command_line.webhooks import webhook_tasks_of
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Invalid, NotFound
from fastapi_easy.events import Events
from fastapi_easy.interfaces.cli.webhooks.app import add_to
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock, RecordingEventBus
from fastapi_easy.webhooks import WebhookVerificationError, open_webhooks, verify
from tests.e2e.commands import call, program_in
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store
from tests.receiver import Received, answer, receiving

KEYS = {
    "keys": {
        each: base64.b64encode(bytes([number]) * 32).decode() for number, each in enumerate(["k1", "k2"])
    },
    "current": "k1",
}


class Note(SQLModel, table=True):
    __tablename__ = "hooked_notes"
    id: int | None = Field(default=None, primary_key=True)
    text: str


class Order(SQLModel, table=True):
    __tablename__ = "hooked_orders"
    id: int | None = Field(default=None, primary_key=True)
    total: int


class Shop(Container):
    notes = resource(Note, events=True)
    orders = resource(Order, events=True)


class MongoNote(BaseModel):
    id: int | None = None
    text: str


class MongoOrder(BaseModel):
    id: int | None = None
    total: int


class MongoShop(Container):
    notes = resource(MongoNote, events=True)
    orders = resource(MongoOrder, events=True)


def settings_for(url: str, port: int, **others: Any) -> Settings:
    webhooks = {
        "enabled": True,
        "allow_http": True,
        "ports": (port,),
        "allowed_networks": ("127.0.0.0/8",),
        "longest_retry": 0.001,
    }
    return Settings(
        databases={"default": {"url": url}},
        **{"webhooks": {**webhooks, **others.pop("webhooks", {})}, **others},
    )


def event_in(request: Received) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(request.body)
    return event


def summary(requests: list[Received]) -> list[tuple[str, Any]]:
    return [(each["type"], each["data"]["values"]["text"]) for each in map(event_in, requests)]


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_changes_arrive_signed_and_in_order_on_every_store(store: str, tmp_path: Path) -> None:
    async with receiving() as receiver:
        with empty_store(store, tmp_path) as url:
            kind = MongoShop if store == MONGO else Shop
            shop = kind(settings=settings_for(url, receiver.port))
            async with open_kernel(shop) as kernel:
                _ = await kernel.notes.create({"text": "before"})
                where = f"http://127.0.0.1:{receiver.port}/notes"
                added = (await shop.webhooks().add(where, events=["notes.*"])).unwrap()
                receiver.answers = [answer(), answer("500 Oops"), answer("503 Busy")]
                created = (await kernel.notes.create({"text": "one"})).unwrap()
                _ = await kernel.orders.create({"total": 3})
                _ = (await kernel.notes.update(created["id"], {"text": "two"})).unwrap()
                _ = (await kernel.notes.create({"text": "three"})).unwrap()
                # Whoever has failed is due again after a millisecond.
                async with asyncio.timeout(60):
                    while len(receiver.received) < 5:
                        await shop.relay().drain()
                        # A store in memory never waits.
                        await asyncio.sleep(0.001)
                (standing,) = (await shop.webhooks().list()).unwrap()
                assert (standing.behind, standing.webhook.attempts, standing.database) == (0, 0, "default")

                if store != "memory":
                    # What another process of the application does, which begins where this one has ended.
                    other = kind(settings=settings_for(url, receiver.port))
                    async with open_kernel(other) as others:
                        for each in range(5):
                            _ = (await others.notes.create({"text": str(each)})).unwrap()
                        _ = await shop.relay().drain()
                        _ = await asyncio.gather(shop.relay().drain(), other.relay().drain())

    texts = [("notes.created", "one"), *[("notes.updated", "two")] * 3, ("notes.created", "three")]
    if store != "memory":
        texts += [("notes.created", str(each)) for each in range(5)]
    assert summary(receiver.received) == texts
    first, *_ = receiver.received
    assert verify(first.headers, first.body, added.secret) == event_in(first)["id"]
    with pytest.raises(WebhookVerificationError):
        verify(first.headers, first.body.replace(b"one", b"eno"), added.secret)
    failed = receiver.received[1:4]
    assert len({each.headers["webhook-id"] for each in failed}) == 1, "an id stays the same in every attempt"
    assert event_in(first)["source"] == "/fastapi_easy"
    assert first.headers["content-type"] == "application/cloudevents+json"


async def test_an_embedded_relay_delivers_beside_requests() -> None:
    async with receiving() as receiver:
        settings = settings_for(
            "memory://", receiver.port, events={"relay": "embedded", "poll_interval": 0.01}
        )
        shop = Shop(settings=settings)
        async with open_kernel(shop) as kernel:
            _ = (await shop.webhooks().add(f"http://127.0.0.1:{receiver.port}/")).unwrap()
            _ = (await kernel.notes.create({"text": "one"})).unwrap()
            async with asyncio.timeout(60):
                while not receiver.received:  # noqa: ASYNC110 (what is awaited has no event)
                    await asyncio.sleep(0.01)

    assert summary(receiver.received) == [("notes.created", "one")]


async def test_secrets_are_rotated_and_a_webhook_is_tried() -> None:
    events = RecordingEventBus()
    async with receiving() as receiver:
        shop = Shop(settings=settings_for("memory://", receiver.port), event_bus=events)
        async with open_kernel(shop):
            webhooks = shop.webhooks()
            added = (await webhooks.add(f"http://127.0.0.1:{receiver.port}/")).unwrap()
            key = added.webhook.id
            rotated = (await webhooks.rotate(key)).unwrap()
            assert (await webhooks.ping(key)).unwrap().is_delivered
            _ = (await webhooks.disable(key)).unwrap()
            _ = (await webhooks.finish_rotation(key)).unwrap()
            receiver.usually = answer("404 Not Found")
            assert not (await webhooks.ping(key)).unwrap().is_delivered
            _ = (await webhooks.enable(key)).unwrap()
            _ = (await webhooks.remove(key)).unwrap()
            for missing in (
                webhooks.remove(key),
                webhooks.ping(key),
                webhooks.rotate(key),
                webhooks.enable(key),
            ):
                assert isinstance((await missing).failure(), NotFound)

    during, after = receiver.received
    assert event_in(during)["type"] == "webhooks.ping"
    assert verify(during.headers, during.body, added.secret)
    assert verify(during.headers, during.body, rotated.secret)
    assert verify(after.headers, after.body, rotated.secret)
    with pytest.raises(WebhookVerificationError):
        verify(after.headers, after.body, added.secret)
    assert [each.name for each in events.events] == [
        "webhook.added",
        "webhook.secret_rotated",
        "webhook.disabled",
        "webhook.secret_rotated",
        "webhook.enabled",
        "webhook.removed",
    ]
    assert added.secret not in repr(events.events) + repr(added) + repr(rotated)


async def test_secrets_are_encrypted_where_there_are_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    async with receiving() as receiver:
        settings = settings_for(url, receiver.port, encryption=KEYS)
        async with open_webhooks(Shop(settings=settings)) as webhooks:
            added = (await webhooks.add(f"http://127.0.0.1:{receiver.port}/")).unwrap()
        later = settings_for(url, receiver.port, encryption={**KEYS, "current": "k2"})
        async with open_webhooks(Shop(settings=later)) as webhooks:
            renewed = (await webhooks.enable(added.webhook.id)).unwrap()
            assert (await webhooks.ping(added.webhook.id)).unwrap().is_delivered
        async with open_webhooks(Shop(settings=settings_for(url, receiver.port))) as webhooks:
            without_keys = (await webhooks.ping(added.webhook.id)).unwrap()

    assert added.webhook.secrets[0].startswith("fe1:k1:")
    assert renewed.secrets[0].startswith("fe1:k2:"), "encrypted with the current key by each change"
    (ping,) = receiver.received
    assert verify(ping.headers, ping.body, added.secret)
    assert "encryption.keys" in without_keys.error
    with caplog.at_level(logging.WARNING):
        async with open_kernel(Shop(settings=settings_for("memory://", 1, encryption=KEYS))):
            assert "secrets of webhooks" not in caplog.text
        async with open_kernel(Shop(settings=settings_for("memory://", 1))):
            assert "the secrets of webhooks are stored in database 'default' as they are" in caplog.text


class TwoDatabases(Container):
    notes = resource(Note, events=True)
    orders = resource(Order, events=Events(verbs=("created",)), database="sales")


@pytest.mark.parametrize(
    ("url", "events", "tenant", "pointer", "message"),
    [
        ("http://hooks.example/", ["notes.*"], None, "/url", "Must begin with https://"),
        ("https://10.0.0.1/", ["notes.*"], None, "/url", "public address"),
        (
            "https://hooks.example/",
            ["note.*"],
            None,
            "/events",
            "There is no 'note.*': use some of notes.created",
        ),
        ("https://hooks.example/", ["orders.deleted"], None, "/events", "There is no 'orders.deleted'"),
        ("https://hooks.example/", ["*"], None, "/events", "There is no '*'"),
        ("https://hooks.example/", [], None, "/events", "of one database, not of default, sales"),
        ("https://hooks.example/", ["notes.*", "orders.*"], None, "/events", "not of default, sales"),
        ("https://hooks.example/", ["notes.*"], "", "/tenant", "1 to 255"),
        ("https://hooks.example/", ["notes.*"], "a\nb", "/tenant", "1 to 255"),
    ],
)
async def test_what_cannot_be_delivered_is_not_added(
    url: str, events: list[str], tenant: str | None, pointer: str, message: str
) -> None:
    databases = {"default": {"url": "memory://"}, "sales": {"url": "memory://"}}
    shop = TwoDatabases(settings=Settings(databases=databases, webhooks={"enabled": True}))

    refused = await shop.webhooks().add(url, events=events, tenant=tenant)

    assert isinstance(refused, Failure)
    error = refused.failure()
    assert isinstance(error, Invalid)
    (fault,) = error.faults
    assert fault.pointer == pointer
    assert message in fault.message
    assert not (await shop.webhooks().list()).unwrap()


async def test_a_webhook_is_kept_beside_the_messages_it_is_sent() -> None:
    databases = {"default": {"url": "memory://"}, "sales": {"url": "memory://"}}
    clock = FrozenClock(datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC))
    shop = TwoDatabases(settings=Settings(databases=databases, webhooks={"enabled": True}), clock=clock)

    for name in ("orders", "notes"):
        _ = (await shop.webhooks().add(f"https://hooks.example/{name}", events=[f"{name}.*"])).unwrap()

    found = (await shop.webhooks().list()).unwrap()
    assert [(each.database, each.webhook.url) for each in found] == [
        ("default", "https://hooks.example/notes"),
        ("sales", "https://hooks.example/orders"),
    ]


class Silent(Container):
    notes = resource(Note)


def test_what_keeps_webhooks_from_working_is_said_at_start() -> None:
    with pytest.raises(DeclarationError, match=r"set webhooks\.enabled"):
        _ = Shop(settings=Settings(databases={"default": {"url": "memory://"}})).webhooks()
    with pytest.raises(DeclarationError, match="no resource publishes its changes"):
        _ = Silent(settings=settings_for("memory://", 1)).webhooks()
    with pytest.raises(DeclarationError, match="there is no file /nowhere"):
        _ = Shop(settings=settings_for("memory://", 1, webhooks={"ca_file": "/nowhere"})).webhooks()


async def test_an_application_without_webhooks_has_no_table_of_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    for settings, expected in ((Settings(databases={"default": {"url": url}}), 0), (settings_for(url, 1), 1)):
        shop = Shop(settings=settings)
        async with open_kernel(shop):
            database: Any = shop.databases.providers["default"]()
            found = await database.executor.ping(
                "SELECT count(*) FROM sqlite_master WHERE name = 'fe_webhooks'"
            )
        assert found == expected


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A receiver in another thread; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def test_operators_look_after_webhooks_on_the_command_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    with answering(200) as port, answering(302) as redirecting:
        settings = settings_for(url, port, webhooks={"ports": (port, redirecting)})
        cli = typer.Typer()
        find = lambda _: Shop(settings=settings)  # noqa: E731 (one for each command, as in a process of its own)
        add_to(cli, lambda: webhook_tasks_of(find, nullcontext))

        def run(*arguments: str) -> Any:
            return CliRunner().invoke(cli, ["webhooks", arguments[0], "shop:app", *arguments[1:]])

        added = run("add", f"http://127.0.0.1:{port}/", "--event", "notes.*", "--tenant", "acme", "--json")
        webhook = json.loads(added.stdout)
        key = webhook["id"]
        assert webhook["secret"].startswith("whsec_")
        assert (webhook["events"], webhook["tenant"], webhook["state"]) == (["notes.*"], "acme", "enabled")
        plain = run("add", f"http://127.0.0.1:{redirecting}/")
        assert plain.stdout.startswith("whsec_")
        assert "not shown again" in plain.stderr
        listed = json.loads(run("list", "--json").stdout)
        assert [each["url"] for each in listed] == [webhook["url"], f"http://127.0.0.1:{redirecting}/"]
        assert not any("whsec_" in json.dumps(each) for each in listed)
        assert {each["behind"] for each in listed} == {0}
        assert "HTTP 200" in run("test", key).stdout
        failed = run("test", listed[1]["id"])
        assert (failed.exit_code, failed.stderr) == (
            1,
            f"webhook {listed[1]['id']}: HTTP 302: redirects are not followed\n",
        )
        report = json.loads(run("test", listed[1]["id"], "--json").stdout)
        assert (report["delivered"], report["status"]) == (False, 302)
        assert "is disabled" in run("disable", key).stdout
        assert key in run("list").stdout
        assert "disabled" in run("list").stdout
        assert json.loads(run("enable", key, "--json").stdout)["state"] == "enabled"
        assert json.loads(run("rotate", key, "--json").stdout)["secrets"] == 2
        assert json.loads(run("rotate", key, "--finish", "--json").stdout)["secrets"] == 1
        assert "is removed" in run("remove", key).stdout
        gone = run("remove", key)
        assert (gone.exit_code, gone.stderr) == (
            1,
            f"there is no webhook with the id {key}: see webhooks list\n",
        )
        refused = run("add", "ftp://hooks.example/")
        assert refused.exit_code == 2
        assert refused.stderr.startswith("url: Must begin with https:// or http://")


def test_the_installed_command_says_what_is_missing(tmp_path: Path) -> None:
    done = call(program_in(tmp_path), "webhooks", "list", "shop:app")

    assert done.returncode == 2
    assert "in process memory" in done.stderr or "webhooks.enabled" in done.stderr


async def test_a_script_opens_webhooks_without_an_application(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path / 'shop.sqlite3'}", 8080)
    async with open_webhooks(Shop(settings=settings)) as webhooks:
        _ = (await webhooks.add("http://127.0.0.1:8080/", events=["notes.created"])).unwrap()
    async with open_webhooks(Shop(settings=settings)) as webhooks:
        (standing,) = (await webhooks.list()).unwrap()

    assert standing.webhook.events == ("notes.created",)
