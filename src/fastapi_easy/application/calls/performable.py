"""What an action of a user's own is, to those who perform it in Python."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

T_co = TypeVar("T_co", covariant=True)


class Performable(Protocol[T_co]):
    """An action of a user's own that returns a `T_co`."""

    def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Awaitable[Outcome[T_co]]:
        """Perform the action on the entity with *key*, inside *work*."""
        ...
