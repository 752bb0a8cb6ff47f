"""The pages beside the resources: index, health, metrics, and one for each kind of problem.

Looked up only when no route of the app matches, so that a route of the user's own under the same path wins.
"""

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.interfaces.http.health import LIVE, HealthChecks
from fastapi_easy.interfaces.http.problems import TITLES
from fastapi_easy.interfaces.http.request_problems import method_not_allowed
from fastapi_easy.interfaces.http.scopes.public_paths import path_below_root, root_of
from fastapi_easy.interfaces.http.unhandled_exceptions import starlette_problem_response

Page: TypeAlias = Callable[[str], Awaitable[Response]]
"""Makes the page, for callers who see the app at a path."""

ASYNCAPI: Final = "/asyncapi.json"
"""The path of the AsyncAPI document."""

_NO_STORE: Final = {"cache-control": "no-store"}


class Pages:
    """ASGI app for paths without a route; passes on to *missing* what is no page either."""

    def __init__(
        self,
        missing: ASGIApp,
        index: Callable[[str], Mapping[str, object]],
        health: HealthChecks,
        metrics: Callable[[], Awaitable[tuple[bytes, str]]] | None = None,
        asyncapi: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._missing = missing
        self._index = index
        self._health = health
        self._pages: dict[str, Page] = {
            "/": self._show_index,
            "/health/live": self._show_liveness,
            "/health/ready": self._show_readiness,
        }
        if metrics is not None:
            self._pages["/metrics"] = _shown(metrics)
        if asyncapi is not None:
            self._pages[ASYNCAPI] = _described(asyncapi)

    @property
    def paths(self) -> Sequence[str]:
        """The paths of the pages, for lists of routes."""
        return (*self._pages, "/problems/{code}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page at the path."""
        page = self._find(path_below_root(scope)) if scope["type"] == "http" else None
        if page is None:
            await self._missing(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await starlette_problem_response(method_not_allowed(b"GET, HEAD"), scope)(scope, receive, send)
        else:
            await (await page(root_of(scope)))(scope, receive, send)

    def _find(self, path: str) -> Page | None:
        known = self._pages.get(path)
        if known is not None:
            return known
        code = path.removeprefix("/problems/")
        if code == path or code not in TITLES:
            return None

        async def show(_root: str) -> Response:
            return problem_page(code)

        return show

    async def _show_index(self, root: str) -> Response:
        return JSONResponse(self._index(root))

    async def _show_liveness(self, _root: str) -> Response:
        return JSONResponse(LIVE, headers=_NO_STORE)

    async def _show_readiness(self, _root: str) -> Response:
        status, body = await self._health.readiness()
        return JSONResponse(body, status, _NO_STORE)


def _shown(metrics: Callable[[], Awaitable[tuple[bytes, str]]]) -> Page:
    async def show(_root: str) -> Response:
        body, media_type = await metrics()
        return Response(body, headers={"content-type": media_type, **_NO_STORE})

    return show


def _described(asyncapi: Callable[[], Mapping[str, Any]]) -> Page:
    made: list[Mapping[str, Any]] = []

    async def show(_root: str) -> Response:
        # Most workers are never asked for it.
        if not made:
            made.append(asyncapi())
        return JSONResponse(made[0])

    return show


def problem_page(code: str) -> Response:
    """Return the page that the `type` of a problem leads to."""
    title, meaning = html.escape(TITLES[code]), html.escape(MEANINGS[code])
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<h1>{title}</h1><p><code>{html.escape(code)}</code></p><p>{meaning}</p>"
    )


MEANINGS: Final[Mapping[str, str]] = {
    "already_exists": "Another entity has the same values in fields that must be unique. Nothing was changed.",
    "already_handled": "The message that asks for this was handled before. Nothing was changed.",
    "bad_preference": "Prefer: tx must be either commit or rollback (a dry run). Nothing was changed.",
    "bad_query": "A query parameter, an operator or a field in the query is not known. Nothing is ignored silently.",
    "check_failed": "A rule of the application, or of the database, rejected the values. Nothing was changed.",
    "csrf_failed": "A request with the cookie of a session must be sent by a page of this application, with the token "
    "of the session in X-CSRF-Token. Nothing was changed.",
    "deadline_exceeded": "The call was cancelled when its deadline passed. Nothing was changed; ask for less, or "
    "retry later.",
    "deadlock": "The database rolled the call back to end a deadlock with another one. Nothing was changed; "
    "retry after Retry-After.",
    "forbidden": "You may not do this.",
    "headers_too_large": "Request line and headers are longer than the limit it names. Nothing was changed.",
    "idempotency_in_flight": "The first request with this Idempotency-Key is still in progress. Retry after "
    "Retry-After.",
    "idempotency_mismatch": "An Idempotency-Key belongs to one request; use a new one for a new request.",
    "internal_error": "An internal error. Tell us the correlation id.",
    "invalid": "The input does not have the shape or the values asked for; errors lists where. Nothing was changed.",
    "lock_held": "Another caller holds the lock. Retry after Retry-After.",
    "lock_lost": "The lock expired before the work ended. Nothing was changed; retry after Retry-After.",
    "lock_wait_timeout": "Another call held a lock on the same entities, or on their table, for too long. Nothing was "
    "changed; retry after Retry-After.",
    "malformed_body": "The body is not JSON in UTF-8.",
    "malformed_query": "The query string is not UTF-8.",
    "method_not_allowed": "This path is served with other methods; Allow lists them.",
    "migration_stopped": "A migration does not go on; stop says why, and details what differs or is not allowed.",
    "not_acceptable": "The answer cannot have any of the media types that Accept names.",
    "not_found": "No such entity exists, or you may not see it.",
    "outcome_unknown": "The answer to the commit was lost: the change may or may not have been made. Read before you "
    "repeat it, or repeat it with the same Idempotency-Key.",
    "position_expired": "The change feed does not go back to this position, or never had it. Read the entities anew.",
    "precondition_required": "A change must say with If-Match which version it is based on.",
    "query_too_long": "The query string is too long; POST it to …/search.",
    "rate_limited": "Rate limit exceeded. Retry after Retry-After.",
    "reference_broken": "The change would leave a reference to something that does not exist. Nothing was changed.",
    "request_timeout": "The headers or the body did not arrive in time.",
    "serialization_conflict": "Another call changed the same entities at the same time. Nothing was changed; "
    "retry after Retry-After.",
    "stale": "The entity has changed since you read it. Nothing was changed; ETag is its version now.",
    "storage_full": "The store has no room left for the change. Nothing was changed, and what is stored can be read; "
    "repeat it when somebody has made room.",
    "too_large": "The request is larger than the limit it names.",
    "too_many_locks": "This process holds as many locks as it may. Nothing was changed; retry after Retry-After.",
    "too_many_failures": "More lines of an import failed than max_failures allows; errors lists them. Continue "
    "from next_line, or fix "
    "the lines and import them again.",
    "too_many_headers": "The request has too many headers. Nothing was changed.",
    "unauthenticated": "Authentication is required; WWW-Authenticate names the scheme.",
    "unavailable": "A dependency did not answer. Nothing was changed; retry after Retry-After.",
    "unreadable_entity": "The entity is stored with values that its fields cannot hold; errors names the fields. "
    "Correct the stored values, or declare the resource with reading='lenient'.",
    "unsupported": "The store behind this resource cannot do what was asked.",
    "unsupported_media_type": "The body is of a media type, charset or Content-Encoding that is not read here.",
}
"""The meaning of each problem code, and what to do about it."""
