"""What callers outside call the fields of a resource, where that is not their name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.field import Field

_SPEAKABLE: Final = re.compile(r"[\w$@][\w$@-]*")
"""What stands between the dots, commas and signs of the query grammar."""


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of fields outside and inside; empty where they are the same.

    Attributes:
        outside: What callers call a field, by its name.

        inside: The names, by what callers call them.
    """

    outside: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)

    def out(self, name: str) -> str:
        """Return what callers call the field *name*."""
        return self.outside.get(name, name)

    def meant(self, word: str) -> str | None:
        """Return the field that callers mean by *word*; `None` for the name of a field that they call otherwise."""
        return self.inside.get(word) or (None if word in self.outside else word)


PLAIN: Final = Naming()
"""Every field is called by its name."""


def naming_of(fields: Iterable[Field]) -> Naming:
    """Return what *fields* are called."""
    outside = {each.name: each.alias for each in fields if each.alias is not None}
    return Naming(outside, {alias: name for name, alias in outside.items()}) if outside else PLAIN


def mistakes_in_aliases(fields: Mapping[str, Field]) -> Iterator[str]:
    """Yield why callers could not tell *fields* apart, or not ask for them, each with its mend."""
    taken: dict[str, str] = {}
    for name, each in fields.items():
        alias = each.alias
        if alias is None:
            continue
        if alias in fields:
            yield f"{name!r} is called {alias!r} outside, which is the name of another field: give it another alias"
        if alias in taken:
            yield f"{taken[alias]!r} and {name!r} are both called {alias!r} outside: give one of them another alias"
        if not _SPEAKABLE.fullmatch(alias):
            yield (
                f"{name!r} is called {alias!r} outside, which no query can spell: use letters, digits, underscores and "
                "hyphens"
            )
        taken[alias] = name
