"""The fields a caller sets, and no others."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

Values: TypeAlias = Mapping[str, Any]
"""Field name to value: everything a caller says about one entity."""


class Patch(Mapping[str, Any]):
    """An immutable choice of fields and their new values.

    A field that is absent stays as it is; a field that is `None` becomes null. An empty patch changes nothing.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = MappingProxyType(dict(values))

    def __getitem__(self, field: str) -> Any:
        return self._values[field]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Patch({dict(self._values)!r})"
