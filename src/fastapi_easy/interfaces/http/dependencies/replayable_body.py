"""A request body that dependencies may read before the endpoint does."""

import time
from collections import deque

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.request_problems import TOO_SLOW
from fastapi_easy.interfaces.http.requests.body import BodyTooLargeError
from fastapi_easy.interfaces.http.requests.timeouts import within


class KeptBody:
    """Keeps what dependencies receive, within the limits of every body, and replays it to the endpoint.

    Args:
        receive: The ASGI way to the body.

        options: The limits. What is kept is held in memory, so the limit of ordinary bodies holds for imports too.
    """

    def __init__(self, receive: Receive, options: HttpOptions) -> None:
        self._receive = receive
        self._options = options
        self._kept: deque[Message] = deque()
        self._size = 0
        self._more = True
        self._ends = time.monotonic() + options.body_timeout

    async def receive(self) -> Message:
        """Receive for a dependency.

        Raises:
            HTTPException: The body is too large or too slow.
        """
        # After the end of the body one waits for the caller to hang up, which may take any time.
        message = await (self._next_part() if self._more else self._receive())
        self._kept.append(message)
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        self._size += len(message.get("body", b""))
        if self._size > self._options.body_limit:
            raise BodyTooLargeError(self._options.body_limit)
        return message

    async def replay(self) -> Message:
        """Receive for the endpoint: first what was kept, then what is left."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def _next_part(self) -> Message:
        patience = min(self._options.body_idle_timeout, self._ends - time.monotonic())
        try:
            return await within(patience, self._receive())
        except TimeoutError:
            raise HTTPException(TOO_SLOW.status, TOO_SLOW.detail, {"Connection": "close"}) from None
