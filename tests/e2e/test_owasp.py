"""Rows of the OWASP API Security Top 10 that need a token, a policy and a tenant together, over HTTP on every store.

Which other test has which row: docs/explanation/security.md.
"""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
import pytest_asyncio
from pydantic import BaseModel
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.authentication import ClaimNames, JwtAuthenticator, SharedSecret
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, to_many, to_one
from fastapi_easy.policies import allow
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store

pytestmark = pytest.mark.asyncio(loop_scope="module")

ISSUER = "https://id.example/realms/shop"
SECRET = "a secret of this test, longer than 32 bytes"  # noqa: S105 (signs tokens of this test only)
MISSING = 987_654


class SqlTeam(SQLModel, table=True):
    __tablename__ = "owasp_team"
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40, index=True)
    name: str = Column(max_length=40)
    budget: int = 0


class SqlAccount(SQLModel, table=True):
    __tablename__ = "owasp_account"
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40, index=True)
    name: str = Column(max_length=40)
    is_admin: bool = False
    password_hash: str = Column(default="$argon2id$of-nobody", max_length=40)
    salary: int = 4_200
    team_id: int | None = Column(default=None, foreign_key="owasp_team.id")
    version: int = 1


class PlainTeam(BaseModel):
    id: int | None = None
    org_id: str
    name: str
    budget: int = 0


class PlainAccount(BaseModel):
    id: int | None = None
    org_id: str
    name: str
    is_admin: bool = False
    password_hash: str = "$argon2id$of-nobody"  # noqa: S105 (nobody's)
    salary: int = 4_200
    team_id: int | None = None
    version: int = 1


_MEMBERS: Any = {
    "tenant": "org_id",
    "version": "version",
    "fields": Fields(hidden=("password_hash",)),
    "relations": {"team": to_one("teams", by="team_id")},
    "policy": [
        allow(
            "read",
            "create",
            "update",
            "replace",
            "delete",
            "bulk",
            to="member",
            fields=("id", "name", "is_admin", "team_id", "version"),
            write=("name", "team_id"),
        ),
        allow("*", to="admin"),
    ],
}
_TEAMS: Any = {
    "tenant": "org_id",
    "relations": {"accounts": to_many("accounts", by="team_id")},
    "policy": [allow("read", to="member", fields=("id", "name")), allow("*", to="admin")],
}


class SqlOffice(Container):
    accounts = resource(SqlAccount, **_MEMBERS)
    teams = resource(SqlTeam, **_TEAMS)


class PlainOffice(Container):
    accounts = resource(PlainAccount, **_MEMBERS)
    teams = resource(PlainTeam, **_TEAMS)


def token(tenant: str, role: str) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "shop", "sub": f"{role}@{tenant}", "iat": now, "exp": now + 600}
    return jwt.encode({**claims, "roles": [role], "org": tenant}, SECRET, algorithm="HS256")


@dataclass
class Office:
    """An open application.

    Attributes:
        client: Talks to it.

        document: Its OpenAPI document.
    """

    client: httpx2.AsyncClient
    document: Any

    async def ask(
        self, tenant: str, method: str, path: str, body: Any = None, *, role: str = "member", **headers: str
    ) -> httpx2.Response:
        """What a caller of *tenant* is answered; in names of *headers* `_` stands for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token(tenant, role)}"
        if method == "PATCH":
            sent["Content-Type"] = "application/merge-patch+json"
        return await self.client.request(method, path, json=body, headers=sent)

    async def account(self, tenant: str, name: str = "Ann", **values: Any) -> Any:
        made = await self.ask(tenant, "POST", "/accounts", {"name": name, **values}, role="admin")
        assert made.status_code == 201, made.text
        return made.json()

    async def stored(self, tenant: str, key: int) -> Any:
        """The account, as an administrator of its own tenant sees it."""
        return (await self.ask(tenant, "GET", f"/accounts/{key}", role="admin")).json()

    async def etag(self, tenant: str, account: Any) -> str:
        """The version of *account*, which is of *tenant*."""
        return str((await self.ask(tenant, "HEAD", f"/accounts/{account['id']}")).headers["etag"])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[*EVERY_STORE, MONGO])
async def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    with empty_store(request.param, tmp_path_factory.mktemp("office")) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
        container: Any = PlainOffice if request.param in {"memory", MONGO} else SqlOffice
        verifying = JwtAuthenticator(
            issuer=ISSUER,
            audience="shop",
            keys=SharedSecret(SECRET),
            claims=ClaimNames(roles="roles", tenant="org"),
        )
        app = create_app(container(settings=settings, authenticators=[verifying]))
        async with client_of(app) as client:
            yield Office(client, app.openapi())


def tenants() -> tuple[str, str]:
    """The names of two tenants which no other test uses."""
    return uuid4().hex, uuid4().hex


def without_correlation(text: str) -> str:
    """*text* without the id of the call, whose digits are up to chance."""
    return re.sub(r'"correlation_id":"\w+"', "", text)


def told(answer: httpx2.Response, key: int) -> tuple[Any, ...]:
    """What *answer* tells, without the *key* that was asked for and what differs between all answers."""
    body = answer.text.replace(answer.headers["x-correlation-id"], "ID")
    body = re.sub(rf"\b{key}\b", "KEY", body)
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    # Its length is that of the key and says nothing else.
    _ = headers.pop("content-length", None)
    return answer.status_code, body, headers


class TestApi1ObjectLevelAuthorization:
    """Somebody else's objects."""

    @pytest.mark.parametrize(
        ("method", "path", "body", "headers"),
        [
            pytest.param("GET", "/accounts/{key}", None, {}, id="get"),
            pytest.param("GET", "/accounts/{key}?include=team", None, {}, id="get with a relation"),
            pytest.param("GET", "/accounts/{key}", None, {"If_None_Match": "*"}, id="get, if none matches"),
            pytest.param("HEAD", "/accounts/{key}", None, {}, id="head"),
            pytest.param("PUT", "/accounts/{key}", {"name": "x"}, {"If_Match": "*"}, id="put"),
            pytest.param("PATCH", "/accounts/{key}", {"name": "x"}, {"If_Match": "*"}, id="patch"),
            pytest.param("PATCH", "/accounts/{key}", {"name": "x"}, {"If_Match": "ETAG"}, id="patch by ETag"),
            pytest.param("DELETE", "/accounts/{key}", None, {"If_Match": "*"}, id="delete"),
        ],
    )
    async def test_they_are_as_if_they_did_not_exist(
        self, office: Office, method: str, path: str, body: Any, headers: Any
    ) -> None:
        ours, theirs = tenants()
        account = await office.account(theirs)
        headers = {
            name: value.replace("ETAG", await office.etag(theirs, account)) for name, value in headers.items()
        }

        foreign = await office.ask(ours, method, path.format(key=account["id"]), body, **headers)
        missing = await office.ask(ours, method, path.format(key=MISSING), body, **headers)

        assert foreign.status_code == 404
        assert told(foreign, account["id"]) == told(missing, MISSING)
        assert await office.stored(theirs, account["id"]) == account

    async def test_a_bulk_answers_like_for_what_does_not_exist(self, office: Office) -> None:
        ours, theirs = tenants()
        account = await office.account(theirs)
        etag = await office.etag(theirs, account)

        def items(key: int) -> Any:
            change = {"key": key, "set": {"name": "x"}, "if_match": etag}
            return {
                "items": [{"update": change}, {"delete": {"key": key, "if_match": etag}}],
                "atomic": False,
            }

        foreign = await office.ask(ours, "POST", "/accounts/bulk", items(account["id"]))
        missing = await office.ask(ours, "POST", "/accounts/bulk", items(MISSING))

        assert [each["status"] for each in foreign.json()["results"]] == [404, 404], foreign.text
        assert told(foreign, account["id"]) == told(missing, MISSING)
        assert await office.stored(theirs, account["id"]) == account

    async def test_no_list_holds_or_counts_them(self, office: Office) -> None:
        ours, theirs = tenants()
        own = await office.account(ours, "Own")
        foreign = await office.account(theirs, "Foreign")

        for query in ("", f"?id={foreign['id']}", f"?id__in={own['id']},{foreign['id']}", "?name=Foreign"):
            for role in ("member", "admin"):
                listed = (await office.ask(ours, "GET", f"/accounts{query}", role=role)).json()["items"]
                counted = (await office.ask(ours, "GET", f"/accounts/count{query}", role=role)).json()
                exported = await office.ask(ours, "GET", f"/accounts/export{query}", role=role)
                assert {each["id"] for each in listed} <= {own["id"]}
                assert counted["count"] == len(listed)
                assert "Foreign" not in exported.text
        tenant = await office.ask(ours, "GET", f"/accounts?org_id={theirs}", role="admin")
        assert tenant.json()["items"] == []

    async def test_a_cursor_of_another_tenant_is_refused(self, office: Office) -> None:
        ours, theirs = tenants()
        for name in ("Ann", "Bob"):
            _ = await office.account(theirs, name)
        page = (await office.ask(theirs, "GET", "/accounts?limit=1&sort=name")).json()

        path = f"/accounts?limit=1&sort=name&cursor={page['next_cursor']}"
        refused, own = await office.ask(ours, "GET", path), await office.ask(theirs, "GET", path)
        other_query = await office.ask(theirs, "GET", path.replace("sort=name", "sort=-name"))

        assert (refused.status_code, other_query.status_code) == (400, 400)
        assert [each["name"] for each in own.json()["items"]] == ["Bob"]

    async def test_an_idempotency_key_of_another_tenant_replays_nothing(self, office: Office) -> None:
        ours, theirs = tenants()
        key, body = uuid4().hex, {"name": "Ann"}

        first = await office.ask(theirs, "POST", "/accounts", body, Idempotency_Key=key)
        second = await office.ask(ours, "POST", "/accounts", body, Idempotency_Key=key)

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json()["id"] != second.json()["id"]
        assert "idempotent-replayed" not in second.headers

    async def test_a_reference_to_them_is_one_to_nothing(self, office: Office) -> None:
        ours, theirs = tenants()
        team = (await office.ask(theirs, "POST", "/teams", {"name": "Red"}, role="admin")).json()

        foreign = await office.ask(ours, "POST", "/accounts", {"name": "Ann", "team_id": team["id"]})
        missing = await office.ask(ours, "POST", "/accounts", {"name": "Ann", "team_id": MISSING})

        assert foreign.status_code == missing.status_code
        assert 400 <= foreign.status_code < 500
        assert told(foreign, team["id"]) == told(missing, MISSING)
        assert (await office.ask(ours, "GET", "/accounts")).json()["items"] == []


class TestApi3PropertyLevelAuthorization:
    """Fields that are not the caller's to set or to see."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("id", 7),
            ("org_id", "another"),
            ("is_admin", True),
            ("version", 9),
            ("password_hash", "x"),
            ("salary", 1),
            ("created_at", "2026-01-01T00:00:00Z"),
            ("__class__", "SqlAccount"),
            ("__proto__", {}),
            ("$set", {"is_admin": True}),
            ("team", {"name": "x"}),
            ("team.name", "x"),
        ],
    )
    async def test_a_body_sets_no_other_field(self, office: Office, name: str, value: Any) -> None:
        ours, _ = tenants()
        account = await office.account(ours)
        path, body = f"/accounts/{account['id']}", {"name": "changed", name: value}

        answers = [
            await office.ask(ours, "POST", "/accounts", body),
            await office.ask(ours, "PUT", path, body, If_Match="*"),
            await office.ask(ours, "PATCH", path, body, If_Match="*"),
        ]

        assert {each.status_code for each in answers} <= {403, 422}, [each.text for each in answers]
        assert await office.stored(ours, account["id"]) == account
        assert (await office.ask(ours, "GET", "/accounts/count")).json()["count"] == 1

    @pytest.mark.parametrize(
        "query",
        [
            "fields=password_hash",
            "sort=password_hash",
            "password_hash=x",
            "password_hash__gt=a",
            "include=team.secret",
            "include=secret",
            "team.password_hash=x",
            "fields=salary",
            "sort=salary",
            "sort=-salary",
            "salary__gt=4000",
            "team.budget__gt=1",
            "sort=team.budget",
        ],
    )
    async def test_no_question_is_answered_about_a_field_that_is_not_shown(
        self, office: Office, query: str
    ) -> None:
        ours, _ = tenants()
        _ = await office.account(ours)

        for path in ("/accounts", "/accounts/count", "/accounts/export"):
            answer = await office.ask(ours, "GET", f"{path}?{query}")
            assert answer.status_code in {400, 403, 422}, answer.text
            said = without_correlation(answer.text)
            assert "4200" not in said
            assert "argon2" not in said

    async def test_no_answer_holds_one(self, office: Office) -> None:
        ours, _ = tenants()
        team = (
            await office.ask(ours, "POST", "/teams", {"name": "Red", "budget": 77_777}, role="admin")
        ).json()
        account = await office.account(ours, team_id=team["id"])
        path = f"/accounts/{account['id']}"

        answers = [
            await office.ask(ours, "POST", "/accounts", {"name": "Bob"}),
            await office.ask(ours, "GET", f"{path}?include=team"),
            await office.ask(ours, "PATCH", path, {"name": "Eve"}, If_Match="*"),
            await office.ask(ours, "GET", "/accounts?include=team"),
            await office.ask(ours, "POST", "/accounts/search", {"include": ["team"]}),
            await office.ask(ours, "GET", "/accounts/export"),
        ]

        for each in answers:
            assert each.status_code < 300, each.text
            for hidden in ("password_hash", "argon2", "salary", "4200", "budget", "77777", "org_id", ours):
                assert hidden not in each.text


class TestApi5FunctionLevelAuthorization:
    """What only administrators may do."""

    async def test_it_is_forbidden_and_nothing_changes(self, office: Office) -> None:
        ours, _ = tenants()
        team = (await office.ask(ours, "POST", "/teams", {"name": "Red"}, role="admin")).json()
        path = f"/teams/{team['id']}"

        answers = [
            await office.ask(ours, "POST", "/teams", {"name": "Blue"}),
            await office.ask(ours, "PUT", path, {"name": "Blue", "budget": 1}),
            await office.ask(ours, "PATCH", path, {"name": "Blue"}),
            await office.ask(ours, "DELETE", path),
            await office.ask(ours, "GET", "/teams", role="guest"),
        ]

        assert {each.status_code for each in answers} == {403}
        assert (await office.ask(ours, "GET", path, role="admin")).json() == team

    async def test_no_token_is_no_role(self, office: Office) -> None:
        for path in ("/teams", "/teams/1", "/accounts", "/accounts/export", "/accounts/count"):
            answer = await office.client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    async def test_a_header_is_no_method(self, office: Office, header: str) -> None:
        ours, _ = tenants()
        account = await office.account(ours)
        path = f"/accounts/{account['id']}"

        read = await office.ask(ours, "GET", path, role="admin", **{header: "DELETE"})
        posted = await office.ask(ours, "POST", path, {}, role="admin", **{header: "DELETE"})
        query = await office.ask(ours, "GET", f"{path}?_method=DELETE", role="admin")

        assert (read.status_code, posted.status_code) == (200, 405)
        assert query.status_code == 400
        assert await office.stored(ours, account["id"]) == account

    @pytest.mark.parametrize(
        "path",
        ["//teams", "/%74eams", "/teams;x", "/teams/;", "/./teams", "/x/../teams", "/TEAMS", "/teams%00"],
    )
    async def test_no_spelling_of_a_path_leads_past_the_policy(self, office: Office, path: str) -> None:
        ours, _ = tenants()
        headers = {"Authorization": f"Bearer {token(ours, 'guest')}"}

        answer = await office.client.get(
            httpx2.URL("http://shop.test").copy_with(raw_path=path.encode()), headers=headers
        )

        assert answer.status_code in {307, 400, 403, 404, 422}, answer.text
        assert not answer.headers.get("location", "").startswith("//")


class TestApi7Api8Api9:
    """What the application offers, and what it tells about itself."""

    async def test_no_value_makes_the_server_ask_another(self, office: Office) -> None:
        ours, _ = tenants()

        for url in ("http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd"):
            account = await office.account(ours, url)
            assert account["name"] == url

    async def test_no_answer_tells_of_what_it_is_made(self, office: Office) -> None:
        ours, _ = tenants()

        for path in ("/accounts", f"/accounts/{MISSING}", "/accounts?limit=x", "/nope", "/accounts/a'b"):
            answer = await office.ask(ours, "GET", path)
            assert not {"server", "x-powered-by"} & set(answer.headers)
            for word in (
                "Traceback",
                "sqlalchemy",
                "SELECT",
                "owasp_account",
                "SqlAccount",
                "/site-packages/",
            ):
                assert word not in answer.text

    async def test_everything_that_answers_is_documented_and_asks_for_a_token(self, office: Office) -> None:
        documented = office.document["paths"]
        methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY", "COPY")

        for path, operations in documented.items():
            if not path.startswith(("/accounts", "/teams")):
                continue
            for method in methods:
                answer = await office.client.request(method, path.replace("{key}", "1"))
                is_offered = method.lower() in operations or (method == "HEAD" and "get" in operations)
                if method == "OPTIONS":
                    assert answer.status_code == 204
                elif is_offered:
                    # Either who calls is asked first, or what the request lacks is: nothing is answered.
                    assert answer.status_code in {400, 401, 415, 422, 428}, (method, path, answer.text)
                    assert operations.get(method.lower(), operations.get("get"))["security"]
                else:
                    assert answer.status_code == 405, (method, path)
                    assert method not in answer.headers["allow"].split(", ")

    async def test_no_operation_stands_outside_the_document(self, office: Office) -> None:
        ours, _ = tenants()
        documented = {path.replace("{key}", "1") for path in office.document["paths"]}
        guesses = [
            f"/{name}{rest}"
            for name in ("accounts", "teams")
            for rest in (
                "/1/purge",
                "/1/restore",
                "/purge",
                "/restore",
                "/schema",
                "/admin",
                "/1/history",
                "/1/x",
            )
        ]

        for path in (each for each in guesses if each not in documented):
            answers = {
                (await office.ask(ours, each, path, role="admin")).status_code for each in ("GET", "POST")
            }
            # A word in the place of a key is the key of nothing.
            assert answers <= {404, 405, 422}, path

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "https://evil-shop.example",
            "https://shop.example.evil.example",
            "https://shop.exampleevil",
            "http://shop.example",
            "https://shop.example:444",
            "https://SHOP.example.",
            "https://a.shop.example",
        ],
    )
    async def test_an_origin_that_only_looks_like_a_named_one_may_not_call(self, origin: str) -> None:
        settings = Settings.model_validate(
            {
                "databases": {"default": {"url": "memory://"}},
                "http": {"cors": {"origins": ["https://shop.example"], "credentials": True}},
            }
        )
        office: Any = PlainOffice(settings=settings)
        asking = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        async with client_of(create_app(office)) as client:
            answers = [
                await client.options("/accounts/1", headers=asking),
                await client.get("/accounts", headers=asking),
                await client.get("/nope", headers=asking),
            ]
            named = await client.get("/accounts", headers={"Origin": "https://shop.example"})

        assert all("access-control-allow-origin" not in each.headers for each in answers)
        assert named.headers["access-control-allow-origin"] == "https://shop.example"
        assert "Origin" in named.headers["vary"]
