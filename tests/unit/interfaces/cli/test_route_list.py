"""Which routes an app is said to have."""

from fastapi import APIRouter, FastAPI, WebSocket

from fastapi_easy.interfaces.cli.route_list import routes_of
from fastapi_easy.interfaces.cli.tasks import Route


def an_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    inner = APIRouter(prefix="/inner")

    @inner.get("/things/{number}", operation_id="get_thing")
    async def thing(number: int):
        pass

    @app.post("/hidden", include_in_schema=False)
    async def hidden():
        pass

    @app.websocket("/talk")
    async def talk(socket: WebSocket):
        pass

    app.include_router(inner, prefix="/outer")
    files = FastAPI(openapi_url=None)

    @files.get("/{name}", operation_id="get_file")
    async def file(name: str):
        pass

    app.mount("/files", files, name="files")
    return app


def test_lists_documented_routes_first_and_then_all_others():
    assert routes_of(an_app(), ()) == [
        Route("GET", "/outer/inner/things/{number}", "get_thing"),
        Route("GET", "/openapi.json", "openapi"),
        Route("POST", "/hidden", "hidden"),
        Route("WEBSOCKET", "/talk", "talk"),
        Route("MOUNT", "/files", "files"),
        Route("GET", "/files/{name}", "get_file"),
    ]


def test_a_route_of_the_app_belongs_to_no_resource():
    assert {each.resource for each in routes_of(an_app(), {"things", "outer"})} == {""}
