"""Value objects that are made for every request: immutable for type checkers, and as quick to make as any object.

A frozen dataclass sets each of its fields through `object.__setattr__`, which takes as long as all the rest of a short
call; at run time nothing writes to these (ADR 96).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def value_object(cls: type[T], /) -> type[T]: ...


@overload
def value_object(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True)
def value_object(
    cls: type[T] | None = None, /, *, kw_only: bool = False
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a slotted dataclass that is compared by value, and that type checkers let nobody change.

    Args:
        cls: The class, when the decorator has no arguments.

        kw_only: Its fields are given by name.
    """

    def decorate(cls: type[T], /) -> type[T]:
        return dataclass(unsafe_hash=True, slots=True, kw_only=kw_only)(cls)

    return decorate if cls is None else decorate(cls)
