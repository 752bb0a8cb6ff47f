"""The application says who calls, and everything that depends on the caller follows."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Security
from fastapi.security import APIKeyHeader, SecurityScopes

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import create_app, mount_resources
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    ANONYMOUS,
    DeclarationError,
    Key,
    Outcome,
    Principal,
    Resource,
    Specification,
    Success,
    Tenant,
)
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.testing import RecordingEventBus, in_memory
from tests.policies import RowPolicy
from tests.unit.interfaces.http.library import client_of

key_of_caller = APIKeyHeader(name="X-Caller", auto_error=False)

CALLERS = {
    "ada": Principal(id="ada", tenant="north"),
    "bob": Principal(id="bob", tenant="south"),
    "root": Principal(id="root", roles=frozenset({"admin"})),
}


def current_user(name: Annotated[str | None, Depends(key_of_caller)]) -> Principal | None:
    if name is not None and name not in CALLERS:
        raise HTTPException(401, "Nobody of this name.")
    return None if name is None else CALLERS[name]


@dataclass
class Note:
    """Something written down."""

    text: str
    owner: str
    id: int | None = None


@dataclass(frozen=True)
class Whose:
    """Say who asks."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[dict[str, Any]]:
        """Answer with the caller."""
        return Success({"id": context.principal.id, "tenant": context.tenant})


class Notes(Container):
    notes = resource(Note, actions=[Whose])


class OwnOnly(RowPolicy):
    """Everybody sees what they own; administrators see all."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        if "admin" in principal.roles:
            return Everything()
        return Where("owner", Operator.EQUALS, principal.id)


Build = Callable[..., FastAPI]


def created(principal: Any = current_user, **providers: Any) -> FastAPI:
    return create_app(in_memory(Notes, **providers), principal=principal)


def mounted(principal: Any = current_user, **providers: Any) -> FastAPI:
    app = FastAPI()
    mount_resources(app, in_memory(Notes, **providers), principal=principal)
    return app


@pytest.fixture(params=[created, mounted], ids=lambda way: way.__name__)
def build(request: pytest.FixtureRequest) -> Build:
    way: Build = request.param
    return way


async def running(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def by(name: str) -> dict[str, str]:
    return {"X-Caller": name}


async def two_notes(client: httpx2.AsyncClient) -> None:
    for owner in ("ada", "bob"):
        made = await client.post("/notes", json={"text": "t", "owner": owner}, headers=by(owner))
        assert made.status_code == 201


async def test_callers_see_what_the_policy_shows_them(build: Build) -> None:
    async for client in running(build(policy=OwnOnly())):
        await two_notes(client)

        seen = {
            name: [each["owner"] for each in (await client.get("/notes", headers=by(name))).json()["items"]]
            for name in CALLERS
        }
        counted = (await client.get("/notes/count", headers=by("ada"))).json()
        totals = (await client.get("/notes/aggregate", headers=by("ada"))).json()["items"]
        exported = (await client.get("/notes/export?as=ndjson", headers=by("ada"))).text.splitlines()
        anonymous = (await client.get("/notes")).json()["items"]
        others = await client.delete("/notes/2", headers=by("ada"))

    assert seen == {"ada": ["ada"], "bob": ["bob"], "root": ["ada", "bob"]}
    assert (counted, totals[0]["totals"], len(exported)) == ({"count": 1}, {"count": 1}, 1)
    assert anonymous == []
    assert others.status_code == 404


async def test_events_name_the_caller_of_every_change(build: Build) -> None:
    bus = RecordingEventBus()
    note = {"text": "t", "owner": "ada"}

    async for client in running(build(event_bus=bus)):
        await client.post("/notes", json=note, headers=by("ada"))
        await client.patch("/notes/1", json={"text": "u"}, headers=by("bob"))
        await client.post("/notes/bulk", json={"items": [{"create": note}]}, headers=by("root"))
        await client.post(
            "/notes/import",
            content=b'{"text": "t", "owner": "ada"}',
            headers={"Content-Type": "application/x-ndjson", **by("ada")},
        )
        await client.delete("/notes/1")

    assert [(each.name, each.actor) for each in bus.events] == [
        ("notes.created", "ada"),
        ("notes.updated", "bob"),
        ("notes.created", "root"),
        ("notes.created", "ada"),
        ("notes.deleted", ""),
    ]


async def test_actions_know_caller_and_tenant(build: Build) -> None:
    async for client in running(build()):
        await two_notes(client)

        told = await client.post("/notes/1/whose", headers=by("bob"))
        untold = await client.post("/notes/1/whose")

    assert told.json() == {"id": "bob", "tenant": "south"}
    assert untold.json() == {"id": ANONYMOUS.id, "tenant": None}


async def test_a_cursor_belongs_to_the_tenant_of_its_caller(build: Build) -> None:
    async for client in running(build()):
        await two_notes(client)
        following = (await client.get("/notes?limit=1", headers=by("ada"))).links["next"]["url"]

        own = await client.get(following, headers=by("ada"))
        others = await client.get(following, headers=by("bob"))

    assert (own.status_code, others.status_code) == (200, 400)


async def test_a_refusal_is_answered_as_that_of_any_dependency(build: Build) -> None:
    async for client in running(build()):
        refused = await client.get("/notes", headers=by("eve"))

    assert (refused.status_code, refused.json()["detail"]) == (401, "Nobody of this name.")


async def test_runs_after_the_others_and_is_overridden_like_them() -> None:
    ran: list[str] = []

    def first() -> None:
        ran.append("first")

    def caller() -> None:
        ran.append("caller")

    app = create_app(in_memory(Notes), principal=caller, dependencies=[Depends(first)])
    async for client in running(app):
        await client.get("/notes")
        app.dependency_overrides[caller] = lambda: ran.append("instead")
        await client.get("/notes")

    assert ran == ["first", "caller", "first", "instead"]


async def test_may_be_a_security_with_scopes() -> None:
    def caller(scopes: SecurityScopes, x_caller: Annotated[str, Header()]) -> Principal:
        return Principal(id=x_caller, tenant=scopes.scope_str)

    async for client in running(created(Security(caller, scopes=["notes"]))):
        await two_notes(client)
        told = await client.post("/notes/1/whose", headers=by("ada"))
        document = (await client.get("/openapi.json")).json()

    assert told.json() == {"id": "ada", "tenant": "notes"}
    names = [each.get("name") for each in document["paths"]["/notes/{key}"]["get"]["parameters"]]
    assert "x-caller" in names


async def test_an_answer_that_is_no_principal_is_a_defect_that_says_so(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    def user() -> str:
        return "ada"

    with caplog.at_level(logging.ERROR, logger="fastapi_easy.http"):
        async for client in running(build(user)):
            failed = await client.get("/notes")

    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert "has to answer a Principal of fastapi_easy.domain, or None, and answered a str" in caplog.text


@pytest.mark.parametrize("wrong", ["current_user", Depends()])
def test_what_cannot_be_called_is_said_at_start(build: Build, wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="pass a function or Depends"):
        build(wrong)


async def test_without_one_everybody_is_anonymous() -> None:
    async for client in running(created(None)):
        await two_notes(client)
        told = await client.post("/notes/1/whose", headers=by("ada"))

    assert told.json() == {"id": "", "tenant": None}
