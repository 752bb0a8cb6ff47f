"""FastAPI dependencies run before every operation of the resources they cover."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any

import httpx2
import pytest
from dependency_injector import providers
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    Security,
)
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyQuery, HTTPBearer, OAuth2PasswordBearer, SecurityScopes

from fastapi_easy.bootstrap import create_app, mount_resources
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http import shop
from tests.unit.interfaces.http.library import client_of
from tests.unit.interfaces.http.shop import Author, Book, Review, Sell

SECRET = {"Authorization": "Bearer good"}
bearer = HTTPBearer(auto_error=False)


def signed_in(token: Annotated[Any, Depends(bearer)]) -> None:
    if token is None or token.credentials != "good":
        raise HTTPException(401, "Who are you?", {"WWW-Authenticate": "Bearer"})


AUTH = Depends(signed_in)

Build = Callable[..., FastAPI]


def created(container: type[Container], *dependencies: Any) -> FastAPI:
    return create_app(in_memory(container), dependencies=list(dependencies))


def mounted(container: type[Container], *dependencies: Any) -> FastAPI:
    app = FastAPI(dependencies=list(dependencies))
    mount_resources(app, in_memory(container))
    return app


def mounted_with(container: type[Container], *dependencies: Any) -> FastAPI:
    app = FastAPI()
    mount_resources(app, in_memory(container), dependencies=dependencies)
    return app


def added_later(container: type[Container], *dependencies: Any) -> FastAPI:
    app = FastAPI()
    mount_resources(app, in_memory(container))
    app.router.dependencies.extend(dependencies)
    return app


def declared(container: type[Container], *dependencies: Any) -> FastAPI:
    covered = {
        name: resource(each.declaration.entity, **options_of(each.declaration), dependencies=dependencies)
        for name, each in vars(container).items()
        if hasattr(each, "declaration")
    }
    return create_app(in_memory(type("Covered", (Container,), covered)))


def options_of(declaration: Any) -> dict[str, Any]:
    named = {name: getattr(declaration, name) for name in type(declaration).__slots__}
    given = {name: value for name, value in named.items() if name not in {"entity", "dependencies"}}
    return {**given, "actions": tuple((declaration.actions or {}).values())}


WAYS = [created, mounted, mounted_with, added_later, declared]
BOTH = [created, mounted]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def build(request: pytest.FixtureRequest) -> Build:
    way: Build = request.param
    return way


class Shelves(Container):
    authors = resource(Author)
    books = resource(Book, actions=[Sell], soft_delete="deleted_at", upsert=("isbn",))
    reviews = resource(Review)


EVERYTHING = [
    ("GET", "/books"),
    ("HEAD", "/books"),
    ("POST", "/books"),
    ("POST", "/books/search"),
    ("GET", "/books/count"),
    ("POST", "/books/upsert"),
    ("POST", "/books/bulk"),
    ("GET", "/books/export"),
    ("POST", "/books/import"),
    ("GET", "/books/aggregate"),
    ("GET", "/books/1"),
    ("HEAD", "/books/1"),
    ("PUT", "/books/1"),
    ("PATCH", "/books/1"),
    ("DELETE", "/books/1"),
    ("POST", "/books/1/restore"),
    ("POST", "/books/1/sell"),
    ("POST", "/authors"),
]


async def running(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
async def test_run_before_every_operation(build: Build, method: str, path: str) -> None:
    async for client in running(build(Shelves, AUTH)):
        refused = await client.request(method, path, json={})

        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"


async def test_let_through_whom_they_admit(build: Build) -> None:
    async for client in running(build(Shelves, AUTH)):
        made = await client.post("/books", json={"isbn": "1", "title": "Emma"}, headers=SECRET)
        read = await client.get(f"/books/{made.json()['id']}", headers=SECRET)

        assert (made.status_code, made.headers["location"]) == (201, "/books/1")
        assert (read.status_code, read.json()["title"]) == (200, "Emma")


async def test_purge_is_covered_too() -> None:
    app = create_app(in_memory(shop.Shop), dependencies=[AUTH])

    async for client in running(app):
        assert (await client.post("/books/1/purge")).status_code == 401


async def test_what_is_not_there_is_said_without_them() -> None:
    async for client in running(created(Shelves, AUTH)):
        assert (await client.get("/books/1/nope")).status_code == 404
        assert (await client.get("/books/search")).status_code == 405
        assert (await client.options("/books")).status_code == 204


async def test_those_of_one_resource_leave_the_others_alone() -> None:
    class Half(Container):
        authors = resource(Author)
        books = resource(Book, dependencies=[AUTH])

    async for client in running(create_app(in_memory(Half))):
        assert (await client.get("/authors")).status_code == 200
        assert (await client.get("/books")).status_code == 401


async def test_run_in_order_the_apps_then_the_mounts_then_the_resources() -> None:
    ran: list[str] = []

    def noting(name: str) -> Any:
        return Depends(lambda: ran.append(name))

    class Ordered(Container):
        books = resource(Book, dependencies=[noting("resource")])

    app = FastAPI(dependencies=[noting("app")])
    mount_resources(app, in_memory(Ordered), dependencies=[noting("mount")])
    async for client in running(app):
        await client.get("/books")

    assert ran == ["app", "mount", "resource"]


async def test_the_problem_of_a_created_app_and_the_answer_of_ones_own_are_their_own() -> None:
    async for client in running(created(Shelves, AUTH)):
        problem = await client.get("/books")
    async for client in running(mounted(Shelves, AUTH)):
        own = await client.get("/books")

    assert problem.headers["content-type"] == "application/problem+json"
    assert (problem.json()["code"], problem.json()["detail"]) == ("unauthenticated", "Who are you?")
    assert own.json() == {"detail": "Who are you?"}


@pytest.mark.parametrize("way", BOTH)
async def test_a_handler_of_the_users_own_answers_for_what_they_raise(way: Build) -> None:
    class TooPoorError(Exception):
        pass

    def pay() -> None:
        raise TooPoorError

    app = way(Shelves, Depends(pay))

    @app.exception_handler(TooPoorError)
    async def poor(request: Request, error: TooPoorError) -> JSONResponse:
        return JSONResponse({"pay": str(request.url.path)}, 402)

    async for client in running(app):
        refused = await client.get("/books")

        assert (refused.status_code, refused.json()) == (402, {"pay": "/books"})


@pytest.mark.parametrize("way", BOTH)
async def test_a_defect_in_one_is_a_500_without_detail(way: Build) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    async for client in running(way(Shelves, Depends(broken))):
        failed = await client.get("/books")

        assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
        assert "secret detail" not in failed.text


async def test_wrong_parameters_are_answered_as_fastapi_does() -> None:
    def shop_number(x_shop: Annotated[int, Header()]) -> None:
        pass

    async for client in running(mounted(Shelves, Depends(shop_number))):
        own = (await client.get("/books", headers={"X-Shop": "no"})).json()
    async for client in running(created(Shelves, Depends(shop_number))):
        problem = await client.get("/books", headers={"X-Shop": "no"})

    assert own["detail"][0]["loc"] == ["header", "x-shop"]
    assert (problem.status_code, problem.json()["errors"][0]["in"]) == (422, "header")


async def test_overrides_are_followed(build: Build) -> None:
    app = build(Shelves, AUTH)

    async for client in running(app):
        app.dependency_overrides[signed_in] = lambda: None
        admitted = await client.get("/books")
        app.dependency_overrides.clear()
        refused = await client.get("/books")

    assert (admitted.status_code, refused.status_code) == (200, 401)


async def test_those_of_dependencies_run_once_and_know_their_scopes() -> None:
    ran: list[Any] = []

    def token() -> str:
        ran.append("token")
        return "t"

    def allowed(scopes: SecurityScopes, given: Annotated[str, Depends(token)]) -> None:
        ran.append((scopes.scopes, given))

    app = created(Shelves, Security(allowed, scopes=["read"]), Security(allowed, scopes=["write"]))
    async for client in running(app):
        await client.get("/books")

    assert ran == ["token", (["read"], "t"), (["write"], "t")]


async def test_plain_functions_run_in_a_thread() -> None:
    threads: list[int] = []

    async for client in running(created(Shelves, Depends(lambda: threads.append(threading.get_ident())))):
        await client.get("/books")

    assert threads
    assert threads != [threading.get_ident()]


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("path", ["/books/1", "/books/export?as=csv", "/books/7"])
async def test_what_they_open_is_closed_after_the_answer(way: Build, path: str) -> None:
    happened: list[str] = []

    async def session() -> AsyncIterator[None]:
        happened.append("open")
        yield
        happened.append("closed")

    def early() -> Iterator[None]:
        yield
        happened.append("closed early")

    app = way(Shelves, Depends(session), Depends(early, scope="function"))

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                happened.append("answered")
            await send(message)

        await app(scope, receive, sending)

    async with app.router.lifespan_context(app), client_of(watched) as client:
        await client.post("/books", json={"isbn": "1", "title": "Emma"})
        happened.clear()
        await client.get(path)

    assert happened == ["open", "closed early", "answered", "closed"]


class Broken:
    async def __call__(self, command: Any, context: Any, /) -> Any:
        raise ZeroDivisionError


async def test_they_see_a_defect_of_the_endpoint_and_no_refusal() -> None:
    seen: list[str] = []

    async def watching() -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            seen.append(type(error).__name__)
            raise

    container = in_memory(Shelves)
    app = create_app(container, dependencies=[Depends(watching)])
    async for client in running(app):
        refused = await client.get("/books/7")
        with container.books.get.override(providers.Factory(Broken)):
            failed = await client.get("/books/7")

    assert (refused.status_code, failed.status_code) == (404, 500)
    assert seen == ["ZeroDivisionError"]


async def read_whole(request: Request) -> None:
    assert await request.body()


async def read_parts(request: Request) -> None:
    async for _ in request.stream():
        pass


async def read_one_part(request: Request) -> None:
    assert (await request.receive())["type"] == "http.request"


async def look_whether_gone(request: Request) -> None:
    assert not await request.is_disconnected()


async def parse_body(isbn: Annotated[str, Body(embed=True)]) -> None:
    assert isbn == "1"


@pytest.mark.parametrize("reads", [read_whole, read_parts, read_one_part, look_whether_gone, parse_body])
@pytest.mark.parametrize("way", BOTH)
async def test_one_that_reads_the_body_leaves_it_to_the_endpoint(
    way: Build, reads: Callable[..., Awaitable[None]]
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"isbn": "1", '
        yield b'"title": "Emma"}'

    async for client in running(way(Shelves, Depends(reads))):
        made = await client.post("/books", content=parts(), headers={"Content-Type": "application/json"})

        assert (made.status_code, made.json()["title"]) == (201, "Emma")


@pytest.mark.parametrize("way", BOTH)
async def test_one_that_reads_an_import_leaves_its_lines(way: Build) -> None:
    lines = b'{"isbn": "1", "title": "Emma"}\n{"isbn": "2", "title": "Persuasion"}\n'

    async for client in running(way(Shelves, Depends(read_whole))):
        taken = await client.post(
            "/books/import", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )

        assert (taken.status_code, taken.json()["created"]) == (200, 2)


@pytest.mark.parametrize("way", BOTH)
async def test_none_may_read_more_than_a_body_may_have(way: Build) -> None:
    async for client in running(way(Shelves, Depends(read_whole))):
        refused = await client.post("/books/import", content=b"x" * (1024 * 1024 + 1))

        assert refused.status_code == 413


async def test_none_waits_for_a_body_that_does_not_come() -> None:
    container: Any = in_memory(Shelves)
    settings = container.settings()
    http = settings.http.model_copy(update={"body_idle_timeout": 0.05})
    container.settings.override(settings.model_copy(update={"http": http}))

    async def silence() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async for client in running(create_app(container, dependencies=[Depends(read_whole)])):
        refused = await client.post("/books", content=silence())

        assert (refused.status_code, refused.json()["code"]) == (408, "request_timeout")
        assert refused.headers["connection"] == "close"


async def test_headers_and_background_tasks_of_theirs_are_kept() -> None:
    done: list[str] = []

    def leave(response: Response, tasks: BackgroundTasks) -> None:
        response.headers["X-Left"] = "3"
        response.set_cookie("seen", "yes")
        tasks.add_task(done.append, "told")

    async for client in running(created(Shelves, Depends(leave))):
        answer = await client.get("/books")

    assert (answer.headers["x-left"], answer.cookies["seen"]) == ("3", "yes")
    assert done == ["told"]


async def test_they_may_ask_for_the_key() -> None:
    keys: list[str] = []

    def own(key: Annotated[str, Path()]) -> None:
        keys.append(key)

    class Keyed(Container):
        books = resource(Book, operations=["get"], dependencies=[Depends(own)])

    async for client in running(create_app(in_memory(Keyed))):
        await client.get("/books/1%2C2")

    assert keys == ["1,2"]


async def test_their_query_parameters_are_no_filters_and_stay_in_links() -> None:
    asked: list[tuple[str, str, str]] = []
    key = APIKeyQuery(name="api_key")

    def read(
        shop_name: Annotated[str, Query(alias="shop")],
        given: Annotated[str, Depends(key)],
        mood: Annotated[str, Cookie()] = "good",
    ) -> None:
        asked.append((shop_name, given, mood))

    async for client in running(created(Shelves, Depends(read))):
        for isbn in "12":
            path = "/books?shop=a%20b&api_key=k"
            made = await client.post(path, json={"isbn": isbn, "title": "x"})
            assert made.status_code == 201
        page = await client.get("/books?shop=a%20b&api_key=k&limit=1&offset=0")
        following = await client.get(page.links["next"]["url"])
        unknown = await client.get("/books?shop=a&api_key=k&nope=1")

    assert (len(page.json()["items"]), following.json()["items"][0]["isbn"]) == (1, "2")
    assert unknown.status_code == 400
    assert set(asked) == {("a b", "k", "good"), ("a", "k", "good")}


@pytest.mark.parametrize("way", WAYS)
async def test_openapi_tells_of_them(way: Build) -> None:
    oauth = OAuth2PasswordBearer("token", scopes={"read": "Read."})

    def read(
        given: Annotated[str, Security(oauth, scopes=["read"])],
        x_shop: Annotated[int, Header()] = 1,
        isbn: str = "",
    ) -> None:
        pass

    async for client in running(way(Shelves, Depends(read))):
        document = (await client.get("/openapi.json")).json()

    scheme = document["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    assert scheme["flows"]["password"]["scopes"] == {"read": "Read."}
    operations = [
        operation
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if path.startswith("/books")
    ]
    assert len(operations) == 15
    for operation in operations:
        assert operation["security"] == [{"OAuth2PasswordBearer": ["read"]}]
        assert [each.get("name") for each in operation["parameters"]].count("x-shop") == 1


async def test_openapi_names_no_parameter_twice() -> None:
    def read(title: str = "") -> None:
        pass

    async for client in running(created(Shelves, Depends(read))):
        document = (await client.get("/openapi.json")).json()

    parameters = document["paths"]["/books"]["get"]["parameters"]
    assert [each.get("name") for each in parameters].count("title") == 1


@pytest.mark.parametrize("way", BOTH)
def test_what_is_no_dependency_is_said_at_start(way: Build) -> None:
    class Wrong(Container):
        books = resource(Book, dependencies=[signed_in])

    with pytest.raises(DeclarationError) as of_resource:
        way(Wrong)
    with pytest.raises(DeclarationError) as of_app:
        way(Shelves, signed_in, Depends())

    assert of_resource.value.mistakes == (
        "books: dependencies holds signed_in, which is not a dependency: write Depends(signed_in)",
    )
    assert [each.split(": ")[0] for each in of_app.value.mistakes] == ["the application"] * 2


def test_a_router_is_no_place_for_resources_and_says_what_is() -> None:
    router: Any = APIRouter(prefix="/api", dependencies=[AUTH])

    with pytest.raises(TypeError, match=r"pass the app that includes the router, with prefix=router\.prefix"):
        mount_resources(router, in_memory(Shelves))


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        pytest.param({}, 3, id="not said"),
        pytest.param({"dependencies": []}, 0, id="meant so"),
        pytest.param({"dependencies": [AUTH]}, 0, id="covered"),
        pytest.param({"prefix": "/other"}, 0, id="elsewhere"),
    ],
)
async def test_resources_among_guarded_routes_are_warned_of(
    given: dict[str, Any], warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()
    mount_resources(app, in_memory(Shelves), **{"prefix": "/api", **given})
    router = APIRouter(prefix="/api", dependencies=[AUTH])
    for path in ("/me", "/you"):
        router.add_api_route(path, lambda: None)
    app.include_router(router)

    async for _ in running(app):
        said = [each.getMessage() for each in caplog.records if each.name == "fastapi_easy.http"]

    assert len(said) == warnings
    assert [each for each in said if "signed_in guard every route of yours below /api" not in each] == []


def signed_in_by_file() -> None:
    raise HTTPException(401)


BY_FILE = Depends(signed_in_by_file)


async def test_a_file_may_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    declaration = {"entity": f"{Book.__module__}:Book", "dependencies": [f"{__name__}:BY_FILE"]}
    container: Any = in_memory(Container)
    settings = container.settings()
    declared_there = type(settings)(databases=settings.databases, resources={"books": declaration})

    async for client in running(create_app(Container(settings=declared_there))):
        assert (await client.get("/books")).status_code == 401
