"""The policies that are declared: rules by resource, and permissions by role."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi_easy.domain.policies.bound_rule import (
    BoundRule,
    bind_rule,
    expand_actions,
    find_rule_mistakes,
    known_actions,
    near,
)
from fastapi_easy.domain.policies.kept_permissions import KeptPermissions
from fastapi_easy.domain.policies.permissions import EVERY, READ, READS, split_permission
from fastapi_easy.domain.policies.rule import ANYONE, AUTHENTICATED, Rule
from fastapi_easy.domain.policies.rule_permissions import Joined, RulePermissions
from fastapi_easy.domain.ports.policy import Permissions
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource


class _DeclaredPolicy:
    """What `RulePolicy` and `RolePolicy` share: rules are bound once for each resource, and looked up by action."""

    unlisted: tuple[str, ...] = ()

    def __init__(self, to: Iterable[str]) -> None:
        self.roles = frozenset(to) - {ANYONE, AUTHENTICATED}
        self._joined = Joined()
        self._bound: dict[Resource[Any], Sequence[BoundRule]] = {}
        self._about: dict[tuple[Resource[Any], str], Sequence[BoundRule]] = {}
        self._kept = KeptPermissions(
            lambda caller, tenant: RulePermissions(self, self._joined, caller, tenant)
        )

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the permissions that the rules give *principal*."""
        return self._kept.of(principal, tenant)

    def permissions_of(self, principal: Principal, tenant: Tenant | None) -> Permissions:
        """Return the same without waiting: nobody has to be asked."""
        return self._kept.of(principal, tenant)

    async def outline(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the same for whoever is like *principal*."""
        return RulePermissions(self, self._joined, principal, tenant, is_outline=True)

    def rules_about(self, resource: Resource[Any], action: str, /) -> Sequence[BoundRule]:
        """Return the rules about *action* on *resource*, in their order."""
        place = resource, action
        found = self._about.get(place)
        if found is None:
            bound = self._bound.get(resource)
            if bound is None:
                bound = self._bound[resource] = tuple(self._bind(resource))
            found = self._about[place] = tuple(each for each in bound if each.is_about(action))
        return found

    def _bind(self, resource: Resource[Any]) -> Iterable[BoundRule]:
        raise NotImplementedError


class RulePolicy(_DeclaredPolicy):
    """Implements `Policy` by rules, as `policy=[…]` of a resource does; made by hand to combine it with others.

    Where several rules allow an action, it is allowed for the entities of each of them; of fields, those that all of
    them name. What no rule allows is denied.

    Args:
        rules: By the name of the resource: `{"books": [allow("read", to=ANYONE)]}`.
    """

    def __init__(self, rules: Mapping[str, Sequence[Rule]]) -> None:
        self._rules = {name: tuple(several) for name, several in rules.items()}
        super().__init__(to for several in self._rules.values() for rule in several for to in rule.to)

    @property
    def resources(self) -> frozenset[str]:
        """The names of the resources that it has rules about."""
        return frozenset(self._rules)

    def find_mistakes(self, resources: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return a sentence for everything in the rules that *resources* do not have."""
        return [
            mistake
            for name, rules in self._rules.items()
            for mistake in (
                find_mistakes_in_rules(rules, resources[name])
                if name in resources
                else [
                    f"policy: there are rules about {name!r}, which is not a resource{near(name, resources)}"
                ]
            )
        ]

    def _bind(self, resource: Resource[Any]) -> Iterator[BoundRule]:
        for number, rule in enumerate(self._rules.get(resource.name, ())):
            yield bind_rule(rule, resource, place_of(resource.name, number))


class RolePolicy(_DeclaredPolicy):
    """Implements `Policy` by the permissions that roles have; entities and fields are not limited.

    Args:
        roles: The permissions of each: `{"editor": ["books:read", "books:update"], "admin": ["*"]}`. What everybody may
            do stands under `ANYONE` and `AUTHENTICATED`.
    """

    def __init__(self, roles: Mapping[str, Sequence[str]]) -> None:
        self._permissions = {name: tuple(texts) for name, texts in roles.items()}
        super().__init__(self._permissions)

    def find_mistakes(self, resources: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return a sentence for everything in the permissions that *resources* do not have."""
        return [
            f"policy: role {role!r} has the permission {text!r}{mistake}"
            for role, texts in self._permissions.items()
            for text in texts
            for mistake in _find_permission_mistakes(text, resources)
        ]

    def _bind(self, resource: Resource[Any]) -> Iterator[BoundRule]:
        for role, texts in self._permissions.items():
            for text in texts:
                parts = split_permission(text)
                if parts is None or parts[0] not in {resource.name, EVERY}:
                    continue
                yield BoundRule(
                    place=f"role {role}: {text}", actions=expand_actions(parts[1:]), to=frozenset({role})
                )


def place_of(resource: str, number: int) -> str:
    """Return where a rule of *resource* stands, as explanations name it."""
    return f"{resource}.policy[{number}]"


def find_mistakes_in_rules(rules: Sequence[Rule], resource: Resource[Any]) -> Iterator[str]:
    """Yield a sentence for every mistake in *rules*, those of *resource*."""
    for number, rule in enumerate(rules):
        place = place_of(resource.name, number)
        first = rules.index(rule)
        if first != number:
            yield f"{place}: says the same as {place_of(resource.name, first)}: remove one"
            continue
        yield from find_rule_mistakes(rule, resource, place)
    if READ in (resource.actions or {}):
        yield (
            f"{resource.name}: action {READ!r} has the name that stands for {', '.join(sorted(READS))} in rules: give "
            "the class another action_name"
        )


def _find_permission_mistakes(text: str, resources: Mapping[str, Resource[Any]]) -> Iterator[str]:
    parts = split_permission(text)
    if parts is None:
        yield ", which is not one: write it like books:update, books:*, *:read or *"
        return
    name, action = parts
    if name not in {*resources, EVERY}:
        yield f", and {name!r} is not a resource{near(name, resources)}"
        return
    about = resources.values() if name == EVERY else (resources[name],)
    known = {each: None for resource in about for each in known_actions(resource)}
    if action not in known:
        yield f", and {name!r} has no action {action!r}{near(action, known)}"
