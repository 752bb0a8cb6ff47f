"""The permissions of one call, asked for once: the key of an answer says what the answer was made by."""

from dataclasses import replace
from typing import Any

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource


def remembering(collaborators: Collaborators) -> Collaborators:
    """Return *collaborators* with a policy whose answers to one call stay the same, though it may change its mind."""
    policy = collaborators.ports.policy
    if policy is None:
        return collaborators
    return replace(collaborators, ports=replace(collaborators.ports, policy=_Remembering(policy)))


class _Remembering:
    """Implements `Policy`: the permissions of *policy*, which remember what they have granted."""

    __slots__ = ("_policy",)

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        return _Remembered(await self._policy.permissions(principal, tenant))


class _Remembered:
    """Implements `Permissions`: each grant of *permissions* as it was at first."""

    __slots__ = ("_granted", "_permissions")

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._granted: dict[tuple[str, str], Grant | None] = {}

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        place = resource.name, action
        if place not in self._granted:
            self._granted[place] = self._permissions.grant(resource, action)
        return self._granted[place]


class ResolvedPolicy:
    """Implements `Policy`: the permissions of one call, which were resolved before."""

    __slots__ = ("_permissions",)

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return them, whoever asks."""
        return self._permissions
