"""The standard order of the steps."""

from collections.abc import Callable

from fastapi_easy.application.pipeline.observe import observe
from fastapi_easy.application.pipeline.retry_within_deadline import retry_within_deadline
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.application.pipeline.trace import trace
from fastapi_easy.application.pipeline.translate_lock_errors import translate_lock_errors
from fastapi_easy.application.pipeline.validate import validate
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.observer import Observer
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.ports.tracer import Tracer


def standard_steps(
    observer: Callable[[], Observer],
    clock: Clock,
    retry: Callable[[], Retry],
    deadline: float,
    tracer: Tracer | None = None,
) -> tuple[Step, ...]:
    """Return the steps around every use case, the outermost first, each with the reason for its place.

    Args:
        observer: Is told how calls went.

        clock: What time it is.

        retry: Says whether a call is made again.

        deadline: Seconds that a call may take.

        tracer: Records calls, if anybody does.
    """
    return (
        *([] if tracer is None else [trace(tracer)]),  # what is observed and logged belongs to the span
        observe(observer, clock),  # sees everything, also what later steps refuse
        validate,  # once, however often what is inside of it is done
        retry_within_deadline(retry, clock, deadline),  # what is inside of it may be done twice
        translate_lock_errors,  # what it makes of a lock is observed like any other error
    )
