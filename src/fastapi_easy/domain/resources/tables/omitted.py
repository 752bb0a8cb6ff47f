"""Columns of a user's class that are no fields, since no kind of value stands for their type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class OmittedColumn:
    """A column that callers can neither read nor write.

    Attributes:
        reason: Why, a sentence with the way to mend it.

        is_mistake: The class is wrong, so that it is refused unless the column is hidden.

        is_searched: `q` looks into it, where `query.search` names it.
    """

    reason: str
    is_mistake: bool = False
    is_searched: bool = False


def without_search(omitted: Mapping[str, OmittedColumn]) -> Mapping[str, OmittedColumn]:
    """Return *omitted* as it is in a store that searches no column for words by itself."""
    return {name: replace(each, is_searched=False) for name, each in omitted.items()}
