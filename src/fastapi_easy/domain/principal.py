"""The caller."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Tenant: TypeAlias = str
"""The partition of the data that a caller sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller, as far as they are known.

    Attributes:
        id: Stable and unique; empty for a caller who did not say.

        roles: What the caller may be treated as.

        tenant: The partition the caller belongs to, if the application has tenants.

        scopes: The only permissions, like `books:update` or `books:*`, that the caller's credentials may be used for,
            whatever the roles permit; `None` for credentials without such a limit.

        claims: Whatever else was proven about the caller.
    """

    id: str
    roles: frozenset[str] = frozenset()
    tenant: Tenant | None = None
    scopes: frozenset[str] | None = None
    claims: dict[str, Any] = field(default_factory=dict, hash=False)


ANONYMOUS: Final = Principal(id="")
"""A caller who did not say who they are."""
