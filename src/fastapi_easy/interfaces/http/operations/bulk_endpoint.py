"""The endpoint of one resource that makes many changes, and what it answers of each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from fastapi_easy.application import ApplyBulk, BulkAnswer, Change, Create, Delete, Malformed, Update, Upsert
from fastapi_easy.application.changes.items import PLACES
from fastapi_easy.domain import Error, Failure, Invalid, Key, Row, TooLarge
from fastapi_easy.domain.values.value_parsing import write_json
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, Refused, json_answer, refused
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.operations.bulk_document import BulkItems
from fastapi_easy.interfaces.http.problems import Problem, problem_of, told
from fastapi_easy.interfaces.http.requests.body import JSON, read_document
from fastapi_easy.interfaces.http.requests.decode import only, read_pairs
from fastapi_easy.interfaces.http.requests.preconditions import etag
from fastapi_easy.interfaces.http.requests.preferences import Preferences, read_wishes

NOT_APPLIED: Final = {"status": int(HTTPStatus.FAILED_DEPENDENCY)}
"""Of an item that was undone or never tried, because another one failed."""

Result: TypeAlias = dict[str, Any]


class Bulk:
    """Answers the request for many changes."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._resource = surface.resource
        self._items = BulkItems(surface)

    async def apply(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/bulk`."""
        options = self._surface.options
        only(read_pairs(exchange, options.query_limit))
        wish = self._items.read(await read_document(exchange, options, JSON))
        if isinstance(wish, Invalid | TooLarge):
            raise refused(wish)
        preferences, context = read_wishes(exchange)
        applied = await self._surface.use_cases.bulk(ApplyBulk(wish.items, atomic=wish.atomic), context)
        if isinstance(applied, Failure):
            error = applied.failure()
            if isinstance(error, Invalid):
                raise refused(error)
            # Of the commit, which does not say whose fault it was.
            problem = problem_of(error)
            raise Refused(
                replace(problem, faults=tuple(replace(each, pointer="/items") for each in problem.faults))
            )
        return self._answer(wish.items, applied.unwrap(), preferences)

    def _answer(self, items: Sequence[Change], answer: BulkAnswer, preferences: Preferences) -> Answer:
        results: list[Result] = []
        failed: dict[int, Problem] = {}
        for index, (item, outcome) in enumerate(zip(items, answer.outcomes, strict=True)):
            if outcome is None:
                results.append(NOT_APPLIED)
            elif isinstance(outcome, Failure):
                problem = failed[index] = _problem(index, item, outcome.failure())
                results.append({"status": problem.status, "problem": told(problem)})
            else:
                results.append(self._done(item, outcome.unwrap(), preferences))
        if not answer.applied:
            raise Refused(_of_all(*next(iter(failed.items())), results))
        status = 207 if failed else 200
        headers = preferences.applied(minimal=preferences.minimal)
        return json_answer(status, dumps({"results": results}), *headers)

    def _done(self, item: Change, value: Any, preferences: Preferences) -> Result:
        """What is told of *item*, which worked."""
        match item:
            case Create():
                return self._entity(201, value, preferences)
            case Upsert():
                return self._entity(201 if value.created else 200, value.row, preferences)
            case Update():
                return self._entity(200, value, preferences)
            case Delete(key, _):
                return {"status": 204, "key": _key(key)}
            case _:
                return {"status": 200, "affected": value}

    def _entity(self, status: int, row: Row, preferences: Preferences) -> Result:
        told_of: Result = {"status": status, "key": _key(self._resource.key_of(row))}
        if not preferences.minimal:
            told_of["entity"] = self._show(row)
        if preferences.dry_run is None:
            told_of["etag"] = etag(self._resource.version_of(row)).decode("ascii")
        return told_of

    @cached_property
    def _show(self) -> Callable[[Row], Any]:
        return self._surface.encoder.shower()


def _key(key: Key) -> Any:
    """*key* as items name it."""
    return [write_json(part) for part in key] if isinstance(key, tuple) else write_json(key)


def _problem(index: int, item: Change, error: Error) -> Problem:
    """The problem of one item, whose pointers lead into the document."""
    problem = problem_of(error)
    if isinstance(item, Malformed):
        return problem
    inside = PLACES[type(item)]
    faults = (
        replace(each, pointer=f"/items/{index}/{inside}{each.pointer}", source="body")
        for each in problem.faults
    )
    return replace(problem, faults=tuple(faults))


def _of_all(index: int, problem: Problem, results: Sequence[Result]) -> Problem:
    """The *problem* of the item at *index* as that of all, because none was applied."""
    return replace(
        problem,
        detail=f"Item {index}: {problem.detail}",
        # The version is that of one entity, and the answer is about many.
        headers=tuple(each for each in problem.headers if each[0] != b"etag"),
        members={**problem.members, "item": index, "results": results},
    )
