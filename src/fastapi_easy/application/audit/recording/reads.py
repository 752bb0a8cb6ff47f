"""Who read which entities, of resources that are declared with `Audit(reads=True)`."""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.recording.entry_queue import EntryQueue
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.audit.recorded import plain_key
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.plain_json import to_plain_json

READS_LOST: Final = "audit.reads.lost"
"""The action of the entry that says how many reads were not recorded."""

_READING: Final = (Operation.GET, Operation.LIST, Operation.EXPORT, Operation.HISTORY)


class ReadLog:
    """Records reads, after they were answered and without keeping anybody waiting.

    Args:
        trail: Where they are recorded.

        limit: Reads that wait to be written at most, for each database; others are lost, and counted.
    """

    def __init__(self, trail: AuditTrail, limit: int = 10_000) -> None:
        self._trail = trail
        reading = {each.database for each in trail.resources.values() if each.audit and each.audit.reads}
        self._queues: Mapping[str, EntryQueue] = {
            name: EntryQueue(trail, name, lost_action=READS_LOST, limit=limit) for name in sorted(reading)
        }

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Write what is recorded while the block runs, and the rest at its end."""
        async with AsyncExitStack() as stack:
            for queue in self._queues.values():
                await stack.enter_async_context(queue.opened())
            yield

    def add(
        self,
        resource: Resource[Any],
        action: str,
        context: Context,
        key: Any = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that the caller of *context* has read entities of *resource*."""
        entry = self._trail.entry(
            str(action),
            stream=self._trail.stream_of_read(resource.name, key, context.tenant),
            actor=context.principal.id,
            resource=resource.name,
            key=key,
            tenant=context.tenant,
            correlation_id=context.correlation_id,
            changes=details or {},
        )
        self._queues[resource.database].add(entry)


def record_reads(log: ReadLog) -> Step:
    """Return the step that records each answer to `get`, `list`, `export` and `history`.

    It costs nothing for other resources.
    """

    def step(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        audit, resource, action = target.resource.audit, target.resource, target.action
        if audit is None or not audit.reads or action not in _READING:
            return handler

        async def recorded(command: Any, context: Context, /) -> Outcome[Any]:
            answered = await handler(command, context)
            if isinstance(answered, Failure):
                return answered
            if action == Operation.HISTORY:
                log.add(resource, action, context, plain_key(command.key))
                return answered
            match answered.unwrap():
                case Row():
                    log.add(resource, action, context, plain_key(command.key), _past(command.as_of))
                case Page(items=rows):
                    details = {**_keys_of(resource, rows), **_past(command.query.as_of)}
                    log.add(resource, action, context, details=details)
                case AsyncIterator() as batches:
                    return Success(_counted(log, resource, context, batches))
                case _:
                    log.add(resource, action, context)
            return answered

        return recorded

    return step


def _past(as_of: datetime.datetime | None) -> Mapping[str, Any]:
    """Return what an entry says of the time in the past that was asked for."""
    return {} if as_of is None else {"as_of": to_plain_json(as_of)}


def _keys_of(resource: Resource[Any], rows: Sequence[Row]) -> Mapping[str, Any]:
    """Return which entities *rows* are, as far as they say so: a caller may have asked for other fields only."""
    known = [plain_key(resource.key_of(row)) for row in rows if all(name in row for name in resource.key)]
    return {"keys": known} if len(known) == len(rows) else {"count": len(rows)}


async def _counted(
    log: ReadLog, resource: Resource[Any], context: Context, batches: AsyncIterator[Sequence[Row]]
) -> AsyncIterator[Sequence[Row]]:
    """Pass *batches* on, and record at the end how many entities that were, also when the reader has left."""
    count, is_complete = 0, False
    try:
        async for batch in batches:
            count += len(batch)
            yield batch
        is_complete = True
    finally:
        log.add(resource, Operation.EXPORT, context, details={"count": count, "complete": is_complete})
