"""Questions asked in Python, of the kernel."""

import dataclasses
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python
from returns.result import Failure, Success

from fastapi_easy.application.changes.items import (
    Change,
    Create,
    Delete,
    DeleteWhere,
    Update,
    UpdateWhere,
    Upsert,
)
from fastapi_easy.application.context import Context, DryRun
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.resources.perform_action import PerformAction
from fastapi_easy.application.resources.streams.import_entities import ImportReport
from fastapi_easy.domain.changes.answers import BulkAnswer
from fastapi_easy.domain.errors import Error
from fastapi_easy.domain.principal import Principal
from fastapi_easy.domain.queries.aggregation import Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import Json
from fastapi_easy.testing.conformance.policy.answers import Answer
from fastapi_easy.testing.conformance.policy.questions import Question

MOST_AFFECTED: Final = 1000
"""Entities that one change by a condition may affect."""


class KernelDoor:
    """Implements `Door`: asks *kernel* as *principal*."""

    name = "python"

    def __init__(self, kernel: Kernel, principal: Principal) -> None:
        self._kernel = kernel
        self._principal = principal

    async def ask(self, resource: Resource[Any], question: Question) -> Answer | None:
        """Return the answer to *question*."""
        if question.where is not None:
            return None
        acting = self._kernel.acting_as(self._principal, dry_run=question.dry_run)
        outcome = await self._call(acting, resource, question)
        if outcome is None:
            return None
        if isinstance(outcome, Failure):
            return _refusal(outcome.failure())
        answered = outcome.unwrap()
        if question.operation == Operation.AGGREGATE:
            answered = [_named_group(group, question.params) for group in answered]
        return await _answer(answered, resource)

    async def _call(self, kernel: Kernel, resource: Resource[Any], question: Question) -> Any:  # noqa: C901, PLR0911, PLR0912 (a line for each operation)
        bound: Any = kernel.resource(resource.name)
        key, params, values = question.key, question.params, question.values or {}
        version = {"expected_version": question.version} if question.version is not None else {}
        match question.operation:
            case Operation.CREATE:
                return await bound.create(values)
            case Operation.GET:
                return await bound.get(key, **params)
            case Operation.LIST:
                return await bound.list(**params)
            case Operation.COUNT:
                return await bound.count(**params)
            case Operation.AGGREGATE:
                return await bound.aggregate(**params)
            case Operation.EXPORT:
                return await bound.export(**params)
            case Operation.CHANGES:
                # A stream has no answer by itself: what it tells is in the tests of the feed.
                return None
            case Operation.HISTORY:
                # Of resources that are audited only: see the tests of histories.
                return None
            case Operation.REPLACE:
                return await bound.replace(key, values, **version)
            case Operation.UPDATE:
                return await bound.update(key, values, **version)
            case Operation.DELETE:
                return await bound.delete(key, **version)
            case Operation.RESTORE:
                return await bound.restore(key) if resource.soft_delete else None
            case Operation.PURGE:
                return await bound.purge(key) if resource.soft_delete else None
            case Operation.UPSERT:
                return await bound.upsert(values) if resource.upsert_by else None
            case Operation.BULK:
                items = [self._item(resource, each) for each in question.items]
                return await bound.bulk([each for each in items if each], atomic=question.atomic)
            case Operation.IMPORT:
                mode = params.get("mode", "auto")
                return await bound.import_(question.lines, mode=mode, upsert=params.get("upsert", False))
            case action:
                use_cases = kernel.use_cases(resource.name)
                command = PerformAction(key, Json(dict(values)), question.version)
                return await use_cases.actions[action](command, self._context(question))

    def _context(self, question: Question) -> Context:
        dry_run = DryRun() if question.dry_run else None
        return Context(principal=self._principal, tenant=self._principal.tenant, dry_run=dry_run)

    def _item(self, resource: Resource[Any], item: tuple[str, Any, Any]) -> Change | None:
        kind, about, values = item
        if kind.endswith("_where"):
            condition = self._kernel.use_cases(resource.name).queries.condition(about, "/where")
            if isinstance(condition, Failure):
                return None
            if kind == "update_where":
                return UpdateWhere(condition.unwrap(), Json(values), MOST_AFFECTED)
            return DeleteWhere(condition.unwrap(), MOST_AFFECTED)
        if kind == "update":
            return Update(about, Json(values))
        if kind == "delete":
            return Delete(about)
        return Upsert(Json(values)) if kind == "upsert" else Create(Json(values))


def _named_group(group: Group, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *group* in the form that HTTP gives it."""
    names, measures = params.get("group_by", ""), params.get("total", "count")
    return {
        "by": dict(zip(names.split(","), group.by, strict=True)) if names else {},
        "totals": dict(zip(measures.split(","), group.totals, strict=True)),
    }


def _refusal(error: Error) -> Answer:
    content = {
        each.name: getattr(error, each.name) for each in dataclasses.fields(error) if each.name != "key"
    }
    return Answer(done=False, content=to_jsonable_python(content, fallback=str), kind=error.code)


async def _answer(value: Any, resource: Resource[Any]) -> Answer:
    if isinstance(value, BulkAnswer):
        outcomes = [_outcome(each) for each in value.outcomes]
        return Answer(
            done=value.applied and any(each.done for each in outcomes),
            content=[each.content for each in outcomes],
            kind=" ".join(each.kind for each in outcomes),
        )
    if isinstance(value, ImportReport):
        failed = [_refusal(error).content for _, error in value.failed]
        counts = {"created": value.created, "updated": value.updated}
        return Answer(done=value.created + value.updated > 0, content=[counts, failed], kind="imported")
    if isinstance(value, Page):
        return Answer(
            done=True,
            content={"items": _plain(value.items), "total": value.total},
            kind="page",
            cursor=value.next,
        )
    if isinstance(value, AsyncIterable):
        value = [row async for batch in value for row in batch]
    version = resource.version_of(value) if _is_whole(value, resource) else None
    return Answer(done=value != 0, content=_plain(value), kind="done", version=version)


def _outcome(outcome: Any) -> Answer:
    if outcome is None:
        return Answer(done=False, content=None, kind="undone")
    if isinstance(outcome, Success):
        value = outcome.unwrap()
        return Answer(done=value != 0, content=_plain(value), kind="done")
    return _refusal(outcome.failure())


def _is_whole(value: Any, resource: Resource[Any]) -> bool:
    return isinstance(value, Mapping) and value.keys() >= set(resource.readable)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return to_jsonable_python(value, fallback=str)
