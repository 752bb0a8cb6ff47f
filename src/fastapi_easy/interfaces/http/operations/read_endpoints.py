"""The endpoints of one resource that only read."""

import re
from typing import Final
from urllib.parse import urlencode

from fastapi_easy.application import Context, CountEntities, GetEntity, ListEntities
from fastapi_easy.domain import BadQuery, Query
from fastapi_easy.interfaces.http.exchange import REVALIDATE, Answer, Exchange, granted, json_answer, refused
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.requests.body import JSON, read_document
from fastapi_easy.interfaces.http.requests.decode import (
    Pairs,
    only,
    read_context,
    read_key,
    read_pairs,
    unread_pairs,
)
from fastapi_easy.interfaces.http.requests.preconditions import etag, not_modified

_OF_A_PAGE: Final = frozenset({"sort", "fields", "limit", "offset", "cursor", "count", "include"})


_HARMLESS: Final = re.compile(rb"(?:(?!cursor=|offset=)[A-Za-z_][\w.]*=[\w.,:~-]*(?:&(?!$)|$))*")
"""A query string that can be repeated as it is: nothing in it is encoded, nor says where the page begins."""


class Reading:
    """Answers the requests that change nothing."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._use_cases = surface.use_cases
        self._queries = surface.use_cases.queries
        self._resource = surface.resource
        self._limit = surface.options.query_limit

    async def get(self, exchange: Exchange, segment: bytes) -> Answer:
        """`GET /books/{key}`."""
        key = read_key(segment, self._queries)
        query = granted(self._queries.of_one(read_pairs(exchange, self._limit)))
        row = granted(await self._use_cases.get(GetEntity(key, query.includes), read_context(exchange)))
        encoder = self._surface.encoder
        if query.includes:
            # No tag: what is beside the entity may change while the entity's own version stays.
            return json_answer(200, encoder.row(row, query.fields, query.includes))
        version = self._resource.version_of(row)
        tag = (b"etag", etag(version))
        if not_modified(exchange.headers.get(b"if-none-match"), version):
            return Answer(304, headers=(tag, REVALIDATE))
        return json_answer(200, encoder.row(row, query.fields), tag)

    async def list(self, exchange: Exchange, segment: bytes) -> Answer:
        """`GET /books`."""
        pairs = read_pairs(exchange, self._limit)
        context = read_context(exchange)
        query = granted(self._queries.from_parameters(pairs, tenant=context.tenant))
        body, cursor = await self._page(query, context)
        links = self._links(exchange, pairs, cursor)
        return json_answer(200, body, (b"link", links)) if links else json_answer(200, body)

    async def search(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/search`."""
        only(read_pairs(exchange, self._limit))
        document = await read_document(exchange, self._surface.options, JSON)
        context = read_context(exchange)
        query = granted(self._queries.from_document(document, tenant=context.tenant))
        body, _ = await self._page(query, context)
        return json_answer(200, body)

    async def count(self, exchange: Exchange, segment: bytes) -> Answer:
        """`GET /books/count`."""
        pairs = read_pairs(exchange, self._limit)
        for name, _ in pairs:
            if name in _OF_A_PAGE:
                raise refused(BadQuery(name, "Says nothing about a count; leave it out"))
        context = read_context(exchange)
        query = granted(self._queries.from_parameters(pairs, tenant=context.tenant))
        number = granted(await self._use_cases.count(CountEntities(query.specification), context))
        return json_answer(200, b'{"count":%d}' % number)

    async def _page(self, query: Query, context: Context) -> tuple[bytes, str | None]:
        page = granted(await self._use_cases.list(ListEntities(query), context))
        cursor = None if page.next is None else self._queries.seal(query, page.next, tenant=context.tenant)
        encoder = self._surface.encoder
        return encoder.page(page.items, query.fields, page.total, cursor, query.includes), cursor

    def _links(self, exchange: Exchange, pairs: Pairs, cursor: str | None) -> bytes:
        query: bytes = exchange.scope["query_string"]
        if cursor is not None and _HARMLESS.fullmatch(query):
            # The first page of a walk that began without a cursor, as most do.
            path = self._surface.public_path(exchange)
            return b'<%s?%s%scursor=%s>; rel="next"' % (
                path.encode("ascii"),
                query,
                b"&" if query else b"",
                cursor.encode("ascii"),
            )
        kept = [pair for pair in pairs if pair[0] not in {"cursor", "offset"}]
        begins = len(kept) == len(pairs)
        kept += unread_pairs(exchange)
        links = []
        if cursor is not None:
            links.append(self._link(exchange, [*kept, ("cursor", cursor)], "next"))
        if not begins:
            links.append(self._link(exchange, kept, "first"))
        return ", ".join(links).encode("ascii")

    def _link(self, exchange: Exchange, pairs: Pairs, relation: str) -> str:
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f'<{self._surface.public_path(exchange)}{query}>; rel="{relation}"'
