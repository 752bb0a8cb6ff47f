"""A declared resource, as user code refers to it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E")


class Declared(Protocol[E]):
    """The attribute of a container: `shop.books`, or `Shop.books`."""

    @property
    def name(self) -> str:
        """The name it was declared with."""
        ...

    @property
    def resource(self) -> Callable[[], Resource[E]]:
        """Makes the checked resource; tells type checkers the class of its entities."""
        ...
