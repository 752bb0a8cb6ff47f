"""The step that records every call as a span."""

from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.errors import (
    DeadlineExceeded,
    LockLost,
    Outcome,
    OutcomeUnknown,
    Unavailable,
)
from fastapi_easy.domain.ports.tracer import Tracer

_BROKEN: Final = (Unavailable, OutcomeUnknown, DeadlineExceeded, LockLost)
"""The errors that are no fault of the caller; they mark the span as failed."""


def trace(tracer: Tracer) -> Step:
    """Record every call as a span `books.create`, around all that is done for it.

    The stream of an export is read after the call has returned, so its statements lie outside of the span.
    """

    def wrap(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        name = f"{target.resource.name}.{target.action}"
        known = {"fastapi_easy.resource": target.resource.name, "fastapi_easy.action": str(target.action)}

        async def traced(command: object, context: Context, /) -> Outcome[Any]:
            attributes = {**known, "fastapi_easy.correlation_id": context.correlation_id}
            with tracer.span(name, attributes) as span:
                outcome = await handler(command, context)
                if isinstance(outcome, Failure):
                    error = outcome.failure()
                    span.fail(error.code, broken=isinstance(error, _BROKEN))
                return outcome

        return traced

    return wrap
