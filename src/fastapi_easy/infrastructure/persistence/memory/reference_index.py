"""An index of the rows that refer to others."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final


class ReferenceIndex:
    """An index of rows by the values in the fields of references. What holds a null refers to nothing.

    Args:
        rules: The fields of each reference.
    """

    __slots__ = ("_rows_by_values",)

    def __init__(self, rules: Iterable[tuple[str, ...]]) -> None:
        self._rows_by_values: dict[
            tuple[str, ...], dict[tuple[object, ...], dict[tuple[object, ...], None]]
        ] = {rule: {} for rule in rules}

    def of(self, rule: tuple[str, ...], values: tuple[object, ...]) -> Collection[tuple[object, ...]]:
        """Return where the rows are that hold *values* in the fields *rule*, in the order of their arrival."""
        return self._rows_by_values[rule].get(values, ())

    def add(self, identity: tuple[object, ...], row: Mapping[str, object] | None) -> None:
        """Note what *row*, at *identity*, holds."""
        if row is None:
            return
        for rule, places in self._rows_by_values.items():
            values = tuple(row[field] for field in rule)
            if None not in values:
                places.setdefault(values, {})[identity] = None

    def remove(self, identity: tuple[object, ...], row: Mapping[str, object] | None) -> None:
        """Forget what *row*, at *identity*, held."""
        if row is None:
            return
        for rule, places in self._rows_by_values.items():
            values = tuple(row[field] for field in rule)
            held = places.get(values)
            if held is not None:
                _ = held.pop(identity, None)
                if not held:
                    del places[values]


NO_REFERENCES: Final = ReferenceIndex(())
"""Of a table without references."""
