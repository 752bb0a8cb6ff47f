"""Messages of a change feed → JSON."""

from fastapi_easy.application.changes_feed.feed_message import FeedMessage
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.formats.shown_key import shown_key
from fastapi_easy.interfaces.http.http_resource import HttpResource


class MessageEncoder:
    """Writes the messages of one resource; their values look as in the answer to a GET."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._encoder = http_resource.encoder
        self._readable = frozenset(http_resource.resource.readable)

    def encode(self, message: FeedMessage, *, with_position: bool = False) -> bytes:
        """Return *message* as a JSON object, with its position as `id` if it is not told beside it."""
        about = {
            **({"id": message.position} if with_position else {}),
            "verb": message.verb,
            "key": shown_key(message.key),
            "time": message.occurred_at,
        }
        values = message.values
        if values is None:
            return dumps(about)
        about["version"] = message.version
        # A read schema of the user's own is filled from whole rows only.
        fields = None if values.keys() >= self._readable else tuple(values)
        return dumps(about)[:-1] + b',"values":' + self._encoder.row(values, fields) + b"}"
