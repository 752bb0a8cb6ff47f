"""Authorization: what callers may do."""

from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource


@runtime_checkable
class Permissions(Protocol):
    """The rights of one caller. Asked often, also about resources that others include; waits for nothing."""

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        """Return what the caller may do by *action* with entities of *resource*; `None` when they may not at all.

        Args:
            resource: Whose entities.

            action: The name of an `Operation`, or of an action of the user's own. What a use case does on the way is
                asked for by what it is: `get` for the entities that others include or refer to, and `create`,
                `update`, `delete`, `restore` or `purge` for each item of a bulk, an import or a unit of work.
        """
        ...


@runtime_checkable
class Policy(Protocol):
    """Decides what callers may do, for every interface and before the store is used.

    Nobody reads, counts or changes what it hides, or reaches it along a relation.
    """

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return what *principal* may do in *tenant*. Asked once for each call; may wait, for a store for instance."""
        ...
