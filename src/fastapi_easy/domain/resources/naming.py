"""Aliases: what callers call the fields of a resource, where that is not their name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.field import Field

_QUERYABLE_NAME: Final = re.compile(r"[\w$@][\w$@-]*")
"""What stands between the dots, commas and signs of the query grammar."""


@dataclass(frozen=True, slots=True)
class FieldAliases:
    """The aliases of fields, in both directions; empty where callers use the names.

    Attributes:
        alias_by_name: The alias of a field, by its name.

        name_by_alias: The name of a field, by its alias.
    """

    alias_by_name: Mapping[str, str] = field(default_factory=dict)
    name_by_alias: Mapping[str, str] = field(default_factory=dict)

    def alias_of(self, name: str) -> str:
        """Return the alias of the field *name*, or its name when it has none."""
        return self.alias_by_name.get(name, name)

    def resolve(self, word: str) -> str | None:
        """Return the field that callers mean by *word*; `None` for the name of a field that they call otherwise."""
        return self.name_by_alias.get(word) or (None if word in self.alias_by_name else word)


NO_ALIASES: Final = FieldAliases()
"""No field has an alias."""


def build_aliases(fields: Iterable[Field]) -> FieldAliases:
    """Return the aliases of *fields*."""
    outside = {each.name: each.alias for each in fields if each.alias is not None}
    return FieldAliases(outside, {alias: name for name, alias in outside.items()}) if outside else NO_ALIASES


def find_alias_mistakes(fields: Mapping[str, Field]) -> Iterator[str]:
    """Yield why callers could not tell *fields* apart, or not ask for them, each with its mend."""
    taken: dict[str, str] = {}
    for name, each in fields.items():
        alias = each.alias
        if alias is None:
            continue
        if alias in fields:
            yield f"{name!r} has the alias {alias!r}, which is the name of another field: give it another alias"
        if alias in taken:
            yield f"{taken[alias]!r} and {name!r} both have the alias {alias!r}: give one of them another alias"
        if not _QUERYABLE_NAME.fullmatch(alias):
            yield (
                f"{name!r} has the alias {alias!r}, which cannot be written in a query: use letters, digits, "
                "underscores and "
                "hyphens"
            )
        taken[alias] = name
