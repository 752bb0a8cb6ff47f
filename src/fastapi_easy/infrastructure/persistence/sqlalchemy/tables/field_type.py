"""What a column type says about its values."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import Comparison, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """What a column type says about its values; the attributes are those of `Field`."""

    kind: Kind
    enumeration: type[enum.Enum] | None = None
    item: Kind | None = None
    item_rules: tuple[Any, ...] = ()
    max_length: int | None = None
    stored_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    precision: int | None = None
    scale: int | None = None
    check: Callable[[Any], None] | None = None
    comparison: Comparison = Comparison.FULL

    @property
    def field_arguments(self) -> Mapping[str, Any]:
        """As keyword arguments of `Field`."""
        return {name: getattr(self, name) for name in self.__slots__}
