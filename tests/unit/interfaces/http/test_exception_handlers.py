"""The app's own exception handlers answer for what is raised behind a resource."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import create_app, mount_resources
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Key, Outcome
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http.library import client_of


class PaymentError(Exception):
    """Something about money."""


class CardDeclinedError(PaymentError):
    """The card is no good."""


RAISED: dict[str, Exception] = {
    "declined": CardDeclinedError("secret detail"),
    "defect": ZeroDivisionError("secret detail"),
    "teapot": HTTPException(418, "I am one.", {"X-Tea": "green"}),
}


@dataclass
class Order:
    """Something ordered."""

    text: str
    id: int | None = None


@dataclass(frozen=True)
class Pay:
    """Pay for it, which fails."""

    how: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[None]:
        """Raise."""
        raise RAISED[self.how]


class Shop(Container):
    orders = resource(Order, actions=[Pay])


def created(**options: Any) -> FastAPI:
    return create_app(in_memory(Shop), **options)


def mounted(**options: Any) -> FastAPI:
    app = FastAPI(**options)
    mount_resources(app, in_memory(Shop))
    return app


@pytest.fixture(params=[created, mounted], ids=lambda way: way.__name__)
def build(request: pytest.FixtureRequest) -> Callable[..., FastAPI]:
    way: Callable[..., FastAPI] = request.param
    return way


def handler(status: int) -> Callable[..., Any]:
    async def answer(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"path": request.url.path, "error": type(error).__name__}, status)

    return answer


async def paying(app: FastAPI, how: str) -> httpx2.Response:
    async with app.router.lifespan_context(app), client_of(app) as client:
        await client.post("/orders", json={"text": "t"})
        return await client.post("/orders/1/pay", json={"how": how})


@pytest.mark.parametrize("kind", [CardDeclinedError, PaymentError, Exception, 500], ids=str)
@pytest.mark.parametrize("dependencies", [[], [Depends(lambda: None)]], ids=["bare", "guarded"])
async def test_a_handler_for_the_class_a_base_or_everything_answers(
    build: Callable[..., FastAPI], kind: Any, dependencies: list[Any]
) -> None:
    app = build(dependencies=dependencies, exception_handlers={kind: handler(402)})

    answered = await paying(app, "declined")

    assert answered.status_code == 402
    assert answered.json() == {"path": "/orders/1/pay", "error": "CardDeclinedError"}


async def test_a_plain_function_answers_too(build: Callable[..., FastAPI]) -> None:
    app = build()

    @app.exception_handler(PaymentError)
    def declined(request: Request, error: PaymentError) -> JSONResponse:
        return JSONResponse(None, 402)

    assert (await paying(app, "declined")).status_code == 402


async def test_the_nearest_handler_wins(build: Callable[..., FastAPI]) -> None:
    handlers = {Exception: handler(500), PaymentError: handler(402), CardDeclinedError: handler(409)}

    assert (await paying(build(exception_handlers=handlers), "declined")).status_code == 409


async def test_what_only_the_handler_for_everything_answers_is_logged(
    build: Callable[..., FastAPI], caplog: pytest.LogCaptureFixture
) -> None:
    handlers = {Exception: handler(503), PaymentError: handler(402)}

    for how in ("declined", "defect"):
        await paying(build(exception_handlers=handlers), how)

    logged = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.exc_info[0] for each in logged if each.exc_info] == [ZeroDivisionError]


@pytest.mark.parametrize("dependencies", [[], [Depends(lambda: None)]], ids=["bare", "guarded"])
async def test_without_one_a_defect_is_a_problem_without_detail(
    build: Callable[..., FastAPI], dependencies: list[Any]
) -> None:
    app = build(dependencies=dependencies, exception_handlers={KeyError: handler(404)})

    answered = await paying(app, "defect")

    assert (answered.status_code, answered.json()["code"]) == (500, "internal_error")
    assert "secret detail" not in answered.text


async def test_an_http_exception_is_answered_as_in_a_route(build: Callable[..., FastAPI]) -> None:
    app = build()

    @app.get("/own")
    async def own() -> None:
        raise RAISED["teapot"]

    answered = await paying(app, "teapot")
    async with client_of(app) as client:
        of_route = await client.get("/own")

    assert (answered.status_code, answered.headers["x-tea"]) == (418, "green")
    assert answered.json()["detail"] == of_route.json()["detail"] == "I am one."


@pytest.mark.parametrize("kind", [418, HTTPException], ids=str)
async def test_an_http_exception_has_handlers_by_status_and_class(
    build: Callable[..., FastAPI], kind: Any
) -> None:
    assert (await paying(build(exception_handlers={kind: handler(400)}), "teapot")).status_code == 400


@pytest.mark.parametrize("kind", [PaymentError, Exception], ids=str)
async def test_a_handler_that_fails_is_a_defect_itself(build: Callable[..., FastAPI], kind: Any) -> None:
    def failing(request: Request, error: Exception) -> JSONResponse:
        raise ValueError("secret detail")

    answered = await paying(build(exception_handlers={kind: failing}), "declined")

    assert (answered.status_code, answered.json()["code"]) == (500, "internal_error")


async def test_a_limit_of_the_apps_own_is_answered_once() -> None:
    app = FastAPI(max_body_size=10)
    mount_resources(app, in_memory(Shop))

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"text": '
        yield b'"much too long"}'

    async with app.router.lifespan_context(app), client_of(app) as client:
        declared = await client.post("/orders", json={"text": "much too long"})
        streamed = await client.post("/orders", content=parts(), headers={"Content-Type": "application/json"})

    assert (declared.status_code, streamed.status_code) == (413, 413)
