"""HTTP/1.1 as uvicorn speaks it, with limits on what is no request yet, and an end at which nobody is cut off."""

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fastapi_easy.interfaces.cli.server.ending import Ending
from fastapi_easy.interfaces.cli.server.refusals import Refusal, ServerRefusals
from fastapi_easy.interfaces.cli.server.shedding import LEAST, Shedding

_LINGER: Final = 0.5
"""Seconds in which a request that was sent before the end was heard of is still answered, or a refusal is read."""

_MOST_UNREAD: Final = 1024 * 1024
"""Bytes of the body of a refused request after which its connection is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLimits:
    """What a client may send before there is a request.

    Attributes:
        bytes: Of request line and headers at most.

        timeout: Seconds for all of them, from the first byte, or from the connection on.
    """

    bytes: int
    timeout: float


class LimitedHttpProtocol(HttpToolsProtocol):
    """Serves one connection.

    A head that is too large is answered 431, one that takes too long 408; nothing of either is kept. Before the end
    every answer says `Connection: close`, so that clients go elsewhere before the connection is closed.

    Args:
        options: What uvicorn gives its protocols.

        limits: What a client may send before there is a request.

        refusals: What is answered that the application does not hear of.

        ending: Tells whether the process is about to end.

        shedding: Refuses what cannot be answered in time.
    """

    def __init__(
        self,
        *,
        limits: HeadLimits,
        refusals: ServerRefusals,
        ending: Ending,
        shedding: Shedding,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._shedding = shedding
        shedding.requests = self.server_state
        # The request that is being read was refused, and what is left of it is not for anyone.
        self._is_shed = False
        self._unread = 0
        self._is_paused = False
        self._limits = limits
        self._refusals = refusals
        self._ending = ending
        ending.connections = self.connections
        self._in_head = True
        # What came with the end of the request before is not counted, except as one: it may be part of a body.
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection, which is given up when nothing is asked in time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything of the connection go."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, as long as it may become a request."""
        if self._is_refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_bytes > self._limits.bytes:
            self._refuse(self._refusals.head_too_large)
        elif self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """Begin to count the next head."""
        self._in_head, self._head_bytes, self._is_shed = True, 1, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Have the request answered, unless its head is too large: what came in one piece was not counted yet."""
        self._in_head = False
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size <= self._limits.bytes:
            if len(self.tasks) >= LEAST and self._shed():
                return
            super().on_headers_complete()
        else:
            # Nor does it become a WebSocket.
            self.headers[:] = [each for each in self.headers if each[0] != b"upgrade"]
            app, self.app = self.app, _Refusing(self._refusals.head_too_large)
            try:
                super().on_headers_complete()
            finally:
                self.app = app
        if self._ending.has_begun:
            self.end_softly()

    def on_body(self, body: bytes) -> None:
        """Pass a part of a body on, unless its request was refused."""
        if not self._is_shed:
            super().on_body(body)
            return
        self._unread += len(body)
        if self._unread > _MOST_UNREAD:
            self.transport.close()

    def on_message_complete(self) -> None:
        """End the request; after one that was refused the next may come."""
        if not self._is_shed:
            super().on_message_complete()
            return
        self._stop_timer()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _shed(self) -> bool:
        """Refuse the request whose head has been read if it could not be answered in time; return whether it was."""
        parser, ending = self.parser, self._ending.has_begun
        # What asks for more than an answer is left to the application, and so is what follows an open request.
        if ending or self.expect_100_continue or parser.should_upgrade() or self._unanswered() is not None:
            return False
        begun = time.perf_counter()
        self.scope["method"] = parser.get_method().decode("ascii")
        answer = self._shedding.refusal(self.url, self.scope, self.server_state.default_headers)
        if answer is None:
            return False
        self._is_shed, self._unread = True, 0
        self.transport.write(answer)
        if parser.get_http_version() == "1.0" or not parser.should_keep_alive():
            self.transport.close()
            return True
        # Nobody else looks after the rest of the request.
        self._head_timer = self.loop.call_later(self._limits.timeout, self.transport.close)
        if not self._is_paused:
            self._is_paused = True
            self.flow.pause_reading()
            pause = self._shedding.begin_pause(time.perf_counter() - begun)
            _ = self.loop.call_later(pause, self._read_on)
        return True

    def _read_on(self) -> None:
        self._is_paused = False
        self._shedding.end_pause()
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def end_softly(self) -> None:
        """Say with the answer to what is being asked that there will be no other on this connection."""
        if (cycle := self._unanswered()) is not None:
            cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close the connection after what is asked, or was sent before its client could know of the end."""
        self._ending.has_begun = True
        cycle = self._unanswered()
        if cycle is None:
            _ = self.loop.call_later(_LINGER, self._close_if_idle)
        else:
            cycle.keep_alive = False
            # What is cut at the end of the grace period is told so, in the form of all other refusals.
            cycle.send_500_response = _Unfinished(cycle, self._refusals.unfinished)  # type: ignore[method-assign]

    def _close_if_idle(self) -> None:
        if self._unanswered() is None:
            self.transport.close()

    def _unanswered(self) -> RequestResponseCycle | None:
        """Return what is being answered."""
        # uvicorn says nothing of connections that have not asked yet.
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.timeout, self._refuse_late_head)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_late_head(self) -> None:
        if self._head_bytes:
            self._refuse(self._refusals.head_too_slow)
        else:
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer *refusal* to a head that is not complete, and close once that can be read."""
        self._stop_timer()
        self._is_refused = True
        # Half a head may follow requests that are still being answered: theirs come first, and this one is left out.
        if self._unanswered() is None:
            status, headers, body = refusal
            phrase = HTTPStatus(status).phrase
            lines = [f"HTTP/1.1 {status} {phrase}\r\n".encode()]
            lines += [b"%b: %b\r\n" % each for each in headers]
            self.transport.write(b"".join([*lines, b"\r\n", body]))
        # To close at once would reset the connection, since there is more to come, and the answer would be lost.
        _ = self.loop.call_later(_LINGER, self.transport.close)


class _Refusing:
    """An ASGI app that answers everything with one refusal."""

    __slots__ = ("_refusal",)

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, headers, body = self._refusal
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Unfinished:
    """Answers a request that was cut because the process ends."""

    __slots__ = ("_cycle", "_refusal")

    def __init__(self, cycle: RequestResponseCycle, refusal: Refusal) -> None:
        self._cycle = cycle
        self._refusal = refusal

    async def __call__(self) -> None:
        await _Refusing(self._refusal)(None, None, self._cycle.send)
