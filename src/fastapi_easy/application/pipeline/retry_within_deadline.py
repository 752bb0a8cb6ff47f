"""The step that gives every call a deadline, and retries it when that is safe."""

from collections.abc import Callable
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.deadline import Deadline
from fastapi_easy.domain.errors import DeadlineExceeded, Outcome, Unavailable
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.resources.options import Operation

_STREAMING: Final = frozenset({Operation.EXPORT, Operation.IMPORT, Operation.CHANGES})
"""Operations that take as long as the caller reads or sends, and whose stream cannot be repeated."""

_TOLERANCE: Final = 0.01
"""Seconds before its end at which a deadline counts as passed: timeouts derived from it are rounded."""

_RETRYABLE: Final = frozenset(Operation) - _STREAMING
"""Operations that may be retried. User-defined actions are not among them: their side effects may not be idempotent."""


def retry_within_deadline(retry: Callable[[], Retry], clock: Clock, limit: float) -> Step:
    """Give every call a deadline, and retry it after `Unavailable`, which guarantees that nothing was changed.

    Adapters read the deadline (`domain.deadline`) and set their timeouts by it; nothing is cancelled from outside. A
    call that is `Unavailable` once the deadline has passed fails with `DeadlineExceeded`.

    Args:
        retry: Returns the retry policy; called anew each time.

        clock: The clock of `Context.deadline`.

        limit: Seconds for a call whose context has no deadline; streams have none.
    """

    def wrap(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        database, is_retryable = target.resource.database, target.action in _RETRYABLE
        default_limit = None if target.action in _STREAMING else limit
        # Calls since the last retry: each adds a part of a retry to the budget (see `Retry`).
        calls = 0

        async def retried(command: object, context: Context, /) -> Outcome[Any]:
            nonlocal calls
            left = default_limit if context.deadline is None else context.deadline - clock.monotonic()
            if left is None:
                return await handler(command, context)
            if left <= 0:
                return Failure(DeadlineExceeded(database))
            calls += 1
            deadline = Deadline(left)
            try:
                outcome = await handler(command, context)
                if type(outcome) is Failure and isinstance(outcome.failure(), Unavailable):
                    if is_retryable:
                        credited_calls, calls = calls, 0
                        outcome = await retry().repeat(
                            database, lambda: handler(command, context), outcome, credited_calls
                        )
                    return _check_deadline(outcome, deadline)
                return outcome
            finally:
                deadline.end()

        return retried

    return wrap


def _check_deadline(outcome: Outcome[Any], deadline: Deadline) -> Outcome[Any]:
    """Return *outcome*; in place of `Unavailable` return `DeadlineExceeded` when *deadline* has passed."""
    error = outcome.failure() if type(outcome) is Failure else None
    if isinstance(error, Unavailable) and deadline.remaining <= _TOLERANCE:
        return Failure(DeadlineExceeded(error.dependency))
    return outcome
