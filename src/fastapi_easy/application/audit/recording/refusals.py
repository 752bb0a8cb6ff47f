"""Who was refused what."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from returns.result import Failure

from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.changes.bulk_changes import AllSucceeded
from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.audit.recorded import plain_key
from fastapi_easy.domain.changes.answers import BulkAnswer
from fastapi_easy.domain.errors import Error, Forbidden, Key, NotFound, Outcome, Unauthenticated
from fastapi_easy.domain.resources.resource import Resource

FindHidden: TypeAlias = Callable[[Resource[Any], Key], Awaitable[bool]]
"""Returns whether there is an entity with a key, whoever asks."""

HIDDEN: Final = "hidden"
"""The outcome of a call for an entity that is there, but not for the caller, who is told that there is none."""


def record_refusals(log: SecurityLog, find_hidden: FindHidden | None = None) -> Step:
    """Return the step that records who was refused what, whatever the resource is declared with.

    Args:
        log: Where.

        find_hidden: Tells a missing entity from one that the caller may not see, for resources that are audited; `None`
            where every caller sees all.
    """

    def step(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        resource, action = target.resource, str(target.action)
        looks = find_hidden if resource.audit is not None else None

        async def recorded(command: Any, context: Context, /) -> Outcome[Any]:
            outcome = await handler(command, context)
            if isinstance(outcome, Failure):
                error: Error = outcome.failure()
                if isinstance(error, Forbidden | Unauthenticated):
                    await _refuse(log, resource, action, context, error, command)
                elif isinstance(error, NotFound) and looks is not None and error.resource == resource.name:
                    await _refuse_hidden(log, looks, resource, action, context, error.key)
            elif isinstance(answer := outcome.unwrap(), BulkAnswer):
                await _refuse_items(log, resource, action, context, answer)
            return outcome

        return recorded

    return step


async def _refuse(
    log: SecurityLog, resource: Resource[Any], action: str, context: Context, error: Error, command: Any
) -> None:
    key = getattr(command, "key", None)
    field = getattr(error, "field", None)
    await log.refuse(
        getattr(error, "action", action),
        address=context.address,
        actor=context.principal.id,
        resource=getattr(error, "resource", resource.name),
        key=None if key is None else plain_key(key),
        outcome=error.code,
        tenant=context.tenant,
        correlation_id=context.correlation_id,
        changes={} if field is None else {"field": field},
    )


async def _refuse_hidden(
    log: SecurityLog, looks: FindHidden, resource: Resource[Any], action: str, context: Context, key: Key
) -> None:
    if not await looks(resource, key):
        return
    await log.refuse(
        action,
        address=context.address,
        waits=False,
        actor=context.principal.id,
        resource=resource.name,
        key=plain_key(key),
        outcome=HIDDEN,
        tenant=context.tenant,
        correlation_id=context.correlation_id,
    )


async def _refuse_items(
    log: SecurityLog, resource: Resource[Any], action: str, context: Context, answer: BulkAnswer
) -> None:
    if isinstance(answer.outcomes, AllSucceeded):
        return
    for outcome in answer.outcomes:
        if isinstance(outcome, Failure) and isinstance(outcome.failure(), Forbidden | Unauthenticated):
            await _refuse(log, resource, action, context, outcome.failure(), None)
