"""Browsers log in, call with their cookie, and log out; pages of other sites get nowhere."""

import datetime
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Request

from fastapi_easy.authentication import (
    CredentialPlace,
    Credentials,
    SecurityScheme,
    Session,
    SessionClosed,
    SessionOpened,
    SessionRefused,
    Sessions,
    current_principal,
)
from fastapi_easy.bootstrap import create_app, mount_resources
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, DomainEvent, Outcome, Principal, Success
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock, RecordingEventBus

SECRET = "s" * 32
RIGHT, WRONG = "right", "wrong one"
ADA = Principal(id="user:1", roles=frozenset({"editor"}), tenant="acme")


@dataclass
class Note:
    text: str
    id: int | None = None


class Accounts:
    """The program's own: passwords, and who was logged out everywhere since when."""

    def __init__(self) -> None:
        self.passwords = {"ada": RIGHT}
        self.valid_from: datetime.datetime | None = None

    async def verify(self, username: str, password: str) -> Principal | None:
        return ADA if self.passwords.get(username) == password else None

    async def is_current(self, session: Session) -> bool:
        return self.valid_from is None or session.opened_at >= self.valid_from


class Shop(Container):
    notes = resource(Note, policy=[allow("*", to=ANYONE)])


@dataclass
class World:
    """A shop, and the browser of somebody."""

    accounts: Accounts
    clock: FrozenClock
    events: RecordingEventBus
    browser: httpx2.AsyncClient
    shop: Shop

    async def log_in(self, username: str = "ada", password: str = RIGHT, **headers: str) -> httpx2.Response:
        return await self.browser.post(
            "/session", json={"username": username, "password": password}, headers=headers
        )

    async def token(self) -> dict[str, str]:
        return {"X-CSRF-Token": (await self.browser.get("/session")).json()["csrf_token"]}


def own_routes(app: FastAPI) -> None:
    @app.get("/me")
    async def me(caller: Annotated[Principal, Depends(current_principal)]) -> dict[str, object]:
        return {"id": caller.id, "tenant": caller.tenant}

    @app.post("/me")
    async def change_me(caller: Annotated[Principal, Depends(current_principal)]) -> str:
        return caller.id

    @app.post("/public")
    async def public(request: Request) -> str:
        return "anybody"


@asynccontextmanager
async def opened(*, mounted: bool = False, **settings: Any) -> AsyncIterator[World]:
    accounts, clock, events = Accounts(), FrozenClock(), RecordingEventBus()
    shop = Shop(
        clock=clock,
        event_bus=events,
        browser_sessions=Sessions(verify=accounts.verify, is_current=accounts.is_current),
        settings=Settings(databases={"default": {"url": "memory://"}}, **{"secret": SECRET, **settings}),
    )
    if mounted:
        app = FastAPI()
        mount_resources(app, shop)
    else:
        app = create_app(shop)
    own_routes(app)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://shop.test") as browser,
    ):
        yield World(accounts, clock, events, browser, shop)


@pytest.fixture(params=["created", "mounted"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with opened(mounted=request.param == "mounted") as made:
        yield made


def code_of(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def cookies_in(response: httpx2.Response) -> Mapping[str, str]:
    return dict(each.split("=", 1) for each in response.headers.get_list("set-cookie"))


async def test_logging_in_gives_a_cookie_that_no_script_reads_and_a_token_that_scripts_send_back(
    world: World,
) -> None:
    response = await world.log_in()

    assert response.status_code == 201
    body = response.json()
    assert body["principal"] == {"id": "user:1", "roles": ["editor"], "tenant": "acme"}
    assert body["opened_at"] == "2026-01-01T12:00:00Z"
    assert body["expires_at"] == "2026-01-01T13:00:00Z"
    assert response.headers["cache-control"] == "no-store"
    cookies = cookies_in(response)
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for each in cookies.values():
        assert {"Path=/", "Max-Age=3600", "SameSite=Lax", "Secure"} <= set(each.split("; "))
    assert cookies["__Host-session"].endswith("; HttpOnly")
    assert "HttpOnly" not in cookies["__Host-csrf"]
    assert cookies["__Host-csrf"].startswith(f"{body['csrf_token']};")


async def test_resources_and_own_routes_know_who_has_logged_in(world: World) -> None:
    assert (await world.browser.get("/me")).json() == {"id": "", "tenant": None}
    _ = await world.log_in()

    created = await world.browser.post("/notes", json={"text": "…"}, headers=await world.token())

    assert created.status_code == 201
    assert [each.actor for each in world.events.events if isinstance(each, DomainEvent)][-1] == "user:1"
    assert (await world.browser.get("/me")).json() == {"id": "user:1", "tenant": "acme"}


async def test_only_who_has_logged_in_is_told_the_token(world: World) -> None:
    assert code_of(await world.browser.get("/session")) == (401, "unauthenticated")
    logged_in = (await world.log_in()).json()

    shown = await world.browser.get("/session")

    assert shown.json() == logged_in


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_without_the_token_of_the_session_is_refused(world: World, method: str) -> None:
    _ = await world.log_in()
    path = "/notes" if method == "POST" else "/notes/1"
    first = await world.token()
    other = (await world.log_in()).json()["csrf_token"]
    assert first["X-CSRF-Token"] != other

    for headers in ({}, {"X-CSRF-Token": "guess"}, first):
        refused = await world.browser.request(
            method, path, content=b'{"text":"x"}', headers={"content-type": "application/json", **headers}
        )
        assert code_of(refused) == (403, "csrf_failed")
        assert (await world.browser.get("/notes")).json()["items"] == []


@pytest.mark.parametrize("path", ["/notes", "/me"])
async def test_a_change_that_another_site_sends_is_refused_whatever_it_knows(world: World, path: str) -> None:
    _ = await world.log_in()
    token = await world.token()

    for came_from in (
        {"sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        refused = await world.browser.post(path, json={"text": "x"}, headers={**token, **came_from})
        assert refused.status_code == 403
    allowed = await world.browser.post(
        path,
        json={"text": "x"},
        headers={**token, "sec-fetch-site": "same-origin", "origin": "https://shop.test"},
    )
    assert allowed.status_code in {200, 201}


async def test_an_own_route_that_asks_who_calls_is_guarded_and_others_are_not(world: World) -> None:
    _ = await world.log_in()

    assert (await world.browser.post("/me")).status_code == 403
    assert (await world.browser.post("/me", headers=await world.token())).json() == "user:1"
    assert (await world.browser.post("/public")).json() == "anybody"


async def test_an_own_route_answers_with_the_problem(world: World) -> None:
    async with opened() as created:
        _ = await created.log_in()
        assert code_of(await created.browser.post("/me")) == (403, "csrf_failed")
        page = await created.browser.get("/problems/csrf_failed")
        assert page.status_code == 200
        assert "X-CSRF-Token" in page.text


async def test_a_form_of_another_site_logs_nobody_in(world: World) -> None:
    body = json.dumps({"username": "ada", "password": "right"})

    for headers in (
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {},
    ):
        refused = await world.browser.post("/session", content=body, headers=headers)
        assert code_of(refused) == (415, "unsupported_media_type")
    refused = await world.log_in(**{"sec-fetch-site": "cross-site"})
    assert code_of(refused) == (403, "csrf_failed")
    assert "set-cookie" not in refused.headers


async def test_logging_out_clears_the_cookies_and_needs_the_token(world: World) -> None:
    _ = await world.log_in()
    token = await world.token()
    assert code_of(await world.browser.delete("/session")) == (403, "csrf_failed")

    response = await world.browser.delete("/session", headers=token)

    assert response.status_code == 204
    assert all("Max-Age=0" in each for each in cookies_in(response).values())
    assert (await world.browser.get("/me")).json()["id"] == ""
    assert (await world.browser.delete("/session")).status_code == 204


async def test_logging_in_again_is_another_session(world: World) -> None:
    _ = await world.log_in()
    first = world.browser.cookies["__Host-session"]

    _ = await world.log_in()

    assert world.browser.cookies["__Host-session"] != first


async def test_a_session_of_somebody_else_is_not_taken_over(world: World) -> None:
    """A cookie that is planted before the log-in is worth nothing after it (session fixation)."""
    _ = await world.log_in()
    planted = world.browser.cookies["__Host-session"]
    fresh = (await world.log_in()).json()["csrf_token"]

    world.browser.cookies.set("__Host-session", planted, domain="shop.test")
    refused = await world.browser.post("/notes", json={"text": "x"}, headers={"X-CSRF-Token": fresh})

    assert code_of(refused) == (403, "csrf_failed")


async def test_a_session_ends_when_it_is_idle_and_lasts_as_long_as_it_is_used(world: World) -> None:
    _ = await world.log_in()

    for _ in range(20):
        world.clock.advance(30 * 60)
        assert (await world.browser.get("/notes")).status_code == 200
    world.clock.advance(60 * 60)

    assert code_of(await world.browser.get("/notes")) == (401, "unauthenticated")


async def test_own_routes_keep_a_session_alive_as_well(world: World) -> None:
    _ = await world.log_in()

    for _ in range(3):
        world.clock.advance(30 * 60)
        assert (await world.browser.get("/me")).json()["id"] == "user:1"


async def test_a_session_ends_with_its_lifetime_however_much_it_is_used(world: World) -> None:
    _ = await world.log_in()

    for _ in range(23):
        world.clock.advance(30 * 60)
        assert (await world.browser.get("/notes")).status_code == 200
    world.clock.advance(30 * 60)

    assert code_of(await world.browser.get("/notes")) == (401, "unauthenticated")


async def test_a_busy_session_gets_its_cookie_anew_only_now_and_then(world: World) -> None:
    _ = await world.log_in()
    world.clock.advance(60)
    assert "set-cookie" not in (await world.browser.get("/notes")).headers

    world.clock.advance(600)
    renewed = await world.browser.get("/notes")

    assert set(cookies_in(renewed)) == {"__Host-session", "__Host-csrf"}
    assert (
        await world.browser.post("/notes", json={"text": "x"}, headers=await world.token())
    ).status_code == 201


async def test_a_forged_cookie_is_nobodys(world: World) -> None:
    _ = await world.log_in()
    world.browser.cookies.set(
        "__Host-session", world.browser.cookies["__Host-session"][:-2] + "xx", domain=""
    )

    for path in ("/notes", "/me", "/session"):
        refused = await world.browser.get(path, headers={"cookie": "__Host-session=eyJpIjoiYWRtaW4ifQ.c2ln"})
        assert refused.status_code == 401
        assert "www-authenticate" in refused.headers


async def test_a_program_can_log_somebody_out_everywhere(world: World) -> None:
    _ = await world.log_in()
    world.clock.advance(5)
    world.accounts.valid_from = world.clock.now()

    assert code_of(await world.browser.get("/notes")) == (401, "unauthenticated")
    assert (await world.log_in()).status_code == 201
    assert (await world.browser.get("/notes")).status_code == 200


async def test_an_account_that_is_tried_too_often_has_to_wait(world: World) -> None:
    for _ in range(5):
        assert code_of(await world.log_in(password=WRONG)) == (401, "unauthenticated")

    limited = await world.log_in()

    assert code_of(limited) == (429, "rate_limited")
    assert limited.headers["retry-after"] == "1"
    world.clock.advance(1)
    assert (await world.log_in()).status_code == 201


async def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(world: World) -> None:
    answers = [await world.log_in(name, "wrong", **{"x-correlation-id": "c"}) for name in ("ada", "nobody")]

    assert answers[0].json() == answers[1].json()
    assert {each.status_code for each in answers} == {401}
    assert sorted(answers[0].headers) == sorted(answers[1].headers)


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"[]", 422, [""]),
        (b'{"username": "ada"}', 422, ["/password"]),
        (b'{"username": 1, "password": ["hidden"]}', 422, ["/username", "/password"]),
        (b'{"username": "ada", "password": "hidden", "admin": true}', 422, ["/admin"]),
        (b'{"username": "", "password": "hidden"}', 422, ["/username"]),
        (b"{", 400, []),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_without_an_echo(
    world: World, body: bytes, status: int, pointers: list[str]
) -> None:
    refused = await world.browser.post("/session", content=body, headers={"content-type": "application/json"})

    assert refused.status_code == status
    assert [each["pointer"] for each in refused.json()["errors"]] == pointers
    assert "hidden" not in refused.text


async def test_events_tell_of_sessions_without_a_secret(world: World) -> None:
    _ = await world.log_in(password=WRONG)
    _ = await world.log_in()
    cookie = world.browser.cookies["__Host-session"]
    _ = await world.browser.delete("/session", headers=await world.token())

    refused, opened_event, closed = world.events.events
    assert isinstance(refused, SessionRefused)
    assert isinstance(opened_event, SessionOpened)
    assert isinstance(closed, SessionClosed)
    assert [each.name for each in (refused, opened_event, closed)] == [
        "session.refused",
        "session.opened",
        "session.closed",
    ]
    assert refused.key == "ada"
    assert opened_event.address == "127.0.0.1"
    assert WRONG not in repr(world.events.events)
    assert cookie not in repr(world.events.events)


async def test_a_bearer_wins_over_a_cookie_and_needs_no_token() -> None:
    async with opened(authentication={"api_keys": {"enabled": True}}) as world:
        _ = await world.log_in()
        refused = await world.browser.post(
            "/notes", json={"text": "x"}, headers={"authorization": "Bearer fek_x"}
        )

        assert code_of(refused) == (401, "unauthenticated")


async def test_without_https_the_cookies_have_plain_names() -> None:
    async with opened(authentication={"sessions": {"secure": False}}) as world:
        response = await world.log_in()

        assert set(cookies_in(response)) == {"session", "csrf"}
        assert "Secure" not in response.headers["set-cookie"]
        assert (await world.browser.get("/me")).json()["id"] == "user:1"


async def test_a_trusted_page_of_another_origin_may_send_changes() -> None:
    cors = {"origins": ["https://app.example"], "credentials": True}
    async with opened(http={"cors": cors}) as world:
        _ = await world.log_in()
        headers = {**await world.token(), "origin": "https://app.example", "sec-fetch-site": "same-site"}

        created = await world.browser.post("/notes", json={"text": "x"}, headers=headers)

        assert created.status_code == 201


async def test_the_routes_stand_below_the_prefix_and_in_the_documents() -> None:
    async with opened(http={"prefix": "/api"}) as world:
        document = (await world.browser.get("/openapi.json")).json()

        operations = document["paths"]["/api/session"]
        assert {name: each["operationId"] for name, each in operations.items()} == {
            "post": "log_in",
            "get": "get_session",
            "delete": "log_out",
        }
        assert {"201", "401", "403", "429"} <= set(operations["post"]["responses"])
        scheme = document["components"]["securitySchemes"]["session"]
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", "__Host-session")


@pytest.mark.parametrize("secret", [None, "short"])
def test_sessions_need_a_secret_that_nobody_guesses(secret: str | None) -> None:
    async def verify(_username: str, _password: str) -> Principal | None:
        return None

    shop = Shop(
        browser_sessions=Sessions(verify=verify),
        settings=Settings(databases={"default": {"url": "memory://"}}, secret=secret),
    )

    with pytest.raises(DeclarationError, match="browser_sessions") as raised:
        _ = create_app(shop)
    assert "short" not in str(raised.value)


class BadgeAuthenticator:
    """A cookie of the program's own."""

    scheme = SecurityScheme(name="badge", place=CredentialPlace.COOKIE, parameter="badge")

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        return Success(Principal(id=credentials.value))


async def test_another_cookie_is_guarded_by_the_origin_of_the_request() -> None:
    shop = Shop(
        authenticators=[BadgeAuthenticator()],
        settings=Settings(databases={"default": {"url": "memory://"}}),
    )
    app = create_app(shop)
    own_routes(app)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=transport, base_url="https://shop.test", cookies={"badge": "ada"}
        ) as browser,
    ):
        for path in ("/notes", "/me"):
            forged = await browser.post(path, json={"text": "x"}, headers={"sec-fetch-site": "cross-site"})
            assert code_of(forged) == (403, "csrf_failed")
            sent = await browser.post(path, json={"text": "x"}, headers={"sec-fetch-site": "same-origin"})
            assert sent.status_code in {200, 201}
        assert (await browser.get("/me", headers={"sec-fetch-site": "cross-site"})).json()["id"] == "ada"
