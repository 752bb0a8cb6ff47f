"""A use case of the user's own, on one entity."""

import dataclasses
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from returns.result import Failure

from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import Everything


@runtime_checkable
class Action(Protocol):
    """A command and its handler in one class, declared as `resource(Order, actions=[CancelOrder])`.

    A dataclass whose fields are what the caller sends, with an async `perform`. Its docstring documents it at
    every interface. Its name is the first word of the class's name (`CancelOrder` → `cancel`), unless the class
    has an `action_name`.
    """

    def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Awaitable[Outcome[Any]]:
        """Do it to the entity with *key*, inside *work*, which is committed when this succeeds.

        Returns:
            A row of the resource, which interfaces show as its read model, or `None`.
        """
        ...


@dataclass(frozen=True, slots=True)
class PerformAction:
    """Perform *action* on the entity with *key*.

    Attributes:
        action: An instance of the user's class, made from what the caller sent.
    """

    key: Key
    action: Action


class PerformActionHandler:
    """Carries out `PerformAction`."""

    def __init__(
        self,
        resource: Resource[Any],
        unit_of_work: Callable[[], UnitOfWork],
        policy: Policy | None = None,
    ) -> None:
        self._resource = resource
        self._unit_of_work = unit_of_work
        self._policy = policy

    async def __call__(self, command: PerformAction, context: Context, /) -> Outcome[Any]:
        """Answer what the action answers, once its unit of work is committed.

        Fails with: whatever the action fails with, or `NotFound` when the caller may not see the entity; then
            nothing was changed.
        """
        resource, sight = self._resource, Sight(self._policy, context)
        async with self._unit_of_work() as work:
            if not isinstance(sight.of(resource), Everything):
                seen = await sight.narrow(resource, work.repository(resource)).read(command.key, resource.key)
                if isinstance(seen, Failure):
                    return seen
            performed = await command.action.perform(command.key, work, context)
            if isinstance(performed, Failure):
                return performed
            return await settle(work, context, performed.unwrap())


def action_name(action: type[Any]) -> str:
    """The name of *action*: its `action_name`, or the first word of its class's name in lower case."""
    given = getattr(action, "action_name", None)
    if isinstance(given, str):
        return given
    words = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9]+", action.__name__)
    return words[0].lower() if words else action.__name__.lower()


def mistakes_in_action(action: type[Any]) -> list[str]:
    """Why *action* cannot be declared, each with its mend; empty when it can."""
    mistakes = []
    if not dataclasses.is_dataclass(action):
        mistakes.append(
            f"action {action.__name__} is not a dataclass: decorate it with @dataclass(frozen=True)"
        )
    if not callable(getattr(action, "perform", None)):
        mistakes.append(
            f"action {action.__name__} has no method `async def perform(self, key, work, context)`: add it"
        )
    return mistakes
