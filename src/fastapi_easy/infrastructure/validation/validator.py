"""The port `Validator`, by pydantic."""

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Error, Invalid, Outcome
from fastapi_easy.domain.json import Json
from fastapi_easy.domain.patch import Values
from fastapi_easy.domain.resource import Resource
from fastapi_easy.infrastructure.validation.bodies import body_of
from fastapi_easy.infrastructure.validation.faults import invalid
from fastapi_easy.infrastructure.validation.own_classes import read_action, read_model
from fastapi_easy.infrastructure.validation.python_values import taken

_Read: TypeAlias = Callable[[Any], Any | Invalid]
"""Makes of a document what is asked for."""

_Check: TypeAlias = Callable[[Any], Outcome[Any]]
"""The same from `Json` or from values of a program."""


class PydanticValidator:
    """Implements `Validator` for one resource. What checks is built when it is first needed."""

    def __init__(self, resource: Resource[Any]) -> None:
        self._resource = resource
        self._actions: dict[type[Any], _Check] = {}

    @cached_property
    def create(self) -> Callable[[Values], Outcome[Values]]:
        """The values of a new entity."""
        return _check_for(self.source("create", "Create"), whole=True)

    @cached_property
    def replace(self) -> Callable[[Values], Outcome[Values]]:
        """The values of an entity that get the place of all there are."""
        check = _check_for(self.source("replace", "Replace"), whole=True)
        if self._resource.schemas.create is None:
            return check
        changeable = frozenset(self._resource.changeable)

        def without_fixed(given: Values) -> Outcome[Values]:
            checked = check(given)
            if isinstance(checked, Failure):
                return checked
            return Success({name: each for name, each in checked.unwrap().items() if name in changeable})

        return without_fixed

    @cached_property
    def update(self) -> Callable[[Values], Outcome[Values]]:
        """Other values for some fields of an entity."""
        return _check_for(self.source("update", "Update"), whole=False)

    def action(self, name: str, given: Any) -> Outcome[Any]:
        """An instance of the action *name*.

        Raises:
            TypeError: *given* is an instance of another class.
        """
        action = (self._resource.actions or {})[name]
        if type(given) is Json:
            return self._check_of(action)(given)
        if not isinstance(given, action):
            raise TypeError(f"{name} performs a {action.__name__}, and was given a {type(given).__name__}")
        fields = (each.name for each in dataclasses.fields(given) if each.init)
        return self._check_of(type(given))({name: getattr(given, name) for name in fields})

    def source(self, purpose: str, title: str) -> Any:
        """What the body of *purpose* is described from."""
        resource, own = self._resource, self._resource.schemas
        if purpose == "update":
            return own.update or self._body(resource.changeable, title, partial=True)
        return own.create or self._body(
            resource.writable if purpose == "create" else resource.changeable, title
        )

    def _body(self, names: tuple[str, ...], title: str, *, partial: bool = False) -> Any:
        return body_of([self._resource.fields[name] for name in names], title, partial=partial)

    def _check_of(self, action: type[Any]) -> _Check:
        check = self._actions.get(action)
        if check is None:
            check = self._actions[action] = _checking(read_action(action))
        return check


def _check_for(schema: Any, *, whole: bool) -> _Check:
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return _checking(read_model(schema, whole=whole))
    validate = TypeAdapter(schema).validator.validate_python

    # Like `_checking`, without a call more than it takes: every create and update passes through.
    def check(given: Any) -> Outcome[Any]:
        document = given.document if type(given) is Json else taken(given)
        if type(document) is Invalid:
            return _refused(document)
        try:
            return Success(validate(document))
        except ValidationError as error:
            return _refused(invalid(error))

    return check


def _checking(read: _Read) -> _Check:
    def check(given: Any) -> Outcome[Any]:
        document = given.document if type(given) is Json else taken(given)
        found = document if type(document) is Invalid else read(document)
        return _refused(found) if type(found) is Invalid else Success(found)

    return check


def _refused(found: Invalid) -> Failure[Error]:
    return Failure(found)
