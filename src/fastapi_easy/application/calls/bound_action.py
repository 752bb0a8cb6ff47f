"""An action of the user's own as a method, for one caller."""

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.calls.arguments import RowVersion
from fastapi_easy.application.calls.bound_resource import BoundResource
from fastapi_easy.application.calls.keywords import merge_fields
from fastapi_easy.application.resources.perform_action import Action
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Fault, Invalid, Key, Outcome


class BoundAction:
    """The type of `kernel.orders.cancel`.

    Args:
        name: The name of the action.

        declared: The user's class.

        resource: The resource that it belongs to.
    """

    __slots__ = ("_declared", "_name", "_resource")

    def __init__(self, name: str, declared: type[Action], resource: BoundResource[Any]) -> None:
        self._name = name
        self._declared = declared
        self._resource = resource

    async def __call__(
        self,
        key: Key,
        values: Values | None = None,
        /,
        *,
        expected_version: RowVersion | None = None,
        **fields: object,
    ) -> Outcome[Any]:
        """Perform the action on the entity with *key*; its fields are one mapping, or keywords.

        Fails with: what `PerformActionHandler` fails with, and:

            Invalid: A field is missing or unknown.
        """
        options = {} if expected_version is None else {"expected_version": expected_version}
        given = merge_fields(self._name, values, fields, options, _parameters(self._declared))
        action = make_action(self._declared, given)
        if isinstance(action, Failure):
            return action
        return await self._resource.perform(key, action.unwrap(), expected_version=expected_version)


def make_action(declared: type[Action], values: Values) -> Outcome[Action]:
    """Make an instance of the dataclass *declared* whose fields are *values*.

    Fails with:
        Invalid: One that it needs is missing, or one that it does not have is named.
    """
    parameters = _parameters(declared)
    missing = [
        Fault(f"/{name}", "Field required", "missing")
        for name, parameter in parameters.items()
        if name not in values and parameter.default is parameter.empty
    ]
    unknown = [
        Fault(f"/{name}", "Unexpected keyword argument", "unexpected_keyword_argument")
        for name in values
        if name not in parameters
    ]
    return Failure(Invalid((*missing, *unknown))) if missing or unknown else Success(declared(**values))


@lru_cache(maxsize=1024)
def _parameters(declared: type[Action]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(declared).parameters
