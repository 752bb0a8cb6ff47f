"""The permissions of one caller, from rules."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.policies.bound_rule import BoundRule
from fastapi_easy.domain.policies.caller_values import CallerValue, fill, fill_stamps
from fastapi_easy.domain.policies.combination import join
from fastapi_easy.domain.policies.permissions import READS
from fastapi_easy.domain.policies.rule import ANYONE, AUTHENTICATED
from fastapi_easy.domain.policies.verdict import Verdict
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

_NO_FIELDS: frozenset[str] = frozenset()


class RuleBook(Protocol):
    """The rules of a policy, by resource."""

    def rules_about(self, resource: Resource[Any], action: str, /) -> Sequence[BoundRule]:
        """Return the rules about *action* on *resource*, in their order."""
        ...


class Joined:
    """What several rules allow together by one action, kept for all callers to whom the same rules apply."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Grant] = {}

    def grant(
        self, rules: tuple[BoundRule, ...], action: str, inherited: frozenset[str] | None
    ) -> Grant | None:
        """Return the grant, its placeholders included; `None` of no rules."""
        place = rules, action, inherited
        found = self._known.get(place)
        if found is None:
            found = join(each.grant_for(action, inherited) for each in rules)
            if found is not None:
                self._known[place] = found
        return found


class RulePermissions:
    """Implements `ExplainedPermissions`: the permissions of *principal* in *tenant*.

    Args:
        book: The rules.

        joined: What they allow together.

        is_outline: Leave placeholders as they are, as if each had a value.
    """

    __slots__ = ("_book", "_groups", "_is_outline", "_joined", "_known", "_principal", "_tenant")

    def __init__(
        self,
        book: RuleBook,
        joined: Joined,
        principal: Principal,
        tenant: Tenant | None,
        *,
        is_outline: bool = False,
    ) -> None:
        self._book, self._joined = book, joined
        self._principal, self._tenant = principal, tenant
        self._is_outline = is_outline
        self._known: dict[tuple[Resource[Any], str], Grant | None] = {}
        known = (ANYONE, AUTHENTICATED) if principal.id else (ANYONE,)
        self._groups = principal.roles.union(known)

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        """Return what any of the rules that apply allows: the same grant each time."""
        place = resource, action
        if place not in self._known:
            self._known[place] = self._grant(resource, action)
        return self._known[place]

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        """Return what each rule about *action* says."""
        return [
            Verdict(each.place, not (reason := self._why_not(each)), reason)
            for each in self._book.rules_about(resource, action)
        ]

    def _grant(self, resource: Resource[Any], action: str) -> Grant | None:
        values: dict[CallerValue, Any] = {}
        rules = tuple(
            each
            for each in self._book.rules_about(resource, action)
            if not self._groups.isdisjoint(each.to) and self._has_values(each, values)
        )
        if not rules:
            return None
        inherited = None if action in READS else self._inherited(resource, rules)
        found = self._joined.grant(rules, action, inherited)
        if found is None or not values or self._is_outline:
            return found
        return replace(found, rows=fill(found.rows, values), stamps=fill_stamps(found.stamps, values))

    def _inherited(self, resource: Resource[Any], rules: Sequence[BoundRule]) -> frozenset[str] | None:
        if all(each.readable is not None for each in rules):
            return _NO_FIELDS
        by_get = self.grant(resource, Operation.GET)
        return _NO_FIELDS if by_get is None else by_get.readable

    def _has_values(self, rule: BoundRule, values: dict[CallerValue, Any]) -> bool:
        """Return whether every placeholder of *rule* has a value for the caller, having added each to *values*."""
        for each in rule.placeholders:
            if each not in values:
                values[each] = each if self._is_outline else each.resolve(self._principal, self._tenant)
            if values[each] is UNSET:
                return False
        return True

    def _why_not(self, rule: BoundRule) -> str:
        if self._groups.isdisjoint(rule.to):
            return f"is for {_described(rule.to)}"
        values: Mapping[CallerValue, Any] = {
            each: each if self._is_outline else each.resolve(self._principal, self._tenant)
            for each in rule.placeholders
        }
        missing = next((each for each, value in values.items() if value is UNSET), None)
        return (
            ""
            if missing is None
            else f"the caller has no {missing} that {missing.owner}.{missing.name} could be"
        )


def _described(to: frozenset[str]) -> str:
    words = {ANYONE: "anyone", AUTHENTICATED: "whoever is authenticated"}
    return " or ".join(words.get(each, f"role {each}") for each in sorted(to))
