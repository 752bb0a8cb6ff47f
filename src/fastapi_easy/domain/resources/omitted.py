"""Columns of a user's class that are no fields, since no kind of value stands for their type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from fastapi_easy.domain.resources.declaring.mistakes import Mistakes


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


def check_omitted(
    omitted: Mapping[str, OmittedColumn], hidden: Collection[str], mistakes: Mistakes
) -> tuple[str, ...]:
    """Return a notice for each column that is left out though nobody hides it; add what is a mistake instead.

    Args:
        omitted: The columns, by their names in the class.

        hidden: The fields that the declaration hides.

        mistakes: Those of the declaration.
    """
    shown = {name: each for name, each in omitted.items() if name not in hidden}
    for each in shown.values():
        if each.is_mistake:
            mistakes.append(each.reason)
    return tuple(each.reason for each in shown.values() if not each.is_mistake and not each.is_searched)
