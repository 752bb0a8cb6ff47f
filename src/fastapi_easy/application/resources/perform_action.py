"""A user-defined action on one entity."""

import dataclasses
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.work.commit import Commit
from fastapi_easy.application.context import Context
from fastapi_easy.application.redaction import redact
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Error, Key, Outcome, PreconditionRequired
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.declaring.action_names import action_name
from fastapi_easy.domain.values.json import Json


@runtime_checkable
class Action(Protocol):
    """A command and its handler in one class, declared as `resource(Order, actions=[CancelOrder])`.

    A dataclass whose fields are what the caller sends, with an async `perform`. Its docstring documents it at
    every interface. Its name is that of the class without the words of the entity's (`CancelOrder` → `cancel`,
    `CheckIn` → `check_in`), unless the class has an `action_name`.
    """

    def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Awaitable[Outcome[Any]]:
        """Perform the action on the entity with *key*, inside *work*, which is committed when this succeeds.

        *work* is the caller's view: what they may not see is not there. What is meant for the system goes through
        `work.as_system()`.

        Returns:
            A row of the resource, which interfaces show as its read model, or `None`.
        """
        ...


@dataclass(frozen=True, slots=True)
class PerformAction:
    """Perform *action* on the entity with *key*.

    Attributes:
        action: An instance of the user's class, or `Json` of which one is made.

        expected_version: The version the action is based on; `None` performs it on whatever is there.
    """

    key: Key
    action: Action | Json
    expected_version: str | None = None


class PerformActionHandler(ChangeHandler):
    """Carries out `PerformAction`."""

    async def __call__(self, command: PerformAction, context: Context, /) -> Outcome[Any]:
        """Return the answer of the action, without fields the caller may not read, once its unit of work is committed.

        Fails with: whatever the action fails with; then nothing was changed. Before it is performed:

            NotFound: There is no entity that the caller may see.

            Stale: It has another version than the expected one.

            PreconditionRequired: The resource requires an expected version.

            Forbidden: The caller may not perform it.

        With an idempotency key also: what `Idempotency.make_once` fails with.
        """
        action = command.action
        if isinstance(action, Json):
            raise TypeError(
                "the action is Json that was not checked: call the use case, which has the step `validate`"
            )
        name = self._name_of(type(action))
        access = await self._enter(context, name)
        if not isinstance(access, Access):
            return access
        if command.expected_version is None and self._resource.requires_version:
            return Failure(PreconditionRequired(self._resource.name))

        async def perform(work: CallerUnitOfWork, commit: Commit) -> Outcome[Any]:
            denied = await self._check_preconditions(command, work, access)
            if denied is not None:
                return denied
            performed = await action.perform(command.key, work, context)
            if isinstance(performed, Failure):
                return performed
            # Looked into before the commit: an action that forgot to answer an outcome changes nothing.
            answer = redact(
                performed.unwrap(), self._resource, access, self._collaborators.ports.resources.values()
            )
            return await commit(work, Success(answer))

        return await self._make_in_unit_of_work(perform, command, access, name)

    def _name_of(self, action: type[Any]) -> str:
        """Return the name that *action* was declared with."""
        declared = (name for name, each in (self._resource.actions or {}).items() if each is action)
        return next(declared, None) or action_name(action, self._resource.entity)

    async def _check_preconditions(
        self, command: PerformAction, work: UnitOfWork, access: Access
    ) -> Failure[Error] | None:
        resource = self._resource
        if command.expected_version is not None:
            # Changes nothing, and keeps the version from changing under the action.
            held = await work.repository(resource).update(
                command.key, Patch({}), expected_version=command.expected_version
            )
            return held if isinstance(held, Failure) else None
        if access.sees_all(resource):
            return None
        seen = await work.repository(resource).read(command.key, resource.key)
        return seen if isinstance(seen, Failure) else None


def find_action_mistakes(action: type[object]) -> list[str]:
    """Return the reasons why *action* cannot be declared, each with its remedy; empty when it can."""
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
