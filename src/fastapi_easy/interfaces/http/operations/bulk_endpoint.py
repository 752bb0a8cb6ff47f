"""The endpoint of one resource that makes many changes, with a result for each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from fastapi_easy.application import ApplyBulk, BulkAnswer, Change, Create, Delete, Malformed, Update, Upsert
from fastapi_easy.application.changes.items import pointer_to_values
from fastapi_easy.domain import Error, Failure, Invalid, Row, TooLarge
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.formats.shown_key import shown_key
from fastapi_easy.interfaces.http.exchange import (
    Exchange,
    HttpResponse,
    ProblemError,
    json_response,
    problem_error,
)
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.operations.bulk_document import BulkDocumentReader
from fastapi_easy.interfaces.http.problems import Problem, problem_members, problem_of
from fastapi_easy.interfaces.http.requests.body import JSON, read_document
from fastapi_easy.interfaces.http.requests.decode import read_pairs, reject_other_parameters
from fastapi_easy.interfaces.http.requests.preconditions import etag
from fastapi_easy.interfaces.http.requests.preferences import Preferences, read_change_context

NOT_APPLIED: Final = {"status": int(HTTPStatus.FAILED_DEPENDENCY)}
"""The result of an item that was rolled back or never tried, because another one failed."""

Result: TypeAlias = dict[str, Any]


class BulkEndpoint:
    """Answers the request for many changes in one document."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._resource = http_resource.resource
        self._items = BulkDocumentReader(http_resource)

    async def apply(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/bulk`."""
        options = self._http_resource.options
        reject_other_parameters(read_pairs(exchange, options.query_limit))
        bulk_request = self._items.read(await read_document(exchange, options, JSON))
        if isinstance(bulk_request, Invalid | TooLarge):
            raise problem_error(bulk_request)
        preferences, context = read_change_context(exchange)
        applied = await self._http_resource.use_cases.bulk(
            ApplyBulk(bulk_request.items, atomic=bulk_request.atomic), context
        )
        if isinstance(applied, Failure):
            error = applied.failure()
            if isinstance(error, Invalid):
                raise problem_error(error)
            # The commit failed, which does not tell which item caused it.
            problem = problem_of(error)
            raise ProblemError(
                replace(problem, faults=tuple(replace(each, pointer="/items") for each in problem.faults))
            )
        return self._answer(bulk_request.items, applied.unwrap(), preferences, exchange.root)

    def _answer(
        self, items: Sequence[Change], answer: BulkAnswer, preferences: Preferences, root: str
    ) -> HttpResponse:
        results: list[Result] = []
        failed: dict[int, Problem] = {}
        for index, (item, outcome) in enumerate(zip(items, answer.outcomes, strict=True)):
            if outcome is None:
                results.append(NOT_APPLIED)
            elif isinstance(outcome, Failure):
                problem = failed[index] = _item_problem(index, item, outcome.failure())
                results.append({"status": problem.status, "problem": problem_members(problem, root)})
            else:
                results.append(self._success_result(item, outcome.unwrap(), preferences))
        if not answer.applied:
            raise ProblemError(_atomic_problem(*next(iter(failed.items())), results))
        status = 207 if failed else 200
        headers = preferences.response_headers(minimal=preferences.minimal)
        return json_response(status, dumps({"results": results}), *headers)

    def _success_result(self, item: Change, value: Any, preferences: Preferences) -> Result:
        """Return the result of *item*, which succeeded."""
        match item:
            case Create():
                return self._entity(201, value, preferences)
            case Upsert():
                return self._entity(201 if value.created else 200, value.row, preferences)
            case Update():
                return self._entity(200, value, preferences)
            case Delete(key, _):
                return {"status": 204, "key": shown_key(key)}
            case _:
                return {"status": 200, "affected": value}

    def _entity(self, status: int, row: Row, preferences: Preferences) -> Result:
        result: Result = {"status": status, "key": shown_key(self._resource.key_of(row))}
        if not preferences.minimal:
            result["entity"] = self._serialize(row)
        if preferences.dry_run is None:
            result["etag"] = etag(self._resource.version_of(row)).decode("ascii")
        return result

    @cached_property
    def _serialize(self) -> Callable[[Row], Any]:
        return self._http_resource.encoder.row_serializer()


def _item_problem(index: int, item: Change, error: Error) -> Problem:
    """Return the problem of one item, whose pointers lead into the document."""
    problem = problem_of(error)
    if isinstance(item, Malformed):
        return problem
    inside = pointer_to_values(item)
    faults = (
        replace(each, pointer=f"/items/{index}/{inside}{each.pointer}", source="body")
        for each in problem.faults
    )
    return replace(problem, faults=tuple(faults))


def _atomic_problem(index: int, problem: Problem, results: Sequence[Result]) -> Problem:
    """Return the *problem* of the item at *index* as that of the whole bulk, of which nothing was applied."""
    return replace(
        problem,
        detail=f"Item {index}: {problem.detail}",
        # The version is that of one entity, and the answer is about many.
        headers=tuple(each for each in problem.headers if each[0] != b"etag"),
        members={**problem.members, "item": index, "results": results},
    )
