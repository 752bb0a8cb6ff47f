"""What a declaration leaves out of a class, since no kind of value stands for it."""

from collections.abc import Collection, Mapping

from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.tables.omitted import OmittedColumn


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
