"""Written by hand like `by_hand`, with what fastapi_easy does by default.

Strict bodies, ETags, problems as responses, a correlation id, and the headers for browsers.
"""

import hashlib
import uuid
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.columns import bodies, by_hand
from benchmarks.columns.bodies import ItemPage, ItemRead
from benchmarks.columns.by_hand import Session
from benchmarks.columns.tables import Item

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class DefaultHeaders:
    """The correlation id and the headers for browsers, on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them when the response starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-correlation-id", b"").decode("latin-1")
        correlation_id = given if given.isascii() and given.isprintable() and given else uuid.uuid4().hex

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-correlation-id"] = correlation_id
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers)


class ItemCreate(bodies.ItemCreate):
    """The body of `POST /items`, in which nothing is guessed and nothing unknown is ignored."""

    model_config = ConfigDict(extra="forbid")

    owner_id: Annotated[int, bodies.Field(strict=True)]


class ItemUpdate(bodies.ItemUpdate):
    """The body of `PATCH /items/{id}`, as strict."""

    model_config = ConfigDict(extra="forbid")

    owner_id: Annotated[int | None, bodies.Field(strict=True)] = None


app = FastAPI()
app.add_middleware(DefaultHeaders)


def problem(status: int, code: str, **members: Any) -> JSONResponse:
    """A problem (RFC 9457)."""
    return JSONResponse(
        {"status": status, "code": code, **members}, status, media_type="application/problem+json"
    )


@app.exception_handler(HTTPException)
async def refused(request: Request, error: HTTPException) -> JSONResponse:
    """What a route refuses."""
    return problem(error.status_code, "not_found", instance=request.url.path)


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """What is not what it has to be."""
    faults = [{"pointer": "/".join(map(str, each["loc"])), "detail": each["msg"]} for each in error.errors()]
    return problem(422, "invalid", instance=request.url.path, errors=faults)


def entity(request: Request, item: Item, status: int = 200) -> Response:
    """The item with its ETag; 304 when the caller has it."""
    body = ItemRead.model_validate(item).model_dump_json().encode()
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


@app.get("/items/{item_id}", response_model=ItemRead)
async def get_item(item_id: int, session: Session, request: Request) -> Response:
    """One item."""
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return entity(request, item)


_ = app.get("/items", response_model=ItemPage)(by_hand.list_items)


@app.post("/items", response_model=ItemRead, status_code=201)
async def create_item(body: ItemCreate, session: Session, request: Request) -> Response:
    """Add an item."""
    item = Item(**body.model_dump())
    session.add(item)
    await session.commit()
    response = entity(request, item, 201)
    response.headers["location"] = f"/items/{item.id}"
    return response


@app.patch("/items/{item_id}", response_model=ItemRead)
async def update_item(item_id: int, body: ItemUpdate, session: Session, request: Request) -> Response:
    """Change what the body names; with `If-Match` only what the caller has seen."""
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    expected = request.headers.get("if-match")
    if expected is not None and expected != entity(request, item).headers["etag"]:
        raise HTTPException(412)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    await session.commit()
    return entity(request, item)
