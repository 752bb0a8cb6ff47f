"""A use case of the user's own, on one entity."""

import dataclasses
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from returns.result import Failure, Success

from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.sight import Sight
from fastapi_easy.domain.errors import Error, Key, Outcome, PreconditionRequired
from fastapi_easy.domain.patch import Patch
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
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

        expected_version: The version the action is based on; `None` performs it on whatever is there.
    """

    key: Key
    action: Action
    expected_version: str | None = None


class PerformActionHandler(ResourceHandler):
    """Carries out `PerformAction`."""

    async def __call__(self, command: PerformAction, context: Context, /) -> Outcome[Any]:
        """Answer what the action answers, once its unit of work is committed.

        Fails with: whatever the action fails with; then nothing was changed. Before it is performed:

            NotFound: There is no entity that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource wants to be told a version.
        """
        if command.expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))
        async with self._with.unit_of_work() as work:
            refused = await self._refusal(command, work, context)
            if refused is not None:
                return refused
            performed = await command.action.perform(command.key, work, context)
            if isinstance(performed, Failure):
                return performed
            # Looked into before the commit: an action that forgot to answer an outcome changes nothing.
            return await settle(work, context, Success(performed.unwrap()))

    async def _refusal(
        self, command: PerformAction, work: UnitOfWork, context: Context
    ) -> Failure[Error] | None:
        resource, sight = self._resource, Sight(self._with.policy, context)
        if command.expected_version is not None:
            entities = sight.narrow(resource, work.repository(resource))
            # Changes nothing, and keeps the version from changing under the action.
            held = await entities.update(command.key, Patch({}), expected_version=command.expected_version)
            return held if isinstance(held, Failure) else None
        if isinstance(sight.of(resource), Everything):
            return None
        seen = await sight.narrow(resource, work.repository(resource)).read(command.key, resource.key)
        return seen if isinstance(seen, Failure) else None


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
