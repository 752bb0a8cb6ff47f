"""What operators and people who log in leave in the audit trail, on the command line and over HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr
from typer.testing import CliRunner

from fastapi_easy.__main__ import command_line
from fastapi_easy.authentication import Sessions
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain import Principal
from fastapi_easy.interfaces.cli.targets import load
from fastapi_easy.interfaces.cli.tasks import Target
from fastapi_easy.migrations import open_migrations
from fastapi_easy.settings import Settings
from tests.e2e.audited_shop import KEY, entries_of, make_shop

PROGRAM = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.container import Container, resource


class OldBase(DeclarativeBase):
    pass


class OldBook(OldBase):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(40))


class Old(Container):
    books = resource(OldBook, audit=True, events=True)


class NewBase(DeclarativeBase):
    pass


class NewBook(NewBase):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(40))
    pages: Mapped[int | None]
    colour: Mapped[str | None] = mapped_column(String(10))


class New(Container):
    books = resource(NewBook, audit=True, events=True)
"""


class Operator:
    """Carries out commands on a program in a folder, in this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._module = f"operated_{folder.name}"
        (folder / f"{self._module}.py").write_text(PROGRAM)
        self.values: dict[str, Any] = {
            "databases": {"default": {"url": f"sqlite:///{folder / 'shop.sqlite3'}"}},
            "audit": {"keys": {"k1": KEY}},
            "webhooks": {"enabled": True},
        }

    def run(self, *arguments: str, expected: int = 0) -> str:
        words = [each.replace("shop:", f"{self._module}:") for each in arguments]
        given = {
            "FASTAPI_EASY_DATABASES__DEFAULT__URL": self.values["databases"]["default"]["url"],
            "FASTAPI_EASY_AUDIT": json.dumps(self.values["audit"]),
            "FASTAPI_EASY_WEBHOOKS__ENABLED": "true",
        }
        done = CliRunner().invoke(command_line(), [*words, "--app-dir", str(self._folder)], env=given)
        assert done.exit_code == expected, done.output
        return done.stdout

    def shop(self, kind: str) -> Any:
        made: Any = load(Target(path=f"{self._module}:{kind}", folder=self._folder))
        return made(settings=Settings(**self.values))

    def security(self) -> list[tuple[str, dict[str, Any]]]:
        """The action and the details of each entry that is not about a change of an entity."""
        lines = self.run("audit", "export", "shop:New").splitlines()
        entries = [json.loads(json.loads(each)["body"]) for each in lines]
        return [(each["action"], each["changes"]) for each in entries if each["stream"] == "security"]


def test_migrations_rollbacks_and_repairs_on_the_command_line_are_in_the_trail(tmp_path: Path) -> None:
    operator = Operator(tmp_path)

    async def stop_after_the_first_step() -> None:
        async with open_migrations(operator.shop("New")) as migrations:
            (await migrations.apply(until_step=0)).unwrap()

    operator.run("migrate", "apply", "shop:Old", "--yes")
    operator.run("migrate", "apply", "shop:New", "--yes")
    operator.run("migrate", "rollback", "shop:New", "--yes", "--allow", "destructive")
    asyncio.run(stop_after_the_first_step())
    operator.run("migrate", "repair", "shop:New", "--abandon", "--yes")

    entries = operator.security()
    assert [action for action, _ in entries] == [
        "migration.started",
        "migration.applied",
        "migration.started",
        "migration.applied",
        "migration.rolled_back",
        "migration.started",
        "migration.repaired",
    ]
    repaired = entries[-1][1]
    assert (repaired["action"], repaired["outcome"], repaired["run_id"]) == (
        "abandon",
        "ok",
        entries[-2][1]["run_id"],
    )


def test_what_operators_do_to_messages_webhooks_and_locks_on_the_command_line_is_in_the_trail(
    tmp_path: Path,
) -> None:
    operator = Operator(tmp_path)
    shop = operator.shop("New")

    async def park_two_messages() -> list[str]:
        async with open_kernel(shop) as kernel:
            for number in (1, 2):
                (await kernel.books.create(title=f"Emma {number}")).unwrap()
            outbox = shop.outboxes()["default"]
            claims = (await outbox.claim(10, 60.0)).unwrap()
            for each in claims:
                (await outbox.park(each, "poison")).unwrap()
            return [str(each.message.id) for each in claims]

    async def hold_a_lock() -> int:
        async with open_kernel(shop):
            store = shop.lease_store()
            held = (await store.try_acquire("invoice", "somebody", 600.0)).unwrap()
            await store.close()
            return int(held.token)

    first, second = asyncio.run(park_two_messages())
    token = asyncio.run(hold_a_lock())
    operator.run("events", "dead", "retry", "shop:New", first)
    operator.run("events", "dead", "drop", "shop:New", second)
    operator.run("webhooks", "add", "shop:New", "https://hooks.example/books", "--json")
    operator.run("locks", "evict", "shop:New", "invoice", "--token", str(token), "--reason", "stuck")

    assert [each for each in operator.security() if not each[0].startswith("migration.")] == [
        ("outbox.retried", {"database": "default"}),
        ("outbox.dropped", {"database": "default"}),
        ("webhook.added", {"url": "https://hooks.example/books"}),
        ("lock.evicted", {"lock": "invoice", "token": token, "reason": "stuck"}),
    ]


async def test_log_ins_refused_log_ins_and_log_outs_over_http_are_in_the_trail(tmp_path: Path) -> None:
    async def verify(username: str, password: str) -> Principal | None:
        return Principal(id="user:1") if (username, password) == ("ada@example.org", "right") else None

    shop = make_shop(
        "sqlite", f"sqlite:///{tmp_path / 'shop.sqlite3'}", browser_sessions=Sessions(verify=verify)
    )
    shop.settings.override(shop.settings().model_copy(update={"secret": SecretStr("s" * 32)}))
    app = create_app(shop)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://shop.test") as browser,
    ):
        account = {"username": "ada@example.org"}
        refused = await browser.post("/session", json={**account, "password": "wrong"})
        opened = await browser.post("/session", json={**account, "password": "right"})
        token = (await browser.get("/session")).json()["csrf_token"]
        closed = await browser.delete("/session", headers={"X-CSRF-Token": token})
        entries = await entries_of(shop, stream="security")

    assert [each.status_code for each in (refused, opened, closed)] == [401, 201, 204]
    assert [(each.action, each.outcome, each.actor) for each in entries] == [
        ("policy.changed", "ok", ""),
        ("session.refused", "unauthenticated", ""),
        ("session.opened", "ok", "user:1"),
        ("session.closed", "ok", "user:1"),
    ]
    assert "ada@example.org" not in json.dumps([dict(each.changes) for each in entries])
