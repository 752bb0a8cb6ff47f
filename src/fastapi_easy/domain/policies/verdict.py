"""What explains a decision: which rules were looked at, and what each says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one action of one caller.

    Attributes:
        place: Where the rule stands: `books.policy[1]`, `role editor: books:update`.

        allows: Whether it allows the action, for some entities at least.

        reason: Why not, or what more there is to say; a part of a sentence.
    """

    place: str
    allows: bool
    reason: str = ""


@runtime_checkable
class ExplainedPermissions(Permissions, Protocol):
    """Permissions that can say which rules decide."""

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        """Return what each rule about *action* on *resource* says, in the order in which they stand."""
        ...


@runtime_checkable
class DescribedPolicy(Policy, Protocol):
    """A policy that can be listed: all those that are declared, and none that is code of a user's own."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that rules name."""
        ...

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The names of policies inside that cannot be listed: what they allow to which roles is not known."""
        ...

    async def outline(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the permissions of whoever is like *principal*, with the placeholders still in them."""
        ...

    def find_mistakes(self, resources: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return a sentence for everything in it that *resources* do not have, with the way to mend it."""
        ...


async def outline_of(policy: Policy, principal: Principal, tenant: Tenant | None) -> Permissions:
    """Return the outline of *policy*; the permissions themselves where it has none."""
    if isinstance(policy, DescribedPolicy):
        return await policy.outline(principal, tenant)
    return await policy.permissions(principal, tenant)


def verdicts_of(
    permissions: Permissions, resource: Resource[Any], action: str, place: str
) -> Sequence[Verdict]:
    """Return what *permissions* say, in one verdict at *place* where they do not explain themselves."""
    if isinstance(permissions, ExplainedPermissions):
        return permissions.explain(resource, action)
    return (Verdict(place, permissions.grant(resource, action) is not None),)


def unlisted_in(policy: Policy) -> tuple[str, ...]:
    """Return the names of the policies inside *policy*, or its own, that cannot be listed."""
    return policy.unlisted if isinstance(policy, DescribedPolicy) else (type(policy).__name__,)
