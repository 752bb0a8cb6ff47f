"""Policies that say which rows a caller sees, for tests."""

from typing import Any

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.ports import Permissions
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Resource


class RowPolicy:
    """Implements `Policy`: every action is allowed, with the rows that a subclass calls visible."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        raise NotImplementedError

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        return _Rows(self, principal, tenant)


class _Rows:
    def __init__(self, policy: RowPolicy, principal: Principal, tenant: Tenant | None) -> None:
        self._policy, self._principal, self._tenant = policy, principal, tenant

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return Grant(rows=self._policy.visible(self._principal, self._tenant, resource))
