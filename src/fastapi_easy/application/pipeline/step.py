"""The types of handlers and of the steps around them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.validator import Validator
from fastapi_easy.domain.resources.resource import Resource

C_contra = TypeVar("C_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Handler(Protocol[C_contra, R_co]):
    """Carries out one command."""

    def __call__(self, command: C_contra, context: Context, /) -> Awaitable[Outcome[R_co]]:
        """Carry out *command* for the caller of *context*."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """The resource and the action that a handler serves.

    Attributes:
        resource: The resource of the handler.

        action: The operation, or the name of a user-defined action.

        validator: Returns the validator of the resource.
    """

    resource: Resource[object]
    action: str
    validator: Callable[[], Validator]


Step: TypeAlias = Callable[[Target, Handler[Any, Any]], Handler[Any, Any]]
"""Wraps a handler in one concern. Called once at start; a step that has nothing to do for the target returns
the handler itself, and so costs nothing."""
