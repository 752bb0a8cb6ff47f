"""The endpoint of what happened to one entity."""

from typing import Any
from urllib.parse import urlencode

from fastapi_easy.application import ReadHistory
from fastapi_easy.domain import Key, Resource
from fastapi_easy.domain.history.history_entry import HistoryEntry
from fastapi_easy.interfaces.formats.encode import RowEncoder, dumps
from fastapi_easy.interfaces.http.exchange import Exchange, HttpResponse, json_response, unwrap_or_raise
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.requests.decode import ignored_pairs, read_context, read_key, read_pairs


class HistoryEndpoint:
    """Answers with entries of the audit trail, as far as the caller may see them."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._limit = http_resource.options.query_limit

    async def read(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `GET /books/{key}/history`."""
        histories = self._use_cases.histories
        key = read_key(segment, self._use_cases.queries)
        context = read_context(exchange)
        pairs = read_pairs(exchange, self._limit)
        request = unwrap_or_raise(histories.from_parameters(pairs, key, tenant=context.tenant))
        page = unwrap_or_raise(await self._use_cases.history(ReadHistory(key, request), context))
        cursor = None if page.next is None else histories.sign(page.next, key, tenant=context.tenant)
        resource, encoder = self._http_resource.resource, self._http_resource.encoder
        items = [_shown(each, resource, encoder) for each in page.items]
        body = dumps({"items": items, "next_cursor": cursor})
        if cursor is None:
            return json_response(200, body)
        return json_response(200, body, (b"link", self._link(exchange, key, cursor)))

    def _link(self, exchange: Exchange, key: Key, cursor: str) -> bytes:
        pairs = [pair for pair in read_pairs(exchange, self._limit) if pair[0] != "cursor"]
        query = urlencode([*pairs, *ignored_pairs(exchange), ("cursor", cursor)])
        place = self._http_resource.location(exchange, key).decode("ascii")
        return f'<{place}/history?{query}>; rel="next"'.encode("ascii")


def _shown(entry: HistoryEntry, resource: Resource[Any], encoder: RowEncoder) -> dict[str, Any]:
    return {
        "stream": entry.stream,
        "number": entry.number,
        "time": entry.time,
        "actor": entry.actor,
        "by_system": entry.by_system,
        "action": entry.action,
        "outcome": entry.outcome,
        "changes": _changes(entry, resource, encoder),
    }


def _changes(entry: HistoryEntry, resource: Resource[Any], encoder: RowEncoder) -> dict[str, list[Any]]:
    """Return the changes of *entry*, their values written as in the answer to a GET."""
    changes: dict[str, list[Any]] = {}
    for name, pair in entry.changes.items():
        # One by one: each side may lack a value, which the read schema need not allow.
        serialize = encoder.row_serializer((name,))
        sides = [None if value is None else dict(serialize({name: value})) for value in pair]
        shown = [each for each in sides if each is not None]
        if all(shown):
            label = next((each for side in shown for each in side), resource.naming.alias_of(name))
            changes[label] = [None if side is None else side[label] for side in sides]
    return changes
