"""The resource that is measured, once as it is and once with a version, and requests to it without a server."""

import datetime
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import FastAPI
from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings

ROWS = 120
"""Of one owner, so that a page of a hundred is full."""


class Plain(SQLModel, table=True):
    """A row of every common kind."""

    __tablename__ = "performance_plain"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    price: Decimal = Field(max_digits=12, decimal_places=2)
    attributes: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    made_at: datetime.datetime
    owner_id: int = Field(index=True)


class Versioned(SQLModel, table=True):
    """The same with a version."""

    __tablename__ = "performance_versioned"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    price: Decimal = Field(max_digits=12, decimal_places=2)
    attributes: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    made_at: datetime.datetime
    owner_id: int = Field(index=True)
    version: int = 1


class Shop(Container):
    """Both."""

    plain = resource(Plain)
    versioned = resource(Versioned, version="version")


BODY = json.dumps(
    {
        "title": "An item",
        "price": "12.50",
        "attributes": {"colour": "red", "size": 3, "tags": ["a", "b"]},
        "made_at": "2026-01-02T03:04:05.678Z",
        "owner_id": 7,
    }
).encode()


@dataclass(frozen=True)
class Request:
    """What is asked."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    if_match: bytes = b""

    @property
    def scope(self) -> dict[str, Any]:
        """As a server would put it."""
        headers = [(b"host", b"test"), (b"user-agent", b"guard"), (b"accept", b"*/*")]
        headers += [(b"content-type", b"application/json")] if self.body else []
        headers += [(b"if-match", self.if_match)] if self.if_match else []
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query,
            "headers": headers,
            "server": ("test", 80),
            "client": ("test", 1),
            "state": {},
        }


def request(endpoint: str, resource: str, turn: int) -> Request:
    """The request to *endpoint* of *resource*; *turn* counts how often it was changed already."""
    match endpoint:
        case "get":
            return Request("GET", f"/{resource}/2")
        case "list":
            return Request("GET", f"/{resource}", b"owner_id=7&limit=100&count=exact")
        case "create":
            return Request("POST", f"/{resource}", body=BODY)
        case _:
            change = json.dumps({"title": f"Turn {turn}", "price": "13.50"}).encode()
            version = b'"%d"' % (turn + 1) if resource == "versioned" else b""
            return Request("PATCH", f"/{resource}/1", body=change, if_match=version)


async def ask(app: FastAPI, asked: Request) -> None:
    """Let *app* answer. Raises `AssertionError` when it refuses."""
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    await app(asked.scope, receive, send)
    assert told[0]["status"] < 300, told


@asynccontextmanager
async def shop_at(url: str) -> AsyncIterator[FastAPI]:
    """The application, open, with rows in it."""
    app = create_app(Shop(settings=Settings.model_validate({"databases": {"default": {"url": url}}})))
    async with app.router.lifespan_context(app):
        for name in ("plain", "versioned"):
            for turn in range(ROWS):
                await ask(app, request("create", name, turn))
        yield app
