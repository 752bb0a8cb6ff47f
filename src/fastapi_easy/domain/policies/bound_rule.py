"""A rule that was checked against its resource, and what it grants."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.caller_values import CallerValue, caller_values_in
from fastapi_easy.domain.policies.permissions import BUILT_IN_ACTIONS, EVERY, READ, READS, split_permission
from fastapi_easy.domain.policies.row_conditions import (
    ConditionError,
    bind_rows,
    bind_value,
    conditions_in,
)
from fastapi_easy.domain.policies.rule import Rule
from fastapi_easy.domain.queries.specification import Everything, Specification
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation
from fastapi_easy.domain.resources.resource import Resource

_READING: Final = READS | {READ, Operation.HISTORY.value}
"""Actions that set nothing."""

_WITHOUT_STAMPS: Final = frozenset(BUILT_IN_ACTIONS) - {Operation.CREATE, RESTORE_IMPORT}
"""Actions that create nothing themselves: what creates on their way is asked for as `create`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundRule:
    """A rule of one resource, with every name found and every value of its field's type.

    Attributes:
        place: Where it stands, for people.

        actions: What it is about; `None` for everything.

        to: Roles, and the names of those who need none.

        rows, readable, writable, stamps: As those of a grant, perhaps with placeholders.

        placeholders: Those in *rows* and *stamps*.
    """

    place: str
    actions: frozenset[str] | None
    to: frozenset[str]
    rows: Specification = Everything()
    readable: frozenset[str] | None = None
    writable: frozenset[str] | None = None
    stamps: Mapping[str, Any] = field(default_factory=dict)
    placeholders: tuple[CallerValue, ...] = ()

    def is_about(self, action: str) -> bool:
        """Return whether it says anything of *action*."""
        return self.actions is None or action in self.actions

    def grant_for(self, action: str, inherited: frozenset[str] | None) -> Grant:
        """Return what it allows by *action*, placeholders included.

        Args:
            action: One that it is about.

            inherited: The fields that the caller may read otherwise: what an action that is not about reading shows.
        """
        shows_inherited = self.readable is None and action not in READS
        return Grant(
            rows=self.rows,
            readable=inherited if shows_inherited else self.readable,
            writable=self.writable,
            stamps={} if action in _WITHOUT_STAMPS else self.stamps,
        )


def expand_actions(actions: tuple[str, ...]) -> frozenset[str] | None:
    """Return the names that *actions* mean; `None` for all of them."""
    if EVERY in actions:
        return None
    return frozenset(actions) | READS if READ in actions else frozenset(actions)


def bind_rule(rule: Rule, resource: Resource[Any], place: str) -> BoundRule:
    """Return *rule* for *resource*.

    Raises:
        ConditionError: It compares or stamps what the resource does not have.
    """
    rows = bind_rows(rule.rows, resource)
    stamps = {name: _bind_stamp(resource, name, value) for name, value in rule.stamps.items()}
    return BoundRule(
        place=place,
        actions=expand_actions(rule.actions),
        to=frozenset(rule.to),
        rows=rows,
        readable=None if rule.fields is None else frozenset(rule.fields),
        writable=None if rule.write is None else frozenset(rule.write),
        stamps=stamps,
        placeholders=caller_values_in([*conditions_in(rows), *stamps.values()]),
    )


def _bind_stamp(resource: Resource[Any], name: str, value: object) -> Any:
    if name not in resource.fields:
        raise ConditionError(
            f"stamps sets {name!r}, which {resource.name} does not have{near(name, resource.fields)}"
        )
    return bind_value(resource, resource.fields[name], value)


def find_rule_mistakes(rule: Rule, resource: Resource[Any], place: str) -> Iterator[str]:
    """Yield a sentence for everything in *rule* that *resource* does not have, with the way to mend it."""
    known = known_actions(resource)
    if not rule.actions:
        yield f"{place}: allows no action: name one, or '*'"
    if not rule.to:
        yield f"{place}: is for nobody: name a role in to, or ANYONE"
    for action in rule.actions:
        if action not in known:
            yield f"{place}: {resource.name} has no action {action!r}{near(action, known)}"
    for option, names, allowed in (
        ("fields", rule.fields, resource.readable),
        ("write", rule.write, (*resource.writable, *resource.restorable)),
    ):
        what = "readable" if option == "fields" else "writable"
        for name in names or ():
            if name not in allowed:
                yield f"{place}: {option} names {name!r}, which is not a {what} field{near(name, allowed)}"
    only_reads = rule.actions and all(each in _READING for each in rule.actions)
    if only_reads and (rule.write is not None or rule.stamps):
        yield f"{place}: has write or stamps, and only reads: name an action that writes, or leave them out"
    try:
        _ = bind_rule(rule, resource, place)
    except ConditionError as error:
        yield f"{place}: {error}"


def known_actions(resource: Resource[Any]) -> tuple[str, ...]:
    """Return what a rule about *resource* may name."""
    return (*BUILT_IN_ACTIONS, *(resource.actions or {}), READ, EVERY)


def near(name: str, known: Any) -> str:
    """Return the end of a sentence that suggests the one of *known* most like *name*."""
    found = get_close_matches(str(name), [str(each) for each in known], n=1)
    return f": did you mean {found[0]!r}?" if found else ": remove it"


def find_permission_mistake(permission: str, resources: Mapping[str, Resource[Any]]) -> str | None:
    """Return why *permission* permits nothing, a sentence that suggests another one; `None` when it permits something.

    Args:
        permission: Like `books:update`, `books:*`, `*:read`.

        resources: Those that there are, by name.
    """
    parts = split_permission(permission)
    if parts is None:
        return f"{permission!r} is no permission: it must be like books:read, books:*, *:read or *"
    name, action = parts
    if name not in resources and name != EVERY:
        return f"{permission!r} permits nothing, as there is no resource {name!r}{_instead(name, resources)}"
    asked = resources.values() if name == EVERY else (resources[name],)
    known = tuple(dict.fromkeys(each for resource in asked for each in known_actions(resource)))
    if action in known or not known:
        return None
    whose = "any resource" if name == EVERY else name
    return f"{permission!r} permits nothing, as {action!r} is no action of {whose}{_instead(action, known)}"


def _instead(name: str, known: Iterable[str]) -> str:
    names = [str(each) for each in known]
    found = get_close_matches(name, names, n=1)
    return f": did you mean {found[0]!r}?" if found else f": there are {', '.join(names) or 'none'}"
