"""The standard order of the steps."""

from collections.abc import Callable, Sequence

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
    rates: Step | None = None,
    records: Sequence[Step] = (),
) -> tuple[Step, ...]:
    """Return the steps around every use case, the outermost first, each with the reason for its place.

    Args:
        observer: Returns the observer of calls.

        clock: The clock that measures durations and deadlines.

        retry: Returns the retry policy.

        deadline: Seconds that a call may take.

        tracer: The tracer, if there is one.

        rates: The step `limit_rate`, if there are rate limits.

        records: The steps that write to the audit trail, if there is one.
    """
    return (
        *([] if tracer is None else [trace(tracer)]),  # outermost: observations and logs belong to the span
        observe(observer, clock),  # sees every outcome, also failures of the steps below
        *records,  # see what the caller is answered, also by the steps below
        *([] if rates is None else [rates]),  # before anything is done with the command
        validate,  # outside of the retry: once, however often the call is retried
        retry_within_deadline(retry, clock, deadline),  # everything inside may run more than once
        translate_lock_errors,  # innermost: what it makes of a lock is observed like any other error
    )
