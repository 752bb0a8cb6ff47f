"""What counts calls, and the rules that limit them."""

from fastapi_easy.composition.application import Application
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.policies.permissions import BUILT_IN_ACTIONS
from fastapi_easy.domain.ports import RateLimiter
from fastapi_easy.settings import Settings

__all__ = ["find_limit_mistakes", "open_rate_limiter"]


def open_rate_limiter(settings: Settings) -> RateLimiter:
    """Return what counts calls; nothing is connected yet.

    Raises:
        DeclarationError: The URL is of nothing that counts, or a package is not installed.
    """
    url = settings.limits.url.get_secret_value()
    scheme = url.partition(":")[0].lower()
    if scheme not in {"memory", "redis", "rediss", "unix"}:
        raise DeclarationError(
            ["limits.url: calls are counted at memory:// or redis://host: name one of them"]
        )
    try:
        if scheme == "memory":
            from fastapi_easy.infrastructure.rate_limits.sliding_window import MemoryRateLimiter

            return MemoryRateLimiter()
        from fastapi_easy.infrastructure.rate_limits.redis import RedisRateLimiter
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'{error.name} is not installed: pip install "fastapi_easy[limits,redis]"']
        ) from error
    from fastapi_easy.infrastructure.resilience.circuit_breaker import (
        BreakerLimits,
        CircuitBreaker,
        log_change,
    )

    # Each call waits shortly; and a counter that is back should be used again soon.
    limits = BreakerLimits(calls=10, longest_pause=5.0)
    breaker = CircuitBreaker(limits, on_change=lambda state: log_change("rate limits", state))
    return RedisRateLimiter(url, breaker, timeout=settings.limits.timeout)


def find_limit_mistakes(application: Application) -> list[str]:
    """Return a sentence for each rate limit that counts nothing."""
    resources = {
        each.name: (*BUILT_IN_ACTIONS, *(each.actions or {})) for each in application.every_resource()
    }
    return [
        mistake
        for rule in application.settings().limits.rules
        for mistake in rule.rule().find_mistakes(resources)
    ]
