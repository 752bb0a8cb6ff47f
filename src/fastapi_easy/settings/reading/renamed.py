"""Settings that had another name before."""

import warnings
from collections.abc import Mapping
from typing import Any


def with_new_name(values: Any, old: str, new: str, meanings: Mapping[str, Any] | None = None) -> Any:
    """Return *values* with what *old* says under its new name, and warn of it.

    Args:
        values: What is given for a section; anything but a mapping is returned as it is.

        old: The name before.

        new: The name now.

        meanings: What each value that *old* could have is now; as it is unless given.

    Raises:
        ValueError: Both names are given, or *old* has a value that it never could have.
    """
    if not isinstance(values, Mapping) or old not in values:
        return values
    if new in values:
        raise ValueError(f"{old} is the former name of {new}, which is set too: leave {old} out")
    given = values[old]
    if meanings is not None:
        if str(given) not in meanings:
            raise ValueError(
                f"{old} is the former name of {new}: set {new}, to one of "
                f"{', '.join(dict.fromkeys(map(str, meanings.values())))}"
            )
        given = meanings[str(given)]
    warnings.warn(
        f"the setting {old} is called {new} now: write {new} = {str(given)!r}",
        DeprecationWarning,
        stacklevel=2,
    )
    return {**{name: value for name, value in values.items() if name != old}, new: given}
