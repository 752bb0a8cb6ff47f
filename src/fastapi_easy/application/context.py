"""Who asks, and under which circumstances."""

from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.principal import ANONYMOUS, Principal, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Travels with a command through every step.

    Attributes:
        principal: The caller.

        tenant: The partition the call works in.

        correlation_id: Ties together everything that one call causes; 1 to 128 printable ASCII characters.

        idempotency_key: Names the call, so that a repetition gets the first answer.

        deadline: When the caller stops waiting, on the clock of `Clock.monotonic`.
    """

    principal: Principal = ANONYMOUS
    tenant: Tenant | None = None
    correlation_id: str = ""
    idempotency_key: str | None = None
    deadline: float | None = None


NOBODY: Final = Context()
"""An anonymous caller about whom nothing else is known."""
