"""Which entities a caller may see."""

from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import Specification


@runtime_checkable
class Policy(Protocol):
    """Asked at every door, before the store is: nobody reads, counts, changes or is led to what it hides."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        """The entities of *resource* that *principal* may see; all others are not there for them.

        Called often, also for resources that others include; must not wait for anything.
        """
        ...
