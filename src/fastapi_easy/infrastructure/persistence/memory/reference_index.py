"""Which rows refer to what."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final


class Holders:
    """An index of rows by the values in the fields of references. What holds a null refers to nothing.

    Args:
        rules: The fields of each reference.
    """

    __slots__ = ("_places",)

    def __init__(self, rules: Iterable[tuple[str, ...]]) -> None:
        self._places: dict[tuple[str, ...], dict[tuple[Any, ...], dict[tuple[Any, ...], None]]] = {
            rule: {} for rule in rules
        }

    def of(self, rule: tuple[str, ...], values: tuple[Any, ...]) -> Collection[tuple[Any, ...]]:
        """Return where the rows are that hold *values* in the fields *rule*, in the order of their arrival."""
        return self._places[rule].get(values, ())

    def put(self, identity: tuple[Any, ...], row: Mapping[str, Any] | None) -> None:
        """Note what *row*, at *identity*, holds."""
        if row is None:
            return
        for rule, places in self._places.items():
            values = tuple(row[field] for field in rule)
            if None not in values:
                places.setdefault(values, {})[identity] = None

    def drop(self, identity: tuple[Any, ...], row: Mapping[str, Any] | None) -> None:
        """Forget what *row*, at *identity*, held."""
        if row is None:
            return
        for rule, places in self._places.items():
            values = tuple(row[field] for field in rule)
            held = places.get(values)
            if held is not None:
                _ = held.pop(identity, None)
                if not held:
                    del places[values]


NOBODY: Final = Holders(())
"""Of a table without references."""
