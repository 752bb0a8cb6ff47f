"""The fields a caller sets, and no others."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, TypeAlias

from returns.result import Failure

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.values.json import Json

Values: TypeAlias = Mapping[str, Any]
"""Field name to value: everything a caller says about one entity."""


class Patch(Mapping[str, Any]):
    """An immutable choice of fields and their new values.

    A field that is absent stays as it is; a field that is `None` becomes null. An empty patch changes nothing. A JSON
    field is replaced by the document given, unless that is a `Merge`.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = MappingProxyType(dict(values))

    def __getitem__(self, field: str) -> Any:
        return self._values[field]

    def __contains__(self, field: object) -> bool:
        return field in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> KeysView[str]:
        """Return the fields that were set."""
        return self._values.keys()

    def items(self) -> ItemsView[str, Any]:
        """Return the fields that were set, with their values."""
        return self._values.items()

    def __repr__(self) -> str:
        return f"Patch({dict(self._values)!r})"


def reject_unknown_fields(values: Values, known: AbstractSet[str]) -> Failure[Invalid] | None:
    """Return the refusal of *values* that name fields which are not *known*; `None` when all are.

    Raises:
        TypeError: They are what a caller sent, and nobody has checked them.
    """
    if type(values) is not dict and isinstance(values, Json):
        raise TypeError(
            "a command holds Json that was not checked: call the use case, which has the step `validate`"
        )
    if values.keys() <= known:
        return None
    unknown = [name for name in values if name not in known]
    return Failure(
        Invalid(
            tuple(
                Fault(f"/{name}", "Is not a field that can be written", "extra_forbidden") for name in unknown
            )
        )
    )
