"""What a server may ask before it makes a request of what it has read: whether the application would refuse it."""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.types import Scope

from fastapi_easy.interfaces.http.shedding.prepared_refusal import RefusalLines

_ALWAYS_ANSWERED: Final = (b"/health/live", b"/health/ready", b"/metrics")
"""Who asks for these has to find out that there is an overload."""


class Door:
    """The door of one application, for the server in front of it.

    Args:
        is_overloaded: Returns whether requests for the path, as it was sent, would be refused now; counts one if so.

        default_headers: The headers of every answer.

        has_middleware: Returns whether there is middleware whose headers refusals need too, as for pages of other
            origins.
    """

    def __init__(
        self,
        is_overloaded: Callable[[bytes], bool],
        default_headers: Iterable[tuple[bytes, bytes]],
        has_middleware: Callable[[], bool],
    ) -> None:
        self._is_overloaded = is_overloaded
        self._lines = RefusalLines(default_headers)
        self._has_middleware = has_middleware

    def refusal(self, target: bytes, scope: Scope, *, is_crowded: bool) -> tuple[bytes, bytes] | None:
        """Return head and body of the refusal of a request; `None` for one that is let in.

        Args:
            target: The path and the query, as they were sent.

            scope: Of the request, with its method and headers.

            is_crowded: The process has too much to do; otherwise it depends on the database behind *target*.
        """
        path = target.partition(b"?")[0]
        if is_crowded and path.endswith(_ALWAYS_ANSWERED):
            return None
        if self._has_middleware() and any(name == b"origin" for name, _ in scope["headers"]):
            # A browser shows its page nothing of an answer that lacks the headers of the middleware.
            return None
        if not is_crowded and not self._is_overloaded(path):
            return None
        return self._lines.response(path, scope)
