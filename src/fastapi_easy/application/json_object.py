"""One object of a JSON document, whose members are read by their types."""

import enum
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn, TypeVar, cast

E = TypeVar("E", bound=enum.Enum)

_ABSENT: Final = object()


class JsonObject:
    """One object of a JSON document, whose members are read by their types.

    Every method raises `ValueError`, with a sentence that names the place, for a member that is missing or is of
    another type.

    Args:
        found: What was parsed.

        place: Where it is, like `steps[2].probe`; empty for the whole document.
    """

    def __init__(self, found: object, place: str = "") -> None:
        if not isinstance(found, Mapping):
            raise ValueError(f"{place or 'the document'} is no object")  # noqa: TRY004 (of the input)
        self._members = cast("Mapping[str, object]", found)
        self._place = place

    def __iter__(self) -> Iterator[str]:
        """Return the names of the members."""
        return iter(self._members)

    def text(self, name: str) -> str:
        """Return a text."""
        found = self._get(name)
        return found if isinstance(found, str) else self._refuse(name, "a text")

    def text_or_none(self, name: str) -> str | None:
        """Return a text, or `None` for null."""
        return None if self._get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        found = self._get(name)
        return found if isinstance(found, bool) else self._refuse(name, "true or false")

    def number(self, name: str) -> float:
        """Return a number."""
        found = self._get(name)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return self._refuse(name, "a number")
        return float(found)

    def count_or_none(self, name: str) -> int | None:
        """Return a whole number, or `None` for null."""
        found = self._get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int):
            return self._refuse(name, "a whole number")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self._list(name)
        if not all(isinstance(each, str) for each in found):
            return self._refuse(name, "a list of texts")
        return cast("tuple[str, ...]", tuple(found))

    def scalar(self, name: str) -> bool | int | str | tuple[str, ...] | None:
        """Return true or false, a whole number, a text, a list of texts, or `None` for null."""
        found = self._get(name)
        if isinstance(found, list):
            return self.texts(name)
        if found is None or isinstance(found, bool | int | str):
            return found
        return self._refuse(name, "true or false, a whole number, a text, or a list of texts")

    def member(self, name: str, of: type[E]) -> E:
        """Return the member of the enumeration *of* with that value."""
        return self._member(name, self.text(name), of)

    def members(self, name: str, of: type[E]) -> tuple[E, ...]:
        """Return the members of the enumeration *of* with the values of a list."""
        return tuple(self._member(name, each, of) for each in self.texts(name))

    def child(self, name: str) -> "JsonObject":
        """Return an object."""
        return JsonObject(self._get(name), self._at(name))

    def children(self, name: str) -> Iterator["JsonObject"]:
        """Yield the objects of a list."""
        for position, each in enumerate(self._list(name)):
            yield JsonObject(each, f"{self._at(name)}[{position}]")

    def _member(self, name: str, text: str, of: type[E]) -> E:
        try:
            return of(text)
        except ValueError:
            known = ", ".join(str(each.value) for each in of)
            raise ValueError(f"{self._at(name)} is {text!r}, none of: {known}") from None

    def _list(self, name: str) -> list[object]:
        found = self._get(name)
        return found if isinstance(found, list) else self._refuse(name, "a list")

    def _get(self, name: str) -> object:
        found = self._members.get(name, _ABSENT)
        if found is _ABSENT:
            raise ValueError(f"{self._at(name)} is missing")
        return found

    def _at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        raise ValueError(f"{self._at(name)} is not {wanted}")
