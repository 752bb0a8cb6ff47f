"""The tenant that the current task works for, for stores that keep tenants apart by themselves.

The kernel limits every call whether a store knows of this or not; a store with a wall of its own, such as row-level
security, has to be told which side of it a statement is on.
"""

from contextvars import ContextVar
from typing import Final

from fastapi_easy.domain.principal import Tenant

_CURRENT: Final[ContextVar[Tenant | None]] = ContextVar("fastapi_easy_tenant", default=None)


def enter_tenant(tenant: Tenant | None) -> None:
    """Let the current task, and those that it starts from now on, work for *tenant*; `None` is nobody's."""
    _ = _CURRENT.set(tenant)


def current_tenant() -> Tenant | None:
    """Return the tenant that the current task works for."""
    return _CURRENT.get()
