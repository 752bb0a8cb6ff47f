"""The step that refuses callers who call too often."""

from collections.abc import Callable, Sequence
from typing import Any

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.rate_rule import LimitedBy, RateRule
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.application.resources.apply_bulk import ApplyBulk
from fastapi_easy.domain.errors import Outcome, RateLimited
from fastapi_easy.domain.ports.rate_limiter import RateLimiter

_SHORTEST_WAIT = 0.001
"""Seconds that a refused caller is told to wait at least."""


def limit_rate(rules: Sequence[RateRule], limiter: Callable[[], RateLimiter]) -> Step:
    """Return the step that counts each call by *rules*; it costs nothing where none of them is about the target.

    A bulk counts as many calls as it has items. Calls that are refused are not counted. A counter that cannot be
    asked refuses nobody. Calls of anonymous callers without an address, which only code of the application itself
    makes, are counted by no rule.

    Args:
        rules: The rules, of which each has to permit a call.

        limiter: Returns what counts.
    """

    def step(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        applying = tuple(each for each in rules if each.covers(target.resource.name, target.action))
        if not applying:
            return handler

        async def limited(command: Any, context: Context, /) -> Outcome[Any]:
            cost = max(1, len(command.items)) if isinstance(command, ApplyBulk) else 1
            for rule in applying:
                counter = _counter_of(rule, context)
                if counter is None:
                    continue
                left = await limiter().take(rule.rate, counter, min(cost, rule.rate.calls))
                if left is None:
                    continue
                if context.rate is not None:
                    context.rate.note(rule.rate.calls, left.remaining, left.reset)
                if left.is_exceeded:
                    return Failure(RateLimited(max(left.reset, _SHORTEST_WAIT)))
            return await handler(command, context)

        return limited

    return step


def _counter_of(rule: RateRule, context: Context) -> str | None:
    """Return the name of the counter of the caller of *context*; `None` when nothing is known of them."""
    caller: str | None = None
    if rule.by is LimitedBy.TENANT and context.tenant is not None:
        caller = f"tenant:{context.tenant}"
    elif rule.by is not LimitedBy.ADDRESS and context.principal.id:
        caller = f"principal:{context.tenant or ''}:{context.principal.id}"
    elif context.address:
        caller = f"address:{context.address}"
    return None if caller is None else f"{rule.name}|{caller}"
