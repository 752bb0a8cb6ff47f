"""The arguments of a call in Python, as one mapping or as keywords."""

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
    """Return the fields of a call: *values*, or else *keywords*.

    Args:
        method: The name of the method, for the message.

        values: One mapping, if one was given.

        keywords: The fields that were given as keywords.

        options: The options that were given as keywords.

        known: The names of all fields.

    Raises:
        TypeError: Fields were given both ways, or a keyword could be an option as well as a field.
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
    """Return those of *options* that are not `None`."""
    return {name: value for name, value in options.items() if value is not None}
