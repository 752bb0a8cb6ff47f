"""Permissions that follow from the caller alone, made once for each caller and not with every call."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from fastapi_easy.domain.principal import Principal, Tenant

P = TypeVar("P")

_MOST: Final = 1024
"""Callers whose permissions are kept; of more, those who came first are forgotten."""


class KeptPermissions(Generic[P]):
    """The permissions of callers who were here lately.

    Authenticators that remember whom they have verified return the same `Principal` again, which never changes. A
    caller is known by this object: an equal one may have other claims.

    Args:
        make: Makes the permissions of a caller in a tenant.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[Principal, Tenant | None], P]) -> None:
        self._make = make
        self._known: dict[tuple[int, Tenant | None], tuple[Principal, P]] = {}

    def of(self, principal: Principal, tenant: Tenant | None) -> P:
        """Return the permissions of *principal* in *tenant*."""
        place = id(principal), tenant
        known = self._known.get(place)
        # The principal is kept as well, so that no other object can have its id meanwhile.
        if known is not None and known[0] is principal:
            return known[1]
        made = self._make(principal, tenant)
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[place] = principal, made
        return made
