"""What callers ask of a history: how many entries, and after which; and the signed tokens for where to go on."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.queries.comparisons import QueryError
from fastapi_easy.application.queries.query_parts import integer_between
from fastapi_easy.domain.errors import BadQuery, Error, Key, Outcome
from fastapi_easy.domain.queries.page import Cursor
from fastapi_easy.domain.resources.resource import Resource

_MAC_BYTES: Final = 16
_MAX_TOKEN_LENGTH: Final = 4096
_OPTIONS: Final = ("limit", "cursor")


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """The part of a history that is asked for.

    Attributes:
        limit: Entries at most.

        after: The place of the entry behind which to go on, its stream and its number; `None` for the newest.
    """

    limit: int
    after: Cursor | None = None


class HistoryRequests:
    """Reads requests for the history of entities of one resource.

    A token is valid only for the resource, the entity and the tenant that it was made for.
    """

    def __init__(self, resource: Resource[Any], secret: bytes) -> None:
        self._resource = resource
        # Hashed because BLAKE2b takes keys of 64 bytes at most; apart from that of other cursors by its name.
        self._key = hashlib.blake2b(secret, person=b"history").digest()

    def from_parameters(
        self, pairs: Sequence[tuple[str, str]], key: Key, *, tenant: str | None = None
    ) -> Outcome[HistoryRequest]:
        """Parse the decoded query string *pairs* of a request for the history of *key*.

        Fails with:
            BadQuery: A parameter is unknown or was given twice, or the cursor belongs elsewhere.

            Invalid: The limit is out of range.
        """
        given: dict[str, str] = {}
        for name, value in pairs:
            if name not in _OPTIONS:
                return Failure(BadQuery(name[:64], f"Only {' and '.join(_OPTIONS)} can be given here"))
            if name in given:
                return Failure(BadQuery(name, "Was given more than once"))
            given[name] = value
        return self.from_values(given, key, tenant=tenant)

    def from_values(
        self, values: Mapping[str, object], key: Key, *, tenant: str | None = None
    ) -> Outcome[HistoryRequest]:
        """Read the arguments *values* of a call in Python; `cursor` may be what `Page.next` holds.

        Fails with: as `from_parameters`.
        """
        rules, limit, cursor = self._resource.query, values.get("limit"), values.get("cursor")
        try:
            number = rules.limit if limit is None else integer_between("/limit", limit, 1, rules.max_limit)
        except QueryError as query_error:
            return Failure(query_error.error)
        match cursor:
            case None:
                return Success(HistoryRequest(number))
            case Cursor():
                return Success(HistoryRequest(number, cursor)) if _is_place(cursor.values) else _bad_cursor()
            case str():
                opened = self._open(cursor, key, tenant)
                return (
                    opened
                    if isinstance(opened, Failure)
                    else Success(HistoryRequest(number, opened.unwrap()))
                )
            case _:
                return _bad_cursor()

    def sign(self, place: Cursor, key: Key, *, tenant: str | None = None) -> str:
        """Return the URL-safe token with which the caller asks for what follows *place* in the history of *key*."""
        payload = json.dumps(list(place.values), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(payload, key, tenant) + payload).rstrip(b"=").decode()

    def _open(self, token: str, key: Key, tenant: str | None) -> Outcome[Cursor]:
        if len(token) > _MAX_TOKEN_LENGTH or not token.isascii():
            return _bad_cursor()
        try:
            signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return _bad_cursor()
        mac, payload = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, key, tenant)):
            return _bad_cursor()
        return Success(Cursor(tuple(json.loads(payload))))

    def _mac(self, payload: bytes, key: Key, tenant: str | None) -> bytes:
        bound = f"{self._resource.name}\n{tenant!r}\n{key!r}"
        message = hashlib.blake2b(bound.encode("utf-8", "backslashreplace")).digest() + payload
        return hashlib.blake2b(message, digest_size=_MAC_BYTES, key=self._key).digest()


def _is_place(values: Sequence[object]) -> bool:
    match values:
        case (str(), int()):
            return True
        case _:
            return False


def _bad_cursor() -> Failure[Error]:
    return Failure(BadQuery("cursor", "The cursor is not valid for this history: start again without it"))
