"""The endpoints of one resource that change something. Nothing is answered before the commit."""

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi_easy.application import (
    CreateEntity,
    DeleteEntity,
    PerformAction,
    PurgeEntity,
    ReplaceEntity,
    RestoreEntity,
    UpdateEntity,
    UpsertEntity,
)
from fastapi_easy.domain import Error, Failure, Fault, Invalid, Json, Outcome, Row
from fastapi_easy.interfaces.formats.encode import dumps_anything
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, Refused, granted, json_answer, refused
from fastapi_easy.interfaces.http.http_resource import Endpoint, Surface
from fastapi_easy.interfaces.http.requests.body import JSON, MERGE_PATCH, read_body, read_document
from fastapi_easy.interfaces.http.requests.decode import only, read_key, read_pairs
from fastapi_easy.interfaces.http.requests.preconditions import change_deleted, etag, expected_version
from fastapi_easy.interfaces.http.requests.preferences import Preferences, read_wishes


class Writing:
    """Answers the requests that change something."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._use_cases = surface.use_cases
        self._resource = surface.resource
        self._queries = surface.use_cases.queries

    async def create(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books`."""
        given = await self._given(exchange, JSON)
        preferences, context = read_wishes(exchange)
        row = granted(await self._use_cases.create(CreateEntity(given), context))
        return self._created(exchange, preferences, row)

    async def upsert(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/upsert`."""
        given = await self._given(exchange, JSON)
        preferences, context = read_wishes(exchange)
        done = granted(await self._use_cases.upsert(UpsertEntity(given), context))
        if done.created:
            return self._created(exchange, preferences, done.row)
        return self._shown(preferences, done.row, 200)

    async def replace(self, exchange: Exchange, segment: bytes) -> Answer:
        """`PUT /books/{key}`."""
        key = read_key(segment, self._queries)
        given = await self._given(exchange, JSON)
        preferences, context = read_wishes(exchange)
        version = await expected_version(exchange.headers, key, self._use_cases, context)
        if isinstance(version, Failure):
            raise self._refused(self._use_cases.validator().replace(given), version)
        row = granted(await self._use_cases.replace(ReplaceEntity(key, given, version.unwrap()), context))
        return self._shown(preferences, row, 200)

    async def update(self, exchange: Exchange, segment: bytes) -> Answer:
        """`PATCH /books/{key}`."""
        key = read_key(segment, self._queries)
        given = await self._given(exchange, JSON, MERGE_PATCH)
        preferences, context = read_wishes(exchange)
        version = await expected_version(exchange.headers, key, self._use_cases, context)
        if isinstance(version, Failure):
            raise self._refused(self._use_cases.validator().update(given), version)
        row = granted(await self._use_cases.update(UpdateEntity(key, given, version.unwrap()), context))
        return self._shown(preferences, row, 200)

    async def delete(self, exchange: Exchange, segment: bytes) -> Answer:
        """`DELETE /books/{key}`."""
        key = read_key(segment, self._queries)
        only(read_pairs(exchange, self._surface.options.query_limit))
        preferences, context = read_wishes(exchange)
        version = granted(await expected_version(exchange.headers, key, self._use_cases, context))
        granted(await self._use_cases.delete(DeleteEntity(key, version), context))
        return Answer(204, headers=preferences.applied(minimal=False))

    async def restore(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/{key}/restore`."""
        key = read_key(segment, self._queries)
        await self._nothing(exchange)
        preferences, context = read_wishes(exchange)
        restored = await change_deleted(
            exchange.headers, lambda version: self._use_cases.restore(RestoreEntity(key, version), context)
        )
        return self._shown(preferences, granted(restored), 200)

    async def purge(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/{key}/purge`."""
        key = read_key(segment, self._queries)
        await self._nothing(exchange)
        preferences, context = read_wishes(exchange)
        purged = await change_deleted(
            exchange.headers, lambda version: self._use_cases.purge(PurgeEntity(key, version), context)
        )
        granted(purged)
        return Answer(204, headers=preferences.applied(minimal=False))

    def action(self, name: str, action: type[Any]) -> Endpoint:
        """`POST /orders/{key}/{action}`."""
        perform = self._use_cases.actions[name]
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
            given = Json(document)
            preferences, context = read_wishes(exchange)
            version = await expected_version(exchange.headers, key, self._use_cases, context)
            if isinstance(version, Failure):
                raise self._refused(self._use_cases.validator().action(name, given), version)
            performed = granted(await perform(PerformAction(key, given, version.unwrap()), context))
            return self._performed(preferences, performed)

        return answer

    def _performed(self, preferences: Preferences, performed: Any) -> Answer:
        if performed is None:
            return Answer(204, headers=preferences.applied(minimal=False))
        if isinstance(performed, Mapping) and set(self._resource.readable) <= performed.keys():
            return self._shown(preferences, Row(performed), 200)
        return json_answer(200, dumps_anything(performed), *preferences.applied(minimal=False))

    async def _nothing(self, exchange: Exchange) -> None:
        """Refuse parameters and a body; an empty object is none."""
        only(read_pairs(exchange, self._surface.options.query_limit))
        if (await read_body(exchange, self._surface.options)).strip() not in {b"", b"{}"}:
            raise refused(Invalid((Fault("", "Takes no body", "no_body"),)))

    async def _given(self, exchange: Exchange, *types: str) -> Json:
        if exchange.scope["query_string"]:
            only(read_pairs(exchange, self._surface.options.query_limit))
        return Json(await read_document(exchange, self._surface.options, *types))

    @staticmethod
    def _refused(checked: Outcome[Any], version: Failure[Error]) -> Refused:
        """Why nothing was changed: a body that no version could mend comes before the *version* that was not there."""
        return refused(checked.failure() if isinstance(checked, Failure) else version.failure())

    def _created(self, exchange: Exchange, preferences: Preferences, row: Row) -> Answer:
        if preferences.dry_run is not None:
            # Nothing is there to be found.
            return self._shown(preferences, row, 201)
        location = (b"location", self._surface.location(exchange, self._resource.key_of(row)))
        return self._shown(preferences, row, 201, location)

    def _shown(
        self, preferences: Preferences, row: Row, status: int, *headers: tuple[bytes, bytes]
    ) -> Answer:
        if preferences.minimal or preferences.dry_run is not None:
            headers = (*headers, *preferences.applied(minimal=preferences.minimal))
        if preferences.dry_run is None:
            # A version that was rolled back is none: another change may get the same.
            headers = ((b"etag", etag(self._resource.version_of(row))), *headers)
        if preferences.minimal:
            created = status == HTTPStatus.CREATED
            return Answer(status if created else 204, b"" if created else None, headers)
        return json_answer(status, self._surface.encoder.row(row), *headers)
