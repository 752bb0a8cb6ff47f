"""A change feed as server-sent events (`text/event-stream`)."""

from collections.abc import AsyncGenerator
from typing import Final

from fastapi_easy.application.changes_feed.change_feed import ChangeStream
from fastapi_easy.interfaces.http.feeds.message_encoder import MessageEncoder

EVENT_STREAM: Final = "text/event-stream"

HEADERS: Final = (
    (b"content-type", EVENT_STREAM.encode("ascii")),
    (b"cache-control", b"no-store"),
    # Proxies that collect an answer before they pass it on would do so for as long as it lasts.
    (b"x-accel-buffering", b"no"),
)

_RETRY: Final = b"retry: 2000\n"
"""How long a client waits before it connects again, in milliseconds."""


async def event_stream(
    stream: ChangeStream, encoder: MessageEncoder, heartbeat: float
) -> AsyncGenerator[bytes]:
    """Yield *stream* as parts of a body, and close it at the end, whoever ends it.

    Each part leaves the client with the position at which it can resume, also where nothing was for it.

    Args:
        stream: What to follow.

        encoder: Writes its messages.

        heartbeat: Seconds of silence after which a comment is sent.
    """
    async with stream:
        # An id without data moves the position of a client, and tells it nothing else.
        yield _RETRY + _id(stream.position) + b"\n"
        while (batch := await stream.next_batch(heartbeat)) is not None:
            events = [
                b"%sevent: %s\ndata: %s\n\n"
                % (_id(each.position), each.verb.encode("ascii"), encoder.encode(each))
                for each in batch
            ]
            yield b"".join(events) or b":\n" + _id(stream.position) + b"\n"
        reason = b"" if stream.end is None else stream.end.value.encode("ascii")
        yield b": %s\n%s%s\n" % (reason, _RETRY, _id(stream.position))


def _id(position: str) -> bytes:
    return b"id: %s\n" % position.encode("ascii")
