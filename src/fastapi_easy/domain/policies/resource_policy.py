"""The policy of a whole application: the rules of each resource, and the container's policy for the others."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.kept_permissions import KeptPermissions
from fastapi_easy.domain.policies.rule_policy import RulePolicy
from fastapi_easy.domain.policies.verdict import (
    DescribedPolicy,
    ExplainedPermissions,
    Verdict,
    outline_of,
    unlisted_in,
    verdicts_of,
)
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource

KeptGrants: TypeAlias = dict[tuple[str, str], Grant | None]
"""Grants inside of one tenant, by resource and action; filled by whoever limits them to it."""


class ResourcePolicy:
    """Implements `Policy`: a resource with rules is decided by them alone, every other one by *otherwise*.

    Args:
        own: The rules, by resource.

        otherwise: The container's policy; without one nobody may do anything with resources that have no rules.
    """

    def __init__(self, own: RulePolicy, otherwise: Policy | None = None) -> None:
        self._own, self._otherwise = own, otherwise
        self._kept = KeptPermissions(
            lambda caller, tenant: self._joined(own.permissions_of(caller, tenant), None, grants={})
        )
        self.permissions_of = self._kept.of if otherwise is None else None

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the permissions of *principal*."""
        if self._otherwise is None:
            return self._kept.of(principal, tenant)
        others = await self._otherwise.permissions(principal, tenant)
        return self._joined(self._own.permissions_of(principal, tenant), others)

    async def outline(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the same for whoever is like *principal*."""
        others = None if self._otherwise is None else await outline_of(self._otherwise, principal, tenant)
        return self._joined(await self._own.outline(principal, tenant), others)

    @property
    def roles(self) -> frozenset[str]:
        """The roles that rules and the container's policy name."""
        return self._own.roles | (
            self._otherwise.roles if isinstance(self._otherwise, DescribedPolicy) else frozenset()
        )

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The names of the policies that cannot be listed."""
        return () if self._otherwise is None else unlisted_in(self._otherwise)

    def find_mistakes(self, resources: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return the mistakes of the container's policy; those of rules are found with their resource's."""
        return (
            self._otherwise.find_mistakes(resources) if isinstance(self._otherwise, DescribedPolicy) else ()
        )

    def _joined(
        self, own: Permissions, others: Permissions | None, grants: KeptGrants | None = None
    ) -> "_ResourcePermissions":
        place = type(self._otherwise).__name__
        return _ResourcePermissions(self._own.resources, own, others, place, grants)


class _ResourcePermissions:
    __slots__ = ("_others", "_own", "_place", "_ruled", "grant", "kept_grants")

    def __init__(
        self,
        ruled: frozenset[str],
        own: Permissions,
        others: Permissions | None,
        place: str,
        kept_grants: KeptGrants | None = None,
    ) -> None:
        self.kept_grants = kept_grants
        self._ruled, self._own, self._others, self._place = ruled, own, others, place
        # Without another policy the rules say it all: of resources without any they grant nothing.
        self.grant = own.grant if others is None else self._grant

    def _grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        if resource.name in self._ruled:
            return self._own.grant(resource, action)
        return None if self._others is None else self._others.grant(resource, action)

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        if resource.name in self._ruled:
            own = self._own
            return own.explain(resource, action) if isinstance(own, ExplainedPermissions) else ()
        if self._others is None:
            return (Verdict(resource.name, False, "has no policy, and the container has none: nobody may"),)
        return verdicts_of(self._others, resource, action, self._place)
