"""The endpoints of one resource that read."""

from typing import Final
from urllib.parse import urlencode

from fastapi_easy.application import Context, CountEntities, GetEntity, ListEntities
from fastapi_easy.domain import BadQuery, Outcome, Query
from fastapi_easy.interfaces.http.exchange import (
    REVALIDATE,
    Exchange,
    HttpResponse,
    json_response,
    problem_error,
    unwrap_or_raise,
)
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.problems import problem_members, problem_of
from fastapi_easy.interfaces.http.requests.body import JSON, read_document
from fastapi_easy.interfaces.http.requests.decode import (
    Pairs,
    ignored_pairs,
    read_context,
    read_key,
    read_pairs,
    reject_other_parameters,
)
from fastapi_easy.interfaces.http.requests.known_queries import KnownQueries, ReadQuery
from fastapi_easy.interfaces.http.requests.preconditions import etag, not_modified

_PAGE_PARAMETERS: Final = frozenset({"sort", "fields", "limit", "offset", "cursor", "count", "include"})


class ReadEndpoints:
    """Answers the requests that read."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._queries = http_resource.use_cases.queries
        self._resource = http_resource.resource
        self._limit = http_resource.options.query_limit
        self._known_queries = KnownQueries(self._read_query, self._limit)

    async def get(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `GET /books/{key}`."""
        key = read_key(segment, self._queries)
        query = self._queries.default_query
        if exchange.scope["query_string"]:
            query = unwrap_or_raise(self._queries.for_single_entity(read_pairs(exchange, self._limit)))
        command = GetEntity(key, query.includes, query.as_of)
        row = unwrap_or_raise(await self._use_cases.get(command, read_context(exchange)))
        encoder = self._http_resource.encoder
        if query.includes or query.as_of is not None:
            # No ETag: included entities may change while the version of this one stays, and a state of the past is no
            # version that can be changed.
            return json_response(200, encoder.row(row, query.fields, query.includes))
        version = self._resource.version_of(row)
        tag = (b"etag", etag(version))
        if not_modified(exchange.headers.get(b"if-none-match"), version):
            return HttpResponse(304, headers=(tag, REVALIDATE))
        return json_response(200, encoder.row(row, query.fields), tag)

    async def list(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `GET /books`."""
        context = read_context(exchange)
        read = self._known_queries.read(exchange, context.tenant)
        body, cursor = await self._page(read.query, context, exchange.root)
        links = self._links(exchange, read, cursor)
        return json_response(200, body, (b"link", links)) if links else json_response(200, body)

    async def search(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/search`."""
        reject_other_parameters(read_pairs(exchange, self._limit))
        document = await read_document(exchange, self._http_resource.options, JSON)
        context = read_context(exchange)
        query = unwrap_or_raise(self._queries.from_document(document, tenant=context.tenant))
        body, _ = await self._page(query, context, exchange.root)
        return json_response(200, body)

    async def count(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `GET /books/count`."""
        pairs = read_pairs(exchange, self._limit)
        for name, _ in pairs:
            if name in _PAGE_PARAMETERS:
                raise problem_error(BadQuery(name, "Has no effect on a count; remove it"))
        context = read_context(exchange)
        query = unwrap_or_raise(self._queries.from_parameters(pairs, tenant=context.tenant))
        number = unwrap_or_raise(await self._use_cases.count(CountEntities(query.specification), context))
        return json_response(200, b'{"count":%d}' % number)

    def _read_query(self, pairs: Pairs, tenant: str | None) -> Outcome[Query]:
        return self._queries.from_parameters(pairs, tenant=tenant, takes_as_of=True)

    async def _page(self, query: Query, context: Context, root: str) -> tuple[bytes, str | None]:
        page = unwrap_or_raise(await self._use_cases.list(ListEntities(query), context))
        cursor = None if page.next is None else self._queries.sign(query, page.next, tenant=context.tenant)
        encoder = self._http_resource.encoder
        problems = (
            [problem_members(problem_of(each), root) for each in page.problems] if page.problems else ()
        )
        body = encoder.page(page.items, query.fields, page.total, cursor, query.includes, problems)
        return body, cursor

    def _links(self, exchange: Exchange, read: ReadQuery, cursor: str | None) -> bytes:
        query: bytes = exchange.scope["query_string"]
        pairs = read.pairs
        if read.is_repeatable:
            if cursor is None:
                return b""
            # The first page, which most requests are for: the link is built without parsing or encoding.
            path = self._http_resource.public_path(exchange)
            return b'<%s?%s%scursor=%s>; rel="next"' % (
                path.encode("ascii"),
                query,
                b"&" if query else b"",
                cursor.encode("ascii"),
            )
        kept = [pair for pair in pairs if pair[0] not in {"cursor", "offset"}]
        begins = len(kept) == len(pairs)
        kept += ignored_pairs(exchange)
        links = []
        if cursor is not None:
            links.append(self._link(exchange, [*kept, ("cursor", cursor)], "next"))
        if not begins:
            links.append(self._link(exchange, kept, "first"))
        return ", ".join(links).encode("ascii")

    def _link(self, exchange: Exchange, pairs: Pairs, relation: str) -> str:
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f'<{self._http_resource.public_path(exchange)}{query}>; rel="{relation}"'
