"""Comparisons of a field, written as Python's own: `Where("owner_id") == principal.id`."""

from abc import abstractmethod
from collections.abc import Set as AbstractSet
from typing import Any, Self

from fastapi_easy.domain.field import UNSET


class FieldComparisons:
    """What a `Where` with nothing but a field is compared by; each comparison returns the condition.

    A value may be a placeholder, where a policy is declared. Of two conditions `==` says whether they are the same.

    Attributes:
        field: The name of the field.

        operator: How it is compared; unset while it is not.

        value: What it is compared with.
    """

    __slots__ = ()

    field: str
    operator: Any
    value: Any

    @abstractmethod
    def _condition(self, operator: str, value: object) -> Self:
        """Return the condition with the operator that is spelt *operator*."""

    def _compare(self, operator: str, value: object) -> Self:
        if self.operator is not UNSET:
            raise TypeError(f"{self} is a condition already: compare Where({self.field!r})")
        return self._condition(operator, value)

    def __eq__(self, other: object) -> Any:
        """Return the condition that the field equals *other*, or is null where that is `None`."""
        if type(other) is type(self):
            return (self.field, self.operator, self.value) == (other.field, other.operator, other.value)
        if self.operator is not UNSET:
            return NotImplemented
        return self._compare("isnull", True) if other is None else self._compare("eq", other)

    def __ne__(self, other: object) -> Any:
        """Return the condition that the field differs from *other*, which a field that is null does too."""
        if self.operator is not UNSET or type(other) is type(self):
            return not self == other
        return self._compare("isnull", False) if other is None else self._compare("ne", other)

    def __hash__(self) -> int:
        return hash((self.field, self.operator, self.value))

    def __lt__(self, value: object) -> Self:
        return self._compare("lt", value)

    def __le__(self, value: object) -> Self:
        return self._compare("lte", value)

    def __gt__(self, value: object) -> Self:
        return self._compare("gt", value)

    def __ge__(self, value: object) -> Self:
        return self._compare("gte", value)

    def in_(self, values: object) -> Self:
        """Return the condition that the field is one of *values*."""
        return self._compare("in", _as_tuple(values))

    def not_in(self, values: object) -> Self:
        """Return the condition that the field is none of *values*, which a field that is null is too."""
        return self._compare("not_in", _as_tuple(values))


def _as_tuple(values: Any) -> Any:
    """Return several *values* as a tuple; a placeholder, which stands for some, as it is."""
    return tuple(values) if isinstance(values, list | tuple | AbstractSet) else values
