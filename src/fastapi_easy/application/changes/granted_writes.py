"""Single writes of a caller with limits, of which the grant says without asking the store that they are allowed."""

from collections.abc import Coroutine
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.access import NO_GRANT, Access
from fastapi_easy.application.changes.references import may_refer_to_hidden
from fastapi_easy.application.changes.visibility import is_left_alone, surely_satisfies
from fastapi_easy.application.changes.writes import CREATE, UPDATE, Write
from fastapi_easy.application.tenancy import tenant_grant
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Fault, Forbidden, Invalid, Key, Outcome
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.specification import Everything, Specification, all_of
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository

UNDECIDED: Final[Failure[Error]] = Failure(Forbidden("", ""))
"""Nothing was done: whether the caller may do it, only the store knows. Compared by identity."""


def stamp(write: Write, values: Values, resource: Resource[Any], access: Access) -> Values | Failure[Error]:
    """Return *values* with what the caller's grant for *write* gives every new entity."""
    tenant = resource.tenant
    if not access.is_limited:
        if write.creates and tenant is not None and values.get(tenant) is None:
            return Failure(Invalid((Fault(f"/{tenant}", "Field required", "missing"),)))
        return values
    grant = access.grant(resource, write.operation)
    # A user-defined action may be granted to a caller without a tenant, who cannot create all the same.
    if grant is None or (write.creates and tenant is not None and tenant not in grant.stamps):
        return access.refuse(resource, write.operation)
    if not write.creates:
        return values
    if grant.stamps:
        values = {**values, **grant.stamps}
    missing = resource.stamped and [
        name for name in resource.stamped if resource.fields[name].required and values.get(name) is None
    ]
    if missing:
        # The rule that stamps it is not about this caller, who could have left it out nevertheless.
        faults = (Fault(f"/{name}", "Field required", "missing") for name in sorted(missing))
        return Failure(Invalid(tuple(faults)))
    return values


def stays_in_sight(
    write: Write, values: Values, resource: Resource[Any], access: Access, visible: Specification
) -> bool:
    """Return whether an entity that is *visible* to the caller, or created, is so after *write* sets *values*."""
    if type(visible) is Everything:
        return True
    if write.creates and surely_satisfies(visible, values):
        return True
    if not write.creates and is_left_alone(visible, resource, values):
        return True
    own = tenant_grant(resource, access.context.tenant).stamps
    return access.sees_tenant(resource) and all(
        values.get(name, value) == value for name, value in own.items()
    )


def surely_allowed(
    write: Write, values: Values, resource: Resource[Any], access: Access, visible: Specification
) -> Values | None:
    """Return what to store of *values* where the store has to be asked for nothing.

    The entity surely stays in sight, and refers to none that may be hidden. `None` where that is not so, or not known,
    or the caller may not.
    """
    if not (access.is_limited or (write.creates and resource.tenant is not None)):
        return values
    stamped = stamp(write, values, resource, access)
    if type(stamped) is Failure or not stays_in_sight(write, stamped, resource, access, visible):
        return None
    return None if access.is_limited and may_refer_to_hidden(resource, stamped, access) else stamped


def scope_to_grant(
    inner: Repository[Any], write: Write, resource: Resource[Any], access: Access, visible: Specification
) -> Repository[Any]:
    """Return *inner* limited to what is *visible* to the caller, and of that to what they may *write*."""
    if not access.is_limited:
        return inner
    grant = access.grant(resource, write.operation) or NO_GRANT
    # The two differ where the write is part of something else: of a replace, a bulk, an import, a unit of work.
    rows = grant.rows if grant.rows == visible else all_of(visible, grant.rows)
    return inner if isinstance(rows, Everything) else ScopedRepository(inner, rows)


class GrantedWrites:
    """The writes of a repository that are surely allowed; all others end with `UNDECIDED`, and nothing is done.

    Args:
        resource: The resource.

        inner: Its repository.

        access: The permissions of the caller.
    """

    __slots__ = ("_access", "_inner", "_resource", "_visible")

    def __init__(self, resource: Resource[Any], inner: Repository[Any], access: Access) -> None:
        self._resource = resource
        self._inner = inner
        self._access = access
        self._visible = access.read_grant(resource).rows

    def add(self, values: Values) -> Coroutine[Any, Any, Outcome[Row]]:
        """Store a new entity."""
        allowed = surely_allowed(CREATE, values, self._resource, self._access, self._visible)
        return _undecided() if allowed is None else self._inner.add(allowed)

    def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*."""
        if surely_allowed(UPDATE, patch, self._resource, self._access, self._visible) is None:
            return _undecided()
        mine = scope_to_grant(self._inner, UPDATE, self._resource, self._access, self._visible)
        return mine.update(key, patch, expected_version=expected_version, scope=scope)

    def remove(self, key: Key, **_: object) -> Coroutine[Any, Any, Outcome[Any]]:
        """Leave it to the unit of work, in which the entity is looked at first."""
        return _undecided()


async def _undecided() -> Outcome[Any]:
    return UNDECIDED
