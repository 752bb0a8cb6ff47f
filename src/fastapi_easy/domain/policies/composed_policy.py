"""Several policies as one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.combination import join, meet
from fastapi_easy.domain.policies.verdict import (
    DescribedPolicy,
    Verdict,
    outline_of,
    unlisted_in,
    verdicts_of,
)
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource

Combine = Callable[[Sequence[Grant | None]], Grant | None]


class ComposedPolicy:
    """Implements `Policy` by what *combine* makes of the grants of *policies*. Made by `all_of` and `any_of`."""

    def __init__(self, policies: Sequence[Policy], combine: Combine) -> None:
        self.policies = tuple(policies)
        self._combine = combine

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the permissions that the policies give *principal* together."""
        return self._composed([await each.permissions(principal, tenant) for each in self.policies])

    async def outline(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the same for whoever is like *principal*."""
        return self._composed([await outline_of(each, principal, tenant) for each in self.policies])

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the policies name."""
        return frozenset[str]().union(
            *(each.roles for each in self.policies if isinstance(each, DescribedPolicy))
        )

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The names of the policies that cannot be listed."""
        return tuple(name for each in self.policies for name in unlisted_in(each))

    def find_mistakes(self, resources: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return the mistakes of the policies."""
        described = [each for each in self.policies if isinstance(each, DescribedPolicy)]
        return [mistake for each in described for mistake in each.find_mistakes(resources)]

    def _composed(self, parts: Sequence[Permissions]) -> Permissions:
        return _ComposedPermissions(self.policies, parts, self._combine)


class _ComposedPermissions:
    __slots__ = ("_combine", "_parts", "_policies")

    def __init__(self, policies: Sequence[Policy], parts: Sequence[Permissions], combine: Combine) -> None:
        self._policies, self._parts, self._combine = policies, parts, combine

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return self._combine([each.grant(resource, action) for each in self._parts])

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        return [
            verdict
            for policy, each in zip(self._policies, self._parts, strict=True)
            for verdict in verdicts_of(each, resource, action, type(policy).__name__)
        ]


def all_of(policy: Policy, *policies: Policy) -> ComposedPolicy:
    """Return the policy that allows what all of them do.

    Entities are those that each of them means, fields those that each of them names. Where two stamp a field
    differently, nothing is allowed.
    """
    return ComposedPolicy((policy, *policies), meet)


def any_of(policy: Policy, *policies: Policy) -> ComposedPolicy:
    """Return the policy that allows what any of them does.

    Entities are those of each; fields those that all of them name, unless one includes the other. Of two that stamp a
    field differently, the first decides.
    """
    return ComposedPolicy((policy, *policies), join)
