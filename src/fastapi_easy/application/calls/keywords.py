"""What a call in Python says, as one mapping or as keywords."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from fastapi_easy.domain.changes.patch import Values

_NONE: Final[Mapping[str, object]] = MappingProxyType({})


def merge_fields(
    method: str,
    values: Values | None,
    keywords: Values,
    options: Mapping[str, object] = _NONE,
    known: Collection[str] = (),
) -> Values:
    """Return what was said, which is either *values* or *keywords*.

    Args:
        method: What was called, for the sentence.

        values: One mapping, if it was given.

        keywords: The other keywords.

        options: The options that were given as keywords.

        known: The names that can be said.

    Raises:
        TypeError: It was said both ways, or a keyword could be an option as well as a field.
    """
    if values is not None:
        if keywords:
            raise TypeError(f"{method}() takes fields as one mapping or as keywords, not both")
        return values
    for name in options:
        if name in known:
            raise TypeError(
                f"{method}() has an option {name!r}, and there is a field of that name: "
                f"give the fields as one mapping, {method}(…, {{…}}, {name}=…)"
            )
    return keywords


def without_none(**options: object) -> dict[str, object]:
    """Return those of *options* about which something was said."""
    return {name: value for name, value in options.items() if value is not None}
