"""Values inside of JSON fields, which queries compare and sort by as if they were fields of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.limits import INTEGER_LIMITS


@dataclass(frozen=True, slots=True)
class DocumentPath:
    """A place in the documents of a JSON field, with the kind of the values that count there.

    A document that is null or no object there, an absent member, the JSON value `null`, and a value that the kind
    cannot hold are all null.

    Attributes:
        document: The JSON field.

        members: The names of members, from the outermost to the value.

        field: The value as a field; its name is the whole path, with dots.

        is_indexed: An index of the store serves it.
    """

    document: str
    members: tuple[str, ...]
    field: Field
    is_indexed: bool = False

    def value_in(self, entity: Any) -> Any:
        """Return the value of *entity*, which is an object or a mapping of field names to values; `None` for null."""
        found = entity[self.document] if isinstance(entity, Mapping) else getattr(entity, self.document)
        for name in self.members:
            if not isinstance(found, Mapping):
                return None
            found = found.get(name)
        return None if found is None else PATH_KINDS[self.field.kind](found)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    # A number without a fraction is whole however it is written: JSON has one type of numbers.
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    is_held = is_whole and not isinstance(value, bool) and INTEGER_LIMITS[0] <= value <= INTEGER_LIMITS[1]
    return int(value) if is_held else None


def _float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    # NaN and the infinite numbers are no JSON.
    return number if number - number == 0 else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


PATH_KINDS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
}
"""The kinds that values inside of documents may have, and what makes null of everything else."""
