"""The endpoints of one resource that write. No response begins before the commit."""

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
from fastapi_easy.domain import Error, Failure, Fault, Invalid, Json, JsonMergePatch, Outcome, Row
from fastapi_easy.interfaces.formats.encode import dumps_with_fallback
from fastapi_easy.interfaces.http.exchange import (
    Exchange,
    HttpResponse,
    ProblemError,
    json_response,
    problem_error,
    unwrap_or_raise,
)
from fastapi_easy.interfaces.http.http_resource import Endpoint, HttpResource
from fastapi_easy.interfaces.http.requests.body import (
    JSON,
    MERGE_PATCH,
    media_type_of,
    read_body,
    read_document,
    read_optional_document,
)
from fastapi_easy.interfaces.http.requests.decode import read_key, read_pairs, reject_other_parameters
from fastapi_easy.interfaces.http.requests.preconditions import change_deleted, etag, expected_version
from fastapi_easy.interfaces.http.requests.preferences import Preferences, read_change_context


class WriteEndpoints:
    """Answers the requests that write."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._resource = http_resource.resource
        self._queries = http_resource.use_cases.queries

    async def create(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books`."""
        given = await self._read_values(exchange, JSON)
        preferences, context = read_change_context(exchange)
        row = unwrap_or_raise(await self._use_cases.create(CreateEntity(given), context))
        return self._created(exchange, preferences, row)

    async def upsert(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/upsert`."""
        given = await self._read_values(exchange, JSON)
        preferences, context = read_change_context(exchange)
        done = unwrap_or_raise(await self._use_cases.upsert(UpsertEntity(given), context))
        if done.created:
            return self._created(exchange, preferences, done.row)
        return self._entity_response(preferences, done.row, 200)

    async def replace(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `PUT /books/{key}`."""
        key = read_key(segment, self._queries)
        given = await self._read_values(exchange, JSON)
        preferences, context = read_change_context(exchange)
        version = await expected_version(exchange.headers, key, self._use_cases, context)
        if isinstance(version, Failure):
            raise self._most_specific_problem(self._use_cases.validator().replace(given), version)
        row = unwrap_or_raise(
            await self._use_cases.replace(ReplaceEntity(key, given, version.unwrap()), context)
        )
        return self._entity_response(preferences, row, 200)

    async def update(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `PATCH /books/{key}`."""
        key = read_key(segment, self._queries)
        given = await self._read_values(exchange, JSON, MERGE_PATCH)
        if (
            exchange.headers.get(b"content-type") != b"application/json"
            and media_type_of(exchange, JSON, MERGE_PATCH) == MERGE_PATCH
        ):
            given = JsonMergePatch(given.document)
        preferences, context = read_change_context(exchange)
        version = await expected_version(exchange.headers, key, self._use_cases, context)
        if isinstance(version, Failure):
            raise self._most_specific_problem(self._use_cases.validator().update(given), version)
        row = unwrap_or_raise(
            await self._use_cases.update(UpdateEntity(key, given, version.unwrap()), context)
        )
        return self._entity_response(preferences, row, 200)

    async def delete(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `DELETE /books/{key}`."""
        key = read_key(segment, self._queries)
        reject_other_parameters(read_pairs(exchange, self._http_resource.options.query_limit))
        preferences, context = read_change_context(exchange)
        version = unwrap_or_raise(await expected_version(exchange.headers, key, self._use_cases, context))
        unwrap_or_raise(await self._use_cases.delete(DeleteEntity(key, version), context))
        return HttpResponse(204, headers=preferences.response_headers(minimal=False))

    async def restore(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/{key}/restore`."""
        key = read_key(segment, self._queries)
        await self._expect_empty_body(exchange)
        preferences, context = read_change_context(exchange)
        restored = await change_deleted(
            exchange.headers, lambda version: self._use_cases.restore(RestoreEntity(key, version), context)
        )
        return self._entity_response(preferences, unwrap_or_raise(restored), 200)

    async def purge(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/{key}/purge`."""
        key = read_key(segment, self._queries)
        await self._expect_empty_body(exchange)
        preferences, context = read_change_context(exchange)
        purged = await change_deleted(
            exchange.headers, lambda version: self._use_cases.purge(PurgeEntity(key, version), context)
        )
        unwrap_or_raise(purged)
        return HttpResponse(204, headers=preferences.response_headers(minimal=False))

    def action(self, name: str, action: type[Any]) -> Endpoint:
        """Return the endpoint of `POST /orders/{key}/{action}`."""
        perform = self._use_cases.actions[name]
        is_body_optional = all(
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            for field in dataclasses.fields(action)
        )
        read = read_optional_document if is_body_optional else read_document

        async def answer(exchange: Exchange, segment: bytes) -> HttpResponse:
            key = read_key(segment, self._queries)
            reject_other_parameters(read_pairs(exchange, self._http_resource.options.query_limit))
            given = Json(await read(exchange, self._http_resource.options, JSON))
            preferences, context = read_change_context(exchange)
            version = await expected_version(exchange.headers, key, self._use_cases, context)
            if isinstance(version, Failure):
                raise self._most_specific_problem(self._use_cases.validator().action(name, given), version)
            performed = unwrap_or_raise(await perform(PerformAction(key, given, version.unwrap()), context))
            return self._action_response(preferences, performed)

        return answer

    def _action_response(self, preferences: Preferences, performed: object) -> HttpResponse:
        if performed is None:
            return HttpResponse(204, headers=preferences.response_headers(minimal=False))
        if isinstance(performed, Mapping) and set(self._resource.readable) <= performed.keys():
            return self._entity_response(preferences, Row(performed), 200)
        return json_response(
            200, dumps_with_fallback(performed), *preferences.response_headers(minimal=False)
        )

    async def _expect_empty_body(self, exchange: Exchange) -> None:
        """Refuse parameters and a body; an empty object is none."""
        reject_other_parameters(read_pairs(exchange, self._http_resource.options.query_limit))
        if (await read_body(exchange, self._http_resource.options)).strip() not in {b"", b"{}"}:
            raise problem_error(Invalid((Fault("", "Takes no body", "no_body"),)))

    async def _read_values(self, exchange: Exchange, *types: str) -> Json:
        if exchange.scope["query_string"]:
            reject_other_parameters(read_pairs(exchange, self._http_resource.options.query_limit))
        return Json(await read_document(exchange, self._http_resource.options, *types))

    @staticmethod
    def _most_specific_problem(checked: Outcome[object], version: Failure[Error]) -> ProblemError:
        """Return the problem of the body, which no version could mend, or else that of the *version*."""
        return problem_error(checked.failure() if isinstance(checked, Failure) else version.failure())

    def _created(self, exchange: Exchange, preferences: Preferences, row: Row) -> HttpResponse:
        if preferences.dry_run is not None:
            # Rolled back: there is nothing to find at a location.
            return self._entity_response(preferences, row, 201)
        location = (b"location", self._http_resource.location(exchange, self._resource.key_of(row)))
        return self._entity_response(preferences, row, 201, location)

    def _entity_response(
        self, preferences: Preferences, row: Row, status: int, *headers: tuple[bytes, bytes]
    ) -> HttpResponse:
        if preferences.minimal or preferences.dry_run is not None:
            headers = (*headers, *preferences.response_headers(minimal=preferences.minimal))
        if preferences.dry_run is None:
            # The version was rolled back, and another change may get the same one.
            headers = ((b"etag", etag(self._resource.version_of(row))), *headers)
        if preferences.minimal:
            created = status == HTTPStatus.CREATED
            return HttpResponse(status if created else 204, b"" if created else None, headers)
        return json_response(status, self._http_resource.encoder.row(row), *headers)
