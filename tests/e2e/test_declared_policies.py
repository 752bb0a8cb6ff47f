"""Rules that are declared decide over HTTP, on every store."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dependency_injector import providers
from pydantic import BaseModel, Field
from returns.pipeline import is_successful
from returns.result import Failure, Success

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    ANONYMOUS,
    DeclarationError,
    Fields,
    Forbidden,
    NotFound,
    Principal,
    Unauthenticated,
)
from fastapi_easy.domain.ports.authenticator import CredentialPlace, Credentials, SecurityScheme
from fastapi_easy.policies import (
    ANYONE,
    AUTHENTICATED,
    Decision,
    RolePolicy,
    RulePolicy,
    Where,
    all_of,
    allow,
    explain,
    matrix,
    principal,
)
from fastapi_easy.settings import Settings
from fastapi_easy.testing import in_memory
from tests.e2e.ruled_books import ADA, ADMIN, BOB, Author, PlainBook, PlainShop, Shop, caller_of, fill
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store


@pytest.fixture(params=[*EVERY_STORE, MONGO])
async def client(request: Any, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    with empty_store(request.param, tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
        shop = (PlainShop if request.param == MONGO else Shop)(settings=settings)
        async with client_of(create_app(shop, principal=caller_of)) as client:
            await fill(client)
            yield client


async def test_each_caller_gets_what_the_rules_say(client: httpx2.AsyncClient) -> None:
    async def status(method: str, path: str, caller: dict[str, str], body: Any = None) -> int:
        return (await client.request(method, path, headers=caller, json=body)).status_code

    # Anybody reads two fields, and learns nothing of the others.
    assert (await client.get("/books?sort=id")).json()["items"] == [
        {"id": 1, "title": "Emma"},
        {"id": 2, "title": "Persuasion"},
    ]
    assert await status("GET", "/books?price__gt=5", {}) == 403
    assert await status("GET", "/books?sort=price", {}) == 403
    assert await status("GET", "/books/aggregate?total=sum:price", {}) == 403
    assert await status("POST", "/books", {}, {"title": "x"}) == 403
    assert await status("GET", "/authors", {}) == 403
    assert await status("GET", "/books?include=author", {}) == 200
    # An editor creates what is theirs, whatever they say, and changes nothing else.
    created = await client.post("/books", headers=ADA, json={"title": "Lady Susan", "price": 3})
    assert (created.status_code, created.json()) == (201, {"id": 3, "title": "Lady Susan"})
    assert await status("POST", "/books", ADA, {"title": "x", "owner_id": 8}) == 403
    assert await status("PATCH", "/books/3", ADA, {"price": 4}) == 200
    assert await status("PATCH", "/books/3", ADA, {"owner_id": 8}) == 403
    assert await status("PATCH", "/books/3", BOB, {"price": 4}) == 404
    assert await status("DELETE", "/books/3", ADA) == 403
    item = {"update": {"key": 2, "set": {"price": 4}}}
    bulk = await client.post("/books/bulk", headers=ADA, json={"items": [item], "atomic": False})
    assert bulk.json()["results"][0]["problem"]["code"] == "not_found"
    # Who may change nothing in bulk is told so once, and not item by item.
    assert await status("POST", "/books/bulk", {}, {"items": [item, item], "atomic": False}) == 403
    # What nobody stamps has to be said by those who may.
    assert await status("POST", "/books", ADMIN, {"title": "x"}) == 422
    whole = (await client.get("/books/3", headers=ADMIN)).json()
    assert (whole["owner_id"], whole["price"]) == (7, 4)


async def test_a_rule_may_follow_a_relation_and_name_a_claim(client: httpx2.AsyncClient) -> None:
    async def discount(**caller: str) -> int:
        headers = {name.replace("_", "-"): value for name, value in caller.items()}
        return (await client.post("/books/1/discount", headers=headers, json={"by": 2})).status_code

    assert await discount(x_user="5", x_country="GB") == 200
    assert await discount(x_user="5", x_country="FR") == 404
    assert await discount(x_user="5") == 403
    assert await discount(x_country="GB") == 403
    assert (await client.get("/books/1", headers=ADMIN)).json()["price"] == 7


async def test_scopes_limit_whoever_calls(client: httpx2.AsyncClient) -> None:
    reading = {**ADMIN, "x-scopes": "books:read"}
    writing = {**ADMIN, "x-scopes": "books:update"}

    assert (await client.get("/books/1", headers=reading)).json()["price"] == 9
    assert (await client.patch("/books/1", headers=reading, json={"price": 1})).status_code == 403
    assert (await client.get("/authors", headers=reading)).status_code == 403
    assert (await client.get("/books/1?include=author", headers=reading)).json()["author"] is None
    assert (await client.get("/books?author.name=Jane", headers=reading)).status_code == 403
    assert (await client.get("/books/1", headers=writing)).status_code == 403
    changed = await client.patch("/books/1", headers=writing, json={"price": 1})
    assert (changed.status_code, changed.json()) == (200, {"id": 1})


class Scoped(Container):
    """Has no policy."""

    books = resource(PlainBook)


async def test_scopes_count_without_a_policy_too() -> None:
    async with open_kernel(in_memory(Scoped)) as kernel:
        scoped = kernel.acting_as(Principal(id="7", scopes=frozenset({"books:read"})))

        assert (await kernel.books.create(title="Emma", owner_id=1)).unwrap()["id"] == 1
        assert (await scoped.books.list()).unwrap().items[0]["price"] == 0
        assert await scoped.books.delete(1) == Failure(Forbidden("books", "delete"))
        async with scoped.unit_of_work() as work:
            assert await work.repository("books").remove(1) == Failure(Forbidden("books", "delete"))


class Badge:
    """Implements `Authenticator`: nobody has a badge."""

    scheme = SecurityScheme(name="badge", place=CredentialPlace.HEADER, parameter="X-Badge")

    async def authenticate(self, credentials: Credentials, /) -> Any:
        return Success(None)


class Guarded(Container):
    """Has callers who can say who they are, and rules for one resource."""

    authenticators = providers.Object((Badge(),))
    authors = resource(Author)
    books = resource(
        PlainBook, policy=[allow("get", "list", to=ANYONE, fields=["title"]), allow("*", to="admin")]
    )


async def test_what_nothing_allows_is_denied_and_the_start_says_what_is_public(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fastapi_easy.policy")
    async with open_kernel(in_memory(Guarded)) as kernel:
        somebody, admin = (
            kernel.acting_as(Principal(id="7", roles=roles)) for roles in (frozenset(), frozenset({"admin"}))
        )

        assert [each.message for each in caplog.records if each.name == "fastapi_easy.policy"] == [
            "public: books: get, list",
            "nobody may do anything with: authors",
        ]
        assert await kernel.authors.list() == Failure(Unauthenticated())
        assert await kernel.books.delete(1) == Failure(Unauthenticated())
        assert await kernel.books.list(fields="price") == Failure(Unauthenticated())
        assert await somebody.books.delete(1) == Failure(Forbidden("books", "delete"))
        assert await admin.authors.list() == Failure(Forbidden("authors", "list"))
        assert (await admin.books.create(title="Emma", owner_id=1)).unwrap()["id"] == 1


async def test_without_a_policy_and_authenticators_nothing_is_said_and_nothing_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fastapi_easy.policy")
    shop = in_memory(Scoped)
    async with open_kernel(shop) as kernel:
        assert (await kernel.books.create(title="Emma", owner_id=1)).unwrap()["id"] == 1

    assert shop.books.collaborators().ports.policy is None
    assert [each.message for each in caplog.records if each.name == "fastapi_easy.policy"] == []


async def test_a_policy_that_is_overridden_takes_the_place_of_the_containers_for_resources_without_rules() -> (
    None
):
    shop = in_memory(Shop)
    async with open_kernel(shop) as kernel:
        with shop.policy.override(RolePolicy({ANYONE: ["*"]})):
            assert not isinstance(await kernel.authors.list(), Failure)
            assert isinstance(await kernel.books.delete(1), Failure)
        assert isinstance(await kernel.authors.list(), Failure)


async def test_policies_are_combined() -> None:
    own = RulePolicy({"books": [allow("*", to=ANYONE, rows=Where("owner_id") == principal.id)]})
    shop = in_memory(Scoped, policy=all_of(RolePolicy({"editor": ["books:*"]}), own))
    async with open_kernel(shop) as kernel:
        ada = kernel.acting_as(Principal(id="7", roles=frozenset({"editor"})))
        for owner in (7, 8):
            async with kernel.unit_of_work() as work:
                values = {"title": "Emma", "owner_id": owner}
                _ = (await work.as_system().repository("books").add(values)).unwrap()
                _ = (await work.commit()).unwrap()

        assert [each["owner_id"] for each in (await ada.books.list()).unwrap().items] == [7]
        assert isinstance(await kernel.acting_as(Principal(id="7")).books.list(), Failure)
        told = (
            await explain(shop, Principal(id="7", roles=frozenset({"editor"})), "get", "books", 2)
        ).unwrap()
        assert (told.decision, told.rows) == (Decision.HIDDEN, "owner_id == 7")
        assert told.deciding == ("role editor: books:*", "books.policy[0]")
        missing = await explain(shop, Principal(id="7", roles=frozenset({"editor"})), "get", "books", 9)
        assert missing == Failure(NotFound("books", 9))


IN_A_FILE = {
    "policy": {"roles": {"clerk": ["archive:read"]}},
    "resources": {
        "archive": {"entity": "tests.e2e.ruled_books:PlainAuthor"},
        "books": {
            "entity": "tests.e2e.ruled_books:PlainBook",
            "policy": [
                {"allow": "read", "to": "$anyone", "fields": ["id", "title"]},
                {
                    "allow": ["create", "update"],
                    "to": ["editor"],
                    "rows": {"owner_id": "$principal.id"},
                    "stamps": {"owner_id": "$principal.id"},
                },
            ],
        },
    },
}


async def test_rules_and_roles_may_stand_in_a_file() -> None:
    shop = Container(
        settings=Settings.model_validate({"databases": {"default": {"url": "memory://"}}, **IN_A_FILE})
    )
    async with open_kernel(shop) as kernel:
        ada = kernel.acting_as(Principal(id="7", roles=frozenset({"editor"})))
        clerk = kernel.acting_as(Principal(id="8", roles=frozenset({"clerk"})))

        assert (await ada.books.create(title="Emma")).unwrap() == {"title": "Emma", "id": 1}
        assert isinstance(await clerk.books.update(1, title="x"), Failure)
        assert (await clerk.archive.list()).unwrap().items == []
        assert isinstance(await ada.archive.list(), Failure)


async def test_a_start_lists_every_mistake_of_rules_and_roles() -> None:
    class Mistaken(Container):
        policy = RolePolicy({"editor": ["boks:read"]})
        books = resource(PlainBook, policy=[allow("updat", to="a"), allow("get", to="a", fields=["titel"])])

    class Unknown(Container):
        policy = RolePolicy({"editor": ["boks:read"]})
        books = resource(PlainBook)

    class Both(Container):
        policy = RolePolicy({"editor": ["books:read"]})
        books = resource(PlainBook)

    with pytest.raises(DeclarationError) as of_rules:
        create_app(in_memory(Mistaken))
    with pytest.raises(DeclarationError) as of_roles:
        create_app(in_memory(Unknown))
    written = {"databases": {"default": {"url": "memory://"}}, "policy": {"roles": {"a": ["books:read"]}}}
    both = Both(settings=Settings.model_validate(written))
    with pytest.raises(DeclarationError) as of_both:
        create_app(both)

    assert [each.partition(":")[0] for each in of_rules.value.mistakes] == [
        "books.policy[0]",
        "books.policy[1]",
    ]
    assert "'boks' is not a resource: did you mean 'books'?" in of_roles.value.mistakes[0]
    assert "leave one of them out" in of_both.value.mistakes[0]


async def test_tenants_are_explained_beside_rules() -> None:
    class Shared(Container):
        books = resource(PlainBook, tenant="title", policy=[allow("*", to="a", rows=Where("price") > 3)])

    shop = in_memory(Shared)
    caller = Principal(id="7", roles=frozenset({"a"}))
    inside = (await explain(shop, caller, "create", "books", tenant="acme")).unwrap()
    outside = (await explain(shop, caller, "create", "books")).unwrap()
    cell = next(row for row in (await matrix(shop)).rows if row.action == "get").cells["a"]

    assert (inside.decision, inside.rows) == (Decision.ALLOWED, "price > 3 and title == 'acme'")
    assert inside.stamps == {"title": "acme"}
    assert outside.decision == Decision.FORBIDDEN
    assert [(each.place, each.allows) for each in outside.rules] == [
        ("books.policy[0]", True),
        ("tenant of books", False),
    ]
    assert outside.deciding == ("tenant of books",)
    assert cell is not None
    assert cell.rows == "title == principal.tenant and price > 3"


async def test_a_required_field_that_only_a_rule_sets_need_not_be_writable() -> None:
    class Owned(Container):
        books = resource(
            PlainBook,
            fields=Fields(write=["title"]),
            policy=[allow("*", to=ANYONE, stamps={"owner_id": 5})],
        )

    async with open_kernel(in_memory(Owned)) as kernel:
        assert (await kernel.books.create(title="Emma")).unwrap()["owner_id"] == 5


async def test_the_matrix_says_who_may_do_what() -> None:
    found = await matrix(in_memory(Shop))
    rows = {(row.resource, row.action): row.cells for row in found.rows}

    assert found.columns == ("anonymous", "authenticated", "admin", "editor")
    assert {name: str(cell) for name, cell in rows["books", "update"].items()} == {
        "anonymous": "None",
        "authenticated": "None",
        "admin": "yes",
        "editor": "rows and fields",
    }
    own = rows["books", "update"]["editor"]
    assert own is not None
    assert (own.rows, own.readable, own.writable) == (
        "owner_id == principal.id",
        ("id", "title"),
        ("title", "price"),
    )
    assert found.public() == {"books": ["get", "list", "count", "aggregate", "export"]}
    assert found.unreachable() == []


async def test_what_may_be_written_limits_no_action_that_writes_nothing() -> None:
    class Written(Container):
        books = resource(PlainBook, policy=[allow("*", to=ANYONE, write=["title"])])

    found = await matrix(in_memory(Written))
    cells = {row.action: str(row.cells["anonymous"]) for row in found.rows}

    assert (cells["get"], cells["export"], cells["delete"]) == ("yes", "yes", "yes")
    assert (cells["create"], cells["update"]) == ("fields", "fields")


@pytest.mark.parametrize("permitted", [["replace"], ["update"], ["replace", "update"]])
async def test_a_replace_is_told_as_it_is_answered(permitted: list[str]) -> None:
    class Replaced(Container):
        books = resource(PlainBook, policy=[allow("create", "get", *permitted, to=ANYONE)])

    shop = in_memory(Replaced)
    told = (await explain(shop, ANONYMOUS, "replace", "books")).unwrap()
    listed = {row.action: row.cells["anonymous"] is not None for row in (await matrix(shop)).rows}
    async with open_kernel(shop) as kernel:
        book = (await kernel.books.create(title="Emma", owner_id=7)).unwrap()
        answer = await kernel.books.replace(book["id"], title="Emma", owner_id=8)

    assert is_successful(answer) is (len(permitted) == 2)
    assert (told.decision is Decision.ALLOWED) is listed["replace"] is is_successful(answer)


class Signed(BaseModel):
    id: int | None = None
    author: str = Field(max_length=4)


async def test_nobody_creates_under_a_name_that_the_field_cannot_hold() -> None:
    class Letters(Container):
        letters = resource(Signed, policy=[allow("*", to=AUTHENTICATED, stamps={"author": principal.id})])

    async with open_kernel(in_memory(Letters)) as kernel:
        anne, annette = (kernel.acting_as(Principal(id=name)) for name in ("anne", "annette"))

        assert (await anne.letters.create()).unwrap()["author"] == "anne"
        assert await annette.letters.create() == Failure(Forbidden("letters", "create"))


@pytest.mark.parametrize(
    ("caller", "action", "resource", "says"),
    [
        pytest.param(ANONYMOUS, "get", "boks", "there is no resource 'boks'", id="resource"),
        pytest.param(
            ANONYMOUS, "gett", "books", "books has no action 'gett': did you mean 'get'", id="action"
        ),
    ],
)
async def test_nothing_is_explained_that_is_not_there(
    caller: Principal, action: str, resource: str, says: str
) -> None:
    with pytest.raises(KeyError, match=says):
        _ = await explain(in_memory(Shop), caller, action, resource)
