"""What a caller may do with entities that belong to tenants: the grants of a policy, kept inside one tenant."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from fastapi_easy.domain.access import FULL_GRANT, Grant
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.domain.queries.specification import AnyOf, Operator, Where, all_of
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.resources.tenancy import find_disclosures, read_tenant

_logger: Final = logging.getLogger("fastapi_easy.tenancy")

_CREATING: Final = frozenset({Operation.CREATE, RESTORE_IMPORT})

_OF_NOBODY: Final = Grant(rows=AnyOf(()))
"""What a caller without a tenant may do: everything, with no entity."""

_MOST_JOINED: Final = 4096
"""Grants of policies whose limits are kept; of more, those that came first are forgotten."""

_joined: Final[dict[tuple[int, int], tuple[Grant, Grant, Grant]]] = {}
"""Grants inside of tenants, with what they were made of: while that is here, no other object can have its id."""


@lru_cache(maxsize=4096)
def tenant_grant(resource: Resource[Any], tenant: Tenant | None) -> Grant:
    """Return what a caller in *tenant* may do with entities of *resource* where no policy says less.

    The same grant for the same tenant, so that it is built once and not with every call.
    """
    value = read_tenant(resource, tenant)
    if value is None or resource.tenant is None:
        return _OF_NOBODY
    return Grant(rows=Where(resource.tenant, Operator.EQUALS, value), stamps={resource.tenant: value})


def limit_to_tenant(
    grant: Grant | None, resource: Resource[Any], action: str, tenant: Tenant | None
) -> Grant | None:
    """Return *grant*, for *action* on *resource*, with nothing beyond *tenant*; `None` when nothing is left of it.

    Args:
        grant: What a policy grants; one without limits where there is no policy.

        resource: Whose entities.

        action: As in `Permissions.grant`.

        tenant: The tenant of the call; without one no entity exists for the caller, and none can be created.
    """
    if grant is None or resource.tenant is None:
        return grant
    own = tenant_grant(resource, tenant)
    if own is _OF_NOBODY and action in _CREATING:
        return None
    if grant is FULL_GRANT:
        return own
    # Policies that are declared return the same grant for the same caller, so that the two are joined once.
    place = id(grant), id(own)
    known = _joined.get(place)
    if known is not None and known[0] is grant and known[1] is own:
        return known[2]
    limited = replace(grant, rows=all_of(grant.rows, own.rows), stamps={**grant.stamps, **own.stamps})
    if len(_joined) >= _MOST_JOINED:
        del _joined[next(iter(_joined))]
    _joined[place] = grant, own, limited
    return limited


def warn_of_disclosures(resources: Sequence[Resource[Any]]) -> None:
    """Log a warning for each rule of *resources* that tells a tenant something about the others."""
    if any(each.tenant is not None for each in resources):
        for sentence in find_disclosures(resources):
            _logger.warning(sentence)
