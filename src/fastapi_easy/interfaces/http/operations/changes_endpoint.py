"""The endpoint of the change feed: server-sent events, or a WebSocket."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from fastapi_easy.application import Context, FollowChanges, Since
from fastapi_easy.application.changes_feed.change_feed import ChangeStream
from fastapi_easy.application.changes_feed.feed_message import StreamEnd
from fastapi_easy.application.queries.include_parser import OPTIONS
from fastapi_easy.domain import BadQuery, Failure, Outcome, Success, Unauthenticated
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.authentication.caller_identification import identification_in
from fastapi_easy.interfaces.http.exchange import (
    Exchange,
    ProblemError,
    StreamedResponse,
    problem_error,
    unwrap_or_raise,
)
from fastapi_easy.interfaces.http.feeds.event_stream import HEADERS, event_stream
from fastapi_easy.interfaces.http.feeds.message_encoder import MessageEncoder
from fastapi_easy.interfaces.http.feeds.web_socket import WebSocket, find_socket_problem, socket_of
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.requests.decode import Pairs, read_context, read_pairs

_PAGE_PARAMETERS: Final = frozenset({"sort", "limit", "offset", "cursor", "count", "include"})
_OWN_PARAMETERS: Final = frozenset({"after", "since"})

_CODES: Final[Mapping[StreamEnd, int]] = {
    StreamEnd.SLOW: 1013,
    StreamEnd.CLOSED: 1012,
    StreamEnd.LIFETIME: 1012,
    StreamEnd.UNAVAILABLE: 1013,
    StreamEnd.REFUSED: 1008,
    StreamEnd.POSITION_EXPIRED: 4410,
}
"""The code with which a socket is closed: 1012 and 1013 for those who should come back (RFC 6455 7.4 and its
registry), others for those who should not, or not with the same position."""


class ChangesEndpoint:
    """Answers with what happens to entities, while it happens."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._options = http_resource.options

    async def follow(self, exchange: Exchange, segment: bytes) -> StreamedResponse | None:
        """Answer `GET /books/changes`, or serve the socket that was opened at this path."""
        socket = socket_of(exchange)
        if socket is not None and (problem := find_socket_problem(exchange, self._options.cors)):
            raise ProblemError(problem)
        context = read_context(exchange)
        command = self._command(exchange, context)
        stream = unwrap_or_raise(await self._use_cases.changes(command, context))
        encoder = MessageEncoder(self._http_resource)
        if socket is not None:
            async with stream:
                await self._serve(socket, stream, encoder, exchange)
            return None
        parts = event_stream(stream, encoder, self._options.feed_heartbeat)
        # The generator has to begin, so that its end closes the stream.
        first = await anext(parts)
        return StreamedResponse(200, first, parts, HEADERS, self._options.export_idle_timeout, is_slow=True)

    def _command(self, exchange: Exchange, context: Context) -> FollowChanges:
        pairs = read_pairs(exchange, self._options.query_limit)
        filters = [pair for pair in pairs if pair[0] not in _OWN_PARAMETERS]
        for name, _ in filters:
            if name in _PAGE_PARAMETERS or ("." in name and name.rpartition(".")[2] in OPTIONS):
                raise problem_error(
                    BadQuery(name[:64], "A change feed has no pages and no includes; remove it")
                )
        query = unwrap_or_raise(self._use_cases.queries.from_parameters(filters, tenant=context.tenant))
        if query.includes:
            raise problem_error(BadQuery("fields", "A change feed holds only fields of the resource itself"))
        since = _single(pairs, "since") or Since.NOW
        if since not in set(Since):
            raise problem_error(BadQuery("since", f"Must be one of {', '.join(Since)}"))
        # A client that connects again sends it beside the query that it began with.
        last = exchange.headers.get(b"last-event-id", b"").decode("latin-1")
        after = last or _single(pairs, "after")
        return FollowChanges(query, after, Since(since), _renewal(exchange, context))

    async def _serve(
        self, socket: WebSocket, stream: ChangeStream, encoder: MessageEncoder, exchange: Exchange
    ) -> None:
        await socket.accept(exchange)
        limit = self._options.export_idle_timeout
        gone = asyncio.ensure_future(socket.wait_for_disconnect())
        try:
            await socket.send(_moved(stream), limit)
            while not gone.done():
                batch = await exchange.unless_gone(stream.next_batch(self._options.feed_heartbeat), gone)
                if batch is None:
                    break
                for each in batch:
                    await socket.send(encoder.encode(each, with_position=True), limit)
                if not batch:
                    await socket.send(_moved(stream), limit)
            if not gone.done():
                end = stream.end or StreamEnd.CLOSED
                await socket.close(_CODES[end], end.value)
        except TimeoutError:
            await socket.close(_CODES[StreamEnd.SLOW], StreamEnd.SLOW.value)
        finally:
            _ = gone.cancel()
            _ = await asyncio.wait([gone])


def _moved(stream: ChangeStream) -> bytes:
    """Return the message that tells nothing but where to resume."""
    return dumps({"id": stream.position})


def _renewal(exchange: Exchange, context: Context) -> Callable[[], Awaitable[Outcome[Context]]] | None:
    """Return what verifies the caller's credentials again; `None` where others than we have done so."""
    identification = identification_in(exchange.scope)
    if identification is None:
        return None

    async def renew() -> Outcome[Context]:
        identified = await identification.identify_again(exchange.headers)
        if isinstance(identified, Failure):
            return identified
        principal = identified.unwrap()
        if (principal.id, principal.tenant) != (context.principal.id, context.tenant):
            return Failure(Unauthenticated())
        return Success(replace(context, principal=principal))

    return renew


def _single(pairs: Pairs, name: str) -> str | None:
    given = [value for each, value in pairs if each == name]
    if len(given) > 1:
        raise problem_error(BadQuery(name, "Was given more than once"))
    return given[0] if given else None
