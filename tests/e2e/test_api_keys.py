"""Programs call with API keys, on every store; keys are issued on the command line or by the program itself."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from dependency_injector import providers
from fastapi import Depends
from pydantic import BaseModel
from returns.result import Failure
from sqlmodel import Field, SQLModel

from fastapi_easy.authentication import ApiKeys, current_principal, open_keyring
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, DomainEvent, Principal
from fastapi_easy.domain.authentication.api_key import API_KEYS
from fastapi_easy.domain.authentication.api_key_text import parse_key
from fastapi_easy.domain.errors import Invalid
from fastapi_easy.migrations import open_migrations
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock, RecordingEventBus
from tests.e2e.commands import call, program_in
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store


class Poem(SQLModel, table=True):
    __tablename__ = "keyed_poems"
    id: int | None = Field(default=None, primary_key=True)
    title: str


class Verse(BaseModel):
    id: int | None = None
    title: str


class SqlShop(Container):
    poems = resource(Poem, policy=[allow("*", to=ANYONE)])


class MongoShop(Container):
    poems = resource(Verse, policy=[allow("*", to=ANYONE)])


def make_shop(store: str, url: str, **overriding: Any) -> Any:
    kind = MongoShop if store == MONGO else SqlShop
    settings = Settings(databases={"default": {"url": url}})
    return kind(settings=settings, **{"api_keys": ApiKeys(), **overriding})


@asynccontextmanager
async def client_of(shop: Any) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(shop)

    @app.get("/me")
    async def me(caller: Annotated[Principal, Depends(current_principal)]) -> list[object]:
        return [caller.id, caller.tenant, sorted(caller.roles), sorted(caller.scopes or ())]

    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop") as it,
    ):
        yield it


def bearing(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_a_key_works_until_it_is_revoked_on_every_store(store: str, tmp_path: Path) -> None:
    clock, events = FrozenClock(), RecordingEventBus()
    with empty_store(store, tmp_path) as url:
        shop = make_shop(store, url, clock=clock, event_bus=events)
        async with client_of(shop) as client:
            keyring = shop.keyring()
            issued = (
                await keyring.create("user:42", roles=["editor"], tenant="acme", scopes=["poems:*"])
            ).unwrap()

            created = await client.post("/poems", json={"title": "Ozymandias"}, headers=bearing(issued.text))
            assert created.status_code == 201
            assert [each.actor for each in events.events if isinstance(each, DomainEvent)][-1] == "user:42"
            me = await client.get("/me", headers=bearing(issued.text))
            assert me.json() == ["user:42", "acme", ["editor"], ["poems:*"]]

            _ = (await keyring.revoke(issued.key.id)).unwrap()
            for path in ("/poems", "/me"):
                refused = await client.get(path, headers=bearing(issued.text))
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"].startswith("Bearer")
                assert issued.text not in refused.text
            assert (await client.get("/poems")).status_code == 200
        (used,) = (await keyring.list()).unwrap()
        assert used.last_used_at == used.revoked_at == clock.now()
        await shop.databases.default().close()


async def test_scopes_limit_what_a_key_may_do(tmp_path: Path) -> None:
    shop = make_shop("sqlite", f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    async with client_of(shop) as client:
        answers = {}
        for scopes in (None, ["poems:read"], ["poems:create"], []):
            issued = (await shop.keyring().create("user:42", scopes=scopes)).unwrap()
            headers = bearing(issued.text)
            created = await client.post("/poems", json={"title": "Ozymandias"}, headers=headers)
            listed = await client.get("/poems", headers=headers)
            answers[None if scopes is None else tuple(scopes)] = (created.status_code, listed.status_code)

    assert answers == {
        None: (201, 200),
        ("poems:read",): (403, 200),
        ("poems:create",): (201, 403),
        (): (403, 403),
    }


async def test_a_file_with_keys_is_migrated_as_before(tmp_path: Path) -> None:
    """The table of keys is part of what is declared, and no drift when it was created by the first key."""
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    async with open_keyring(make_shop("sqlite", url)) as keyring:
        _ = (await keyring.create("user:42")).unwrap()

    async with client_of(make_shop("sqlite", url)) as client:
        assert (await client.get("/poems")).status_code == 200
    async with open_migrations(make_shop("sqlite", url)) as migrations:
        assert (await migrations.plan()).unwrap().steps == ()
    async with open_keyring(make_shop("sqlite", url)) as keyring:
        assert [each.owner for each in (await keyring.list()).unwrap()] == ["user:42"]


async def test_a_migration_creates_the_table_of_keys_where_the_application_may_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"

    async with open_migrations(make_shop("sqlite", url)) as migrations:
        plan = (await migrations.plan()).unwrap()

    assert any(API_KEYS.name in str(step) for step in plan.steps)


def test_a_database_that_no_resource_lives_in_is_a_mistake() -> None:
    shop = SqlShop(
        api_keys=ApiKeys(database="keys"), settings=Settings(databases={"default": {"url": "memory://"}})
    )

    with pytest.raises(DeclarationError, match="api_keys: no resource lives in database 'keys'"):
        _ = create_app(shop)


def test_without_a_declaration_there_is_no_keyring_and_no_authenticator() -> None:
    class Plain(Container):
        poems = resource(Poem)

    shop = Plain(settings=Settings(databases={"default": {"url": "sqlite://"}}))

    assert shop.authenticators() == ()
    with pytest.raises(DeclarationError, match="accepts no API keys"):
        _ = shop.keyring()


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("poem:read", "there is no resource 'poem': did you mean 'poems'?"),
        ("poems:creat", "'creat' is no action of poems: did you mean 'create'?"),
        ("*:raed", "'raed' is no action of any resource: did you mean 'read'?"),
        ("nonsense:nonsense", "there is no resource 'nonsense': there are "),
    ],
)
async def test_a_scope_that_permits_nothing_is_refused(tmp_path: Path, scope: str, said: str) -> None:
    shop = make_shop("sqlite", f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    async with open_keyring(shop) as keyring:
        refused = await keyring.create("user:42", scopes=["poems:read", scope])
        stored = (await keyring.list()).unwrap()

    assert isinstance(refused, Failure)
    error = refused.failure()
    assert isinstance(error, Invalid)
    (fault,) = error.faults
    assert (fault.pointer, fault.code, stored) == ("/scopes", "unknown_scope", [])
    assert said in fault.message


async def test_a_program_names_the_scopes_of_its_own_routes(tmp_path: Path) -> None:
    shop = make_shop("sqlite", f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    declared = providers.Object(ApiKeys(scopes=("reports:run",)))
    with shop.api_keys.override(declared):
        async with open_keyring(shop) as keyring:
            issued = (await keyring.create("user:42", scopes=["reports:run"])).unwrap()
            refused = await keyring.create("user:42", scopes=["reports:walk"])

    assert (issued.key.scopes, isinstance(refused, Failure)) == ({"reports:run"}, True)


async def test_a_key_is_issued_on_the_command_line(tmp_path: Path) -> None:
    """As an operator does, whose program says nothing about keys; the settings do."""
    folder = program_in(tmp_path)
    (folder / "fastapi-easy.toml").write_text("[authentication.api_keys]\nenabled = true\n")
    (folder / "keyed.py").write_text(PROGRAM)
    options = [
        "--for",
        "user:42",
        "--scope",
        "books:read",
        "--role",
        "reader",
        "--expires",
        "90d",
        "--label",
        "export",
    ]

    issued = call(
        folder,
        "keys",
        "create",
        "keyed:app",
        *options,
        FASTAPI_EASY_DATABASES__DEFAULT__URL="sqlite:///shop.sqlite3",
    )
    assert (issued.returncode, issued.stdout.count("\n")) == (0, 1), issued.stderr
    text = issued.stdout.strip()
    key = parse_key(text)
    assert key is not None
    assert key.id in issued.stderr
    assert text not in issued.stderr
    async with open_keyring(make_shop("sqlite", f"sqlite:///{folder / 'shop.sqlite3'}")) as keyring:
        (stored,) = (await keyring.list()).unwrap()
    assert (stored.id, stored.owner, stored.label) == (key.id, "user:42", "export")
    assert stored.roles == {"reader"}
    assert stored.scopes == frozenset({"books:read"})
    assert stored.expires_at == stored.created_at + datetime.timedelta(days=90)


PROGRAM = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Book(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())
"""
