"""The step that reports the outcome and the duration of every call to an observer."""

from collections.abc import Callable
from typing import Any

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.observer import Observation, Observer


def observe(observer: Callable[[], Observer], clock: Clock) -> Step:
    """Report the duration and the outcome of every call to the observer, which is resolved anew each time.

    A call that ends with an exception is a defect or a cancellation and is reported by the interface.
    """

    def wrap(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        resource, action = target.resource.name, target.action

        async def observed(command: object, context: Context, /) -> Outcome[Any]:
            begun = clock.monotonic()
            outcome = await handler(command, context)
            error = outcome.failure() if type(outcome) is Failure else None
            seconds = clock.monotonic() - begun
            observer().observe(Observation(resource, action, seconds, error, context.correlation_id))
            return outcome

        return observed

    return wrap
