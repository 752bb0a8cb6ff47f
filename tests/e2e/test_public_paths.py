"""What answers say of paths, below a path that a proxy takes away, and in an application that is mounted."""

import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
from fastapi import FastAPI

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory


@dataclass
class Book:
    """A book."""

    title: str
    id: int | None = None


class Shop(Container):
    books = resource(Book)


@asynccontextmanager
async def behind_a_proxy() -> AsyncIterator[httpx2.AsyncClient]:
    """A shop whose proxy serves it below `/shop`, and passes paths on without that."""
    app = create_app(in_memory(Shop))
    transport = httpx2.ASGITransport(app, root_path="/shop")
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://t") as client,
    ):
        yield client


@asynccontextmanager
async def mounted() -> AsyncIterator[httpx2.AsyncClient]:
    """A shop that another application mounts, and starts."""
    app = create_app(in_memory(Shop))
    outer = FastAPI(lifespan=lambda _: app.router.lifespan_context(app))
    outer.mount("/shop", app)
    transport = httpx2.ASGITransport(outer)
    async with (
        outer.router.lifespan_context(outer),
        httpx2.AsyncClient(transport=transport, base_url="http://t/shop") as client,
    ):
        yield client


@pytest.mark.parametrize("way", [behind_a_proxy, mounted])
async def test_every_path_in_an_answer_is_the_callers(way, caplog: pytest.LogCaptureFixture) -> None:
    async with way() as client:
        moved = await client.get("/books/?limit=1")
        missing = (await client.get("/books/9")).json()
        nowhere = (await client.get("/nothing")).json()
        index = (await client.get("/")).json()
        refused = await client.post("/books/bulk", json={"items": [{"delete": {"key": 9}}], "atomic": False})
        document = (await client.get("/openapi.json")).json()

    assert moved.headers["location"] == "/shop/books?limit=1"
    assert (missing["type"], missing["instance"]) == ("/shop/problems/not_found", "/shop/books/9")
    assert (nowhere["type"], nowhere["instance"]) == ("/shop/problems/not_found", "/shop/nothing")
    assert (index["openapi"], index["resources"]) == ("/shop/openapi.json", {"books": "/shop/books"})
    assert refused.json()["results"][0]["problem"]["type"] == "/shop/problems/not_found"
    assert document["servers"] == [{"url": "/shop"}]
    assert "never started" not in caplog.text


async def test_an_application_that_nobody_started_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    outer = FastAPI()
    outer.mount("/shop", create_app(in_memory(Shop)))

    with caplog.at_level(logging.WARNING, "fastapi_easy"):
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(outer), base_url="http://t/shop"
        ) as client:
            for _ in range(2):
                _ = await client.get("/books")

    (told,) = [each for each in caplog.messages if "never started" in each]
    assert "mount_resources" in told


@asynccontextmanager
async def alone() -> AsyncIterator[httpx2.AsyncClient]:
    """A shop at the root of its server."""
    app = create_app(in_memory(Shop))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t") as client,
    ):
        yield client


@pytest.mark.parametrize("way", [alone, behind_a_proxy, mounted])
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
async def test_documentation_loads_nothing_from_another_host(way, path: str) -> None:
    async with way() as client:
        page = await client.get(path)
        text = re.sub("<!--.*?-->", "", page.text)
        loaded = [each for each in re.findall(r"""(?:src|href)=["']([^"']+)""", text) if each != "data:,"]
        root = str(client.base_url.path).rstrip("/") or ("/shop" if way is behind_a_proxy else "")
        files = {each: await client.get(each.removeprefix(root)) for each in loaded}

    assert page.status_code == 200
    assert "//" not in re.sub(r"\s//.*", "", text)
    assert [each for each in loaded if not each.startswith(f"{root}/")] == []
    # None of them is text by mistake: browsers are told not to guess.
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
    assert {each: file.headers["content-type"] for each, file in files.items()} == {
        each: kinds[each.partition("?")[0].rpartition(".")[2]] for each in loaded
    }
    assert all(len(file.content) > 1000 for file in files.values())
    assert {file.headers["cache-control"] for file in files.values()} <= {
        "public, max-age=31536000, immutable"
    }
    # The browser is told the same: scripts from here, or those of the page itself.
    policy = page.headers["content-security-policy"]
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    inline = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert allowed == {base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inline}
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy


async def test_documentation_is_where_fastapi_is_told_to_put_it() -> None:
    app = create_app(
        in_memory(Shop), docs_url="/api/", redoc_url=None, swagger_ui_parameters={"deepLinking": False}
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t") as client:
        page = await client.get("/api/")
        (script,) = re.findall(r'src="([^"]+)', page.text)
        statuses = [(await client.get(each)).status_code for each in (script, "/docs", "/redoc")]

    assert script.startswith("/api/swagger-ui-bundle.js?v=")
    assert '"deepLinking": false' in page.text
    assert '"validatorUrl": null' in page.text
    assert statuses == [200, 404, 404]
