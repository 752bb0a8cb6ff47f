"""The rules that a program has: those of this system, and its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from fastapi_easy.domain.migrations.risk import Rule
from fastapi_easy.domain.migrations.rules.table import RULES

_PAGE: Final = "docs/reference/migration-rules.md"
_ID: Final = re.compile(r"(?P<prefix>[A-Z]{2,8})\d{3}")
_BUILT_IN: Final = {rule.id: rule for rule in RULES}
_PREFIXES: Final = frozenset(rule.id[:-3] for rule in RULES)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that a program has: those of this system, and its own.

    Attributes:
        custom: Its own, in the order in which they are asked, after those of this system.

    Raises:
        ValueError: An id is taken, or is not a prefix of its own with three digits.
    """

    custom: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Check the ids."""
        seen: set[str] = set()
        for rule in self.custom:
            found = _ID.fullmatch(rule.id)
            if found is None:
                raise ValueError(
                    f"{rule.id!r} is not the id of a rule: write capital letters and three digits, such as SHOP101"
                )
            if found["prefix"] in _PREFIXES:
                raise ValueError(
                    f"{rule.id}: {found['prefix']} is for rules of this system; choose another prefix"
                )
            if rule.id in seen:
                raise ValueError(f"{rule.id}: two rules have this id")
            seen.add(rule.id)

    def __iter__(self) -> Iterator[Rule]:
        """Yield every rule."""
        yield from RULES
        yield from self.custom

    def find(self, rule_id: str) -> Rule | None:
        """Return the rule *rule_id*; `None` if there is none."""
        return _BUILT_IN.get(rule_id) or next((each for each in self.custom if each.id == rule_id), None)

    def with_rule(self, rule: Rule) -> "RuleSet":
        """Return these rules and *rule*.

        Raises:
            ValueError: Its id is taken, or is not a prefix of its own with three digits.
        """
        return replace(self, custom=(*self.custom, rule))


def docs_of(rule: Rule) -> str:
    """Return the address at which *rule* is documented; empty for a custom one that names none."""
    return rule.docs or (f"{_PAGE}#{rule.id.lower()}" if rule.id in _BUILT_IN else "")
