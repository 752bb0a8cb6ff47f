"""Authenticators of the container say who calls, for resources and for routes of the application's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
import pytest
from dependency_injector import providers
from fastapi import Depends, FastAPI, Header
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBearer

from fastapi_easy.application import Context
from fastapi_easy.authentication import (
    Authenticator,
    CredentialPlace,
    Credentials,
    SecurityScheme,
    current_principal,
)
from fastapi_easy.bootstrap import create_app, mount_resources, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Key, Outcome, Principal, Success, Unauthenticated, Unavailable
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of

BEARER = SecurityScheme(name="bearer", place=CredentialPlace.BEARER, format="JWT")
HEADER = SecurityScheme(name="key", place=CredentialPlace.HEADER, parameter="X-API-Key", description="A key.")
COOKIE = SecurityScheme(name="session", place=CredentialPlace.COOKIE, parameter="__Host-session")


class Known:
    """An authenticator of callers whose secret is their name after a prefix; others it does not recognise."""

    def __init__(self, scheme: SecurityScheme, prefix: str) -> None:
        self.scheme = scheme
        self.prefix = prefix
        self.asked: list[str] = []
        self.closed = 0

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        self.asked.append(credentials.value)
        prefix, _, name = credentials.value.partition(".")
        if prefix != self.prefix:
            return Success(None)
        if name == "away":
            return Failure(Unavailable("keys", 7.0))
        return Success(Principal(id=name, tenant="north")) if name != "forged" else Failure(Unauthenticated())

    async def aclose(self) -> None:
        self.closed += 1


@dataclass
class Note:
    text: str
    id: int | None = None


@dataclass(frozen=True)
class Whose:
    """Say who asks."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        return Success({"id": context.principal.id, "tenant": context.tenant})


class Notes(Container):
    notes = resource(Note, actions=[Whose], policy=[allow("*", to=ANYONE)])


Caller = Annotated[Principal, Depends(current_principal)]
Build = Callable[..., FastAPI]


def with_routes(app: FastAPI) -> FastAPI:
    @app.get("/me")
    async def me(caller: Caller) -> str:
        return caller.id

    @app.get("/open")
    async def anybody() -> str:
        return "open"

    return app


def created(authenticators: Sequence[Authenticator] = (), **options: Any) -> FastAPI:
    return with_routes(create_app(in_memory(Notes, authenticators=list(authenticators)), **options))


def mounted(authenticators: Sequence[Authenticator] = (), **options: Any) -> FastAPI:
    app = with_routes(FastAPI())
    mount_resources(app, in_memory(Notes, authenticators=list(authenticators)), **options)
    return app


@pytest.fixture(params=[created, mounted], ids=lambda way: way.__name__)
def build(request: pytest.FixtureRequest) -> Build:
    way: Build = request.param
    return way


Headers = dict[str, str] | list[tuple[str, str]] | list[tuple[bytes, bytes]]


async def whose(client: httpx2.AsyncClient, headers: Headers) -> tuple[int, str]:
    """Status, and who calls as an action sees it, or how to authenticate."""
    answer = await client.post("/notes/1/whose", headers=headers)
    return answer.status_code, answer.json().get("id", answer.headers.get("www-authenticate"))


ALL = {
    "nothing": ({}, (200, "")),
    "bearer": ({"Authorization": "Bearer b.ada"}, (200, "ada")),
    "bearer in another case": ({"authorization": "bEARER  b.ada "}, (200, "ada")),
    "the second authenticator of bearers": ({"Authorization": "Bearer k.eve"}, (200, "eve")),
    "header": ({"x-api-key": "h.bob"}, (200, "bob")),
    "cookie": ({"Cookie": "a=1; __Host-session=c.cleo; b=2"}, (200, "cleo")),
    "another cookie": ({"Cookie": "x__Host-session=c.cleo; a=__Host-session=c.cleo"}, (200, "")),
    "bearer before cookie": (
        {"Authorization": "Bearer b.ada", "X-API-Key": "h.bob", "Cookie": "__Host-session=c.cleo"},
        (200, "ada"),
    ),
    "header before cookie": ({"X-API-Key": "h.bob", "Cookie": "__Host-session=c.cleo"}, (200, "bob")),
    "a forged bearer beside a good cookie": (
        {"Authorization": "Bearer b.forged", "Cookie": "__Host-session=c.cleo"},
        (401, 'Bearer error="invalid_token"'),
    ),
    "a bearer nobody recognises": ({"Authorization": "Bearer x.ada"}, (401, 'Bearer error="invalid_token"')),
    "no token": ({"Authorization": "Bearer"}, (401, 'Bearer error="invalid_token"')),
    "another scheme": ({"Authorization": "Basic YTpi"}, (401, 'Bearer error="invalid_token"')),
    "two bearers": (
        [("Authorization", "Bearer b.ada"), ("Authorization", "Bearer b.ada")],
        (401, 'Bearer error="invalid_token"'),
    ),
    "too long": ({"Authorization": "Bearer b." + "a" * 8191}, (401, 'Bearer error="invalid_token"')),
    "two keys": ([("X-API-Key", "h.bob"), ("X-API-Key", "h.bob")], (401, "Bearer")),
    "a forged key": ({"X-API-Key": "h.forged"}, (401, "Bearer")),
    "two cookies": ({"Cookie": "__Host-session=c.cleo; __Host-session=c.eve"}, (401, "Bearer")),
    "an empty cookie": ({"Cookie": "__Host-session="}, (401, "Bearer")),
    "a key that is not ASCII": ([(b"X-API-Key", b"h.b\xf6b")], (401, "Bearer")),
}


@pytest.mark.parametrize(("headers", "expected"), ALL.values(), ids=ALL)
async def test_the_first_credentials_in_order_of_places_say_who_calls(
    headers: Headers, expected: tuple[int, str]
) -> None:
    everybody = [Known(COOKIE, "c"), Known(HEADER, "h"), Known(BEARER, "b"), Known(BEARER, "k")]
    async with client_of(created(everybody)) as client:
        await client.post("/notes", json={"text": "t"})

        assert await whose(client, headers) == expected


async def test_credentials_for_other_places_are_nobodys_business() -> None:
    async with client_of(created([Known(HEADER, "h")])) as client:
        await client.post("/notes", json={"text": "t"})

        assert await whose(client, {"Authorization": "Basic YTpi", "Cookie": "a=b"}) == (200, "")
        assert await whose(client, {"X-API-Key": "h.forged"}) == (401, "APIKey")


async def test_malformed_credentials_reach_no_authenticator() -> None:
    asked = Known(BEARER, "b")
    async with client_of(created([asked])) as client:
        for value in ("Bearer", "Bearer a b", "Bearer " + "x" * 8193, "Bearer a\x7f"):
            await client.get("/notes", headers={"Authorization": value})

    assert asked.asked == []


async def test_every_operation_refuses_bad_credentials_and_pages_beside_do_not() -> None:
    bad = {"Authorization": "Bearer b.forged"}
    async with client_of(created([Known(BEARER, "b")])) as client:
        refused = [
            (await client.request(method, path, headers=bad, content=b"{")).status_code
            for method, path in [
                ("GET", "/notes"),
                ("HEAD", "/notes"),
                ("POST", "/notes"),
                ("POST", "/notes/search"),
                ("GET", "/notes/count"),
                ("GET", "/notes/export"),
                ("POST", "/notes/import"),
                ("POST", "/notes/bulk"),
                ("GET", "/notes/1"),
                ("PATCH", "/notes/1"),
                ("DELETE", "/notes/1"),
                ("POST", "/notes/1/whose"),
                ("GET", "/me"),
            ]
        ]
        open_pages = [
            (await client.get(path, headers=bad)).status_code
            for path in ("/", "/health/live", "/health/ready", "/docs", "/openapi.json", "/open")
        ]

    assert set(refused) == {401}
    assert set(open_pages) == {200}


async def test_own_routes_know_the_caller_as_resources_do(build: Build) -> None:
    async with client_of(build([Known(BEARER, "b")])) as client:
        answers = [
            await client.get("/me", headers=headers)
            for headers in (
                {"Authorization": "Bearer b.ada"},
                {},
                {"Authorization": "Bearer b.forged"},
                {"Authorization": "Bearer b.away"},
            )
        ]

    assert [each.status_code for each in answers] == [200, 200, 401, 503]
    assert [each.json() for each in answers[:2]] == ["ada", ""]
    assert answers[2].headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answers[3].headers["retry-after"] == "7"


async def test_what_cannot_be_verified_now_is_no_refusal(build: Build) -> None:
    async with client_of(build([Known(BEARER, "b")])) as client:
        answer = await client.get("/notes", headers={"Authorization": "Bearer b.away"})

    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (
        503,
        "7",
        "unavailable",
    )


async def test_a_request_is_identified_once_and_before_dependencies() -> None:
    seen: list[str] = []
    known = Known(BEARER, "b")

    async def note(caller: Caller) -> None:
        seen.append(caller.id)

    async with client_of(created([known], dependencies=[Depends(note)])) as client:
        await client.get("/notes", headers={"Authorization": "Bearer b.ada"})
        await client.get("/notes", headers={"Authorization": "Bearer b.forged"})

    assert (seen, known.asked) == (["ada"], ["b.ada", "b.forged"])


def by_header(name: Annotated[str | None, Header(alias="X-Caller")] = None) -> Principal | None:
    return None if name is None else Principal(id=name)


async def test_a_dependency_of_the_applications_own_takes_the_place_of_authenticators(build: Build) -> None:
    unused = Known(BEARER, "b")
    async with client_of(build([unused], principal=by_header)) as client:
        await client.post("/notes", json={"text": "t"})
        headers = {"X-Caller": "bob", "Authorization": "Bearer b.forged"}

        assert await whose(client, headers) == (200, "bob")
        assert (await client.get("/me", headers=headers)).json() == "bob"
        assert (await client.get("/me")).json() == ""
        assert unused.asked == []


async def test_without_authenticators_everybody_is_anonymous_and_headers_are_not_read(build: Build) -> None:
    async with client_of(build()) as client:
        await client.post("/notes", json={"text": "t"})
        headers = {"Authorization": "Bearer x"}

        assert await whose(client, headers) == (200, "")
        assert (await client.get("/me", headers=headers)).json() == ""


async def test_an_application_without_a_container_does_not_take_callers_for_anonymous() -> None:
    async with client_of(with_routes(FastAPI())) as client:
        answer = await client.get("/me")

    assert answer.status_code == 500


async def test_authenticators_are_replaced_on_a_running_application() -> None:
    shop = in_memory(Notes, authenticators=[Known(BEARER, "b")])
    async with client_of(create_app(shop)) as client:
        await client.post("/notes", json={"text": "t"})
        old, new = ({"Authorization": f"Bearer {prefix}.ada"} for prefix in "bn")
        with shop.authenticators.override(providers.Object([Known(BEARER, "n")])):
            within = [await whose(client, each) for each in (old, new)]
        after = [await whose(client, each) for each in (old, new)]

    refused = (401, 'Bearer error="invalid_token"')
    assert (within, after) == ([refused, (200, "ada")], [(200, "ada"), refused])


async def test_a_provider_of_a_list_works_as_a_list_does() -> None:
    shop = in_memory(Notes, authenticators=providers.List(providers.Singleton(Known, BEARER, "b")))
    async with client_of(create_app(shop)) as client:
        await client.post("/notes", json={"text": "t"})

        assert await whose(client, {"Authorization": "Bearer b.ada"}) == (200, "ada")
        assert await whose(client, {"Authorization": "Bearer x.ada"}) == (401, 'Bearer error="invalid_token"')


async def test_an_application_inside_another_relies_on_its_own_authenticators() -> None:
    inner = created([Known(BEARER, "i")])

    class Around:
        """Middleware that asks who calls, as a route of the outer application does."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                seen.append(await current_principal(HTTPConnection(scope)))
            await self.app(scope, receive, send)

    seen: list[Principal] = []
    outer = created([Known(BEARER, "o")])
    outer.mount("/inner", Around(inner))
    async with client_of(outer) as client:
        answer = await client.get("/inner/notes", headers={"Authorization": "Bearer o.ada"})

    assert ([each.id for each in seen], answer.status_code) == (["ada"], 401)


async def test_authenticators_are_closed_with_the_application() -> None:
    known = Known(BEARER, "b")
    async with open_kernel(in_memory(Notes, authenticators=[known])):
        assert known.closed == 0

    assert known.closed == 1


def test_the_document_says_how_to_authenticate() -> None:
    discovered = SecurityScheme(
        name="bearer",
        place=CredentialPlace.BEARER,
        format="JWT",
        openid_url="https://id.example/.well-known/openid-configuration",
    )

    document = created([Known(discovered, "b"), Known(HEADER, "h"), Known(COOKIE, "c")]).openapi()

    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "bearer_openid": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://id.example/.well-known/openid-configuration",
        },
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key."},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
    }
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert "security" not in operations.pop(("/open", "get"))
    alternatives = [{"bearer": []}, {"bearer_openid": []}, {"key": []}, {"session": []}, {}]
    assert [place for place, each in operations.items() if each["security"] != alternatives] == []
    for status in ("401", "403"):
        assert {each["responses"][status]["$ref"] for each in operations.values()} == {
            f"#/components/responses/Problem{status}"
        }
    assert "WWW-Authenticate" in document["components"]["responses"]["Problem401"]["headers"]


async def test_from_the_start_on_the_document_says_where_callers_have_to_authenticate() -> None:
    class Guarded(Container):
        notes = resource(Note, actions=[Whose], policy=[allow("read", to=ANYONE), allow("*", to="editor")])

    app = create_app(in_memory(Guarded, authenticators=[Known(HEADER, "h")]))
    before = app.openapi()["paths"]["/notes"]["post"]["security"]
    async with client_of(app):
        paths = app.openapi()["paths"]

    assert before == [{"key": []}, {}]
    optional = {
        (path, method)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if {} in operation["security"]
    }
    assert optional >= {("/notes", "get"), ("/notes/{key}", "get"), ("/notes/export", "get")}
    assert paths["/notes"]["post"]["security"] == [{"key": []}]
    assert paths["/notes/{key}/whose"]["post"]["security"] == [{"key": []}]


def test_schemes_of_dependencies_stand_beside_those_of_authenticators() -> None:
    app = created([Known(HEADER, "h")], dependencies=[Depends(HTTPBearer(auto_error=False))])

    document = app.openapi()

    assert document["paths"]["/notes"]["get"]["security"] == [{"key": []}, {"HTTPBearer": []}, {}]
    assert {*document["components"]["securitySchemes"]} == {"key", "HTTPBearer"}


def test_without_authenticators_the_document_asks_for_nothing() -> None:
    document = created().openapi()

    assert "securitySchemes" not in document["components"]
    assert "security" not in document["paths"]["/notes"]["get"]
    assert "401" not in document["paths"]["/notes"]["get"]["responses"]
