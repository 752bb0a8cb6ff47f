"""The endpoints of one resource that change something. Nothing is answered before the commit."""

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi_easy.application import (
    CreateEntity,
    DeleteEntity,
    PerformAction,
    ReplaceEntity,
    UpdateEntity,
)
from fastapi_easy.domain import Invalid, Patch, Row, version_of
from fastapi_easy.interfaces.http.body import JSON, MERGE_PATCH, read_body, read_document
from fastapi_easy.interfaces.http.decode import only, prefers_minimal, read_context, read_key, read_pairs
from fastapi_easy.interfaces.http.encode import dumps_anything
from fastapi_easy.interfaces.http.endpoints import Endpoint, Surface
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, granted, json_answer, refused
from fastapi_easy.interfaces.http.preconditions import etag, expected_version
from fastapi_easy.interfaces.http.schemas import Reader, action_reader

_MINIMAL = (b"preference-applied", b"return=minimal")


class Writing:
    """Answers the requests that change something."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._use_cases = surface.use_cases
        self._resource = surface.resource
        self._queries = surface.use_cases.queries

    async def create(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books`."""
        values = await self._values(exchange, self._surface.schemas.read_create, JSON)
        row = granted(await self._use_cases.create(CreateEntity(values), read_context(exchange)))
        location = (b"location", self._surface.location(exchange, self._resource.key_of(row)))
        return self._shown(exchange, row, 201, location)

    async def replace(self, exchange: Exchange, segment: bytes) -> Answer:
        """`PUT /books/{key}`."""
        key = read_key(segment, self._queries)
        values = await self._values(exchange, self._surface.schemas.read_replace, JSON)
        context = read_context(exchange)
        version = granted(await expected_version(exchange.headers, key, self._use_cases, context))
        row = granted(await self._use_cases.replace(ReplaceEntity(key, values, version), context))
        return self._shown(exchange, row, 200)

    async def update(self, exchange: Exchange, segment: bytes) -> Answer:
        """`PATCH /books/{key}`."""
        key = read_key(segment, self._queries)
        values = await self._values(exchange, self._surface.schemas.read_update, JSON, MERGE_PATCH)
        context = read_context(exchange)
        version = granted(await expected_version(exchange.headers, key, self._use_cases, context))
        row = granted(await self._use_cases.update(UpdateEntity(key, Patch(values), version), context))
        return self._shown(exchange, row, 200)

    async def delete(self, exchange: Exchange, segment: bytes) -> Answer:
        """`DELETE /books/{key}`."""
        key = read_key(segment, self._queries)
        only(read_pairs(exchange, self._surface.options.query_limit))
        context = read_context(exchange)
        version = granted(await expected_version(exchange.headers, key, self._use_cases, context))
        granted(await self._use_cases.delete(DeleteEntity(key, version), context))
        return Answer(204)

    def action(self, name: str, action: type[Any]) -> Endpoint:
        """`POST /orders/{key}/{action}`."""
        perform = self._use_cases.actions[name]
        read = action_reader(action)
        bodiless = all(
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            for field in dataclasses.fields(action)
        )

        async def answer(exchange: Exchange, segment: bytes) -> Answer:
            key = read_key(segment, self._queries)
            only(read_pairs(exchange, self._surface.options.query_limit))
            if bodiless and b"content-type" not in exchange.headers:
                document: Any = {} if not await read_body(exchange, self._surface.options) else None
            else:
                document = await read_document(exchange, self._surface.options, JSON)
            command = read(document)
            if isinstance(command, Invalid):
                raise refused(command)
            performed = granted(await perform(PerformAction(key, command), read_context(exchange)))
            return self._performed(exchange, performed)

        return answer

    def _performed(self, exchange: Exchange, performed: Any) -> Answer:
        if performed is None:
            return Answer(204)
        if isinstance(performed, Mapping) and set(self._resource.readable) <= performed.keys():
            return self._shown(exchange, Row(performed), 200)
        return json_answer(200, dumps_anything(performed))

    async def _values(self, exchange: Exchange, read: Reader, *types: str) -> dict[str, Any]:
        only(read_pairs(exchange, self._surface.options.query_limit))
        values = read(await read_document(exchange, self._surface.options, *types))
        if isinstance(values, Invalid):
            raise refused(values)
        return values

    def _shown(self, exchange: Exchange, row: Row, status: int, *headers: tuple[bytes, bytes]) -> Answer:
        tag = (b"etag", etag(version_of(row, self._resource.readable)))
        if prefers_minimal(exchange):
            created = status == HTTPStatus.CREATED
            return Answer(status if created else 204, b"" if created else None, (tag, _MINIMAL, *headers))
        return json_answer(status, self._surface.encoder.row(row), tag, *headers)
