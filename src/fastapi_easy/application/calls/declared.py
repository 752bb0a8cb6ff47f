"""A resource as a user's code holds it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E")


class Declared(Protocol[E]):
    """What stands in a user's container: `shop.books`, or `Shop.books`."""

    @property
    def name(self) -> str:
        """The name it was declared with."""
        ...

    @property
    def resource(self) -> Callable[[], Resource[E]]:
        """Make the checked resource; says to type checkers what its entities are."""
        ...
