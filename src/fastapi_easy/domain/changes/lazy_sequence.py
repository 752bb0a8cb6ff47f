"""Sequences that are made when they are first looked into."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class LazySequence(Sequence[T_co]):
    """A sequence of known length that is made when it is first looked into, and costs nothing until then.

    Args:
        length: How many there are.

        make: Makes them all; called once.
    """

    __slots__ = ("_length", "_made", "_make")

    def __init__(self, length: int, make: Callable[[], Sequence[T_co]]) -> None:
        self._length = length
        self._make = make
        self._made: Sequence[T_co] | None = None

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> T_co: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[T_co]: ...

    def __getitem__(self, place: int | slice) -> T_co | Sequence[T_co]:
        return self._all()[place]

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self._all()) == list(other)

    __hash__: Final = None  # type: ignore[assignment] # what is in it can be anything

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> Sequence[T_co]:
        if self._made is None:
            self._made = self._make()
        return self._made
