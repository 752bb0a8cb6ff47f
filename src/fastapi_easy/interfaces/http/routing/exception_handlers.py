"""Exceptions of resources → responses: the app's own exception handlers come first."""

import logging
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.interfaces.http.exchange import Exchange
from fastapi_easy.interfaces.http.request_problems import INTERNAL_ERROR

_logger: Final = logging.getLogger("fastapi_easy.http")

_CATCH_ALL: Final[tuple[int | type[Exception], ...]] = (500, Exception)
"""The keys under which Starlette registers the handler for all other exceptions."""


async def respond_to_exception(app: FastAPI, exchange: Exchange, error: Exception) -> None:
    """Answer for *error* with the handler that *app* has for it, or else log it as a defect.

    Starlette's own middleware finds and calls the handler, so that resources and routes are answered alike: one for
    the status of an `HTTPException`, for the class of the error, or for a base of it. A defect is answered by the
    handler for `Exception` or 500, and without one with 500 and no detail.
    """
    try:
        if await _try_exception_handler(app, exchange, error):
            return
    except Exception as failure:  # noqa: BLE001 (of the handler itself; logged below)
        error = failure
    if exchange.started:
        # Half an answer cannot be taken back; the server cuts the connection.
        raise error
    _logger.error("unhandled exception, correlation id %s", exchange.correlation_id, exc_info=error)
    for kind in _CATCH_ALL:
        if kind in app.exception_handlers:
            await _respond_with_handler(app.exception_handlers[kind], exchange, error)
            return
    await exchange.send_problem(INTERNAL_ERROR)


async def _try_exception_handler(app: FastAPI, exchange: Exchange, error: Exception) -> bool:
    handlers = {kind: each for kind, each in app.exception_handlers.items() if kind not in _CATCH_ALL}
    try:
        await ExceptionMiddleware(_raising(error), handlers)(*_asgi(exchange))
    except Exception as again:
        if again is not error:
            raise
        return False
    return True


async def _respond_with_handler(handler: Any, exchange: Exchange, error: Exception) -> None:
    try:
        await ServerErrorMiddleware(_raising(error), handler)(*_asgi(exchange))
    except Exception as again:
        # Starlette raises the error again after it has answered, for the server to log.
        if again is error:
            return
        if exchange.started:
            raise
        _logger.exception("an exception handler raised, correlation id %s", exchange.correlation_id)
        await exchange.send_problem(INTERNAL_ERROR)


def _raising(error: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


def _asgi(exchange: Exchange) -> tuple[Scope, Receive, Send]:
    original_send = exchange.send

    async def send(message: Message) -> None:
        exchange.started = True
        await original_send(message)

    return exchange.scope, exchange.receive, send
