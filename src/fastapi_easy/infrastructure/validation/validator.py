"""The port `Validator`, by pydantic."""

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Invalid, Outcome
from fastapi_easy.domain.resources.addressable_keys import text_key_of
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import Json
from fastapi_easy.infrastructure.entities.faults import to_invalid
from fastapi_easy.infrastructure.validation.bodies import body_type
from fastapi_easy.infrastructure.validation.kinds import AddressableKey, input_type
from fastapi_easy.infrastructure.validation.merging import accept_merges
from fastapi_easy.infrastructure.validation.own_classes import action_reader, model_reader
from fastapi_easy.infrastructure.validation.python_values import to_document
from fastapi_easy.infrastructure.validation.readers import (
    accept_aliases,
    accept_field_names,
    reader_of,
    with_hints,
)
from fastapi_easy.infrastructure.validation.restoring import restore_check

_Reader: TypeAlias = Callable[[object], object]
_Check: TypeAlias = Callable[[object], Outcome[Any]]
"""Makes of `Json`, or of values of a program, what is asked for."""


class PydanticValidator:
    """Implements `Validator` for one resource. What checks is built when it is first needed."""

    def __init__(self, resource: Resource[Any]) -> None:
        self._resource = resource
        self._actions: dict[type, _Check] = {}

    @cached_property
    def create(self) -> Callable[[Values], Outcome[Values]]:
        """Return the values of a new entity."""
        return self._check_for("create")

    @cached_property
    def restore(self) -> Callable[[Values], Outcome[Values]]:
        """Return the values of a new entity, also of fields that only a restore sets."""
        return restore_check(self._resource, self.create)

    @cached_property
    def replace(self) -> Callable[[Values], Outcome[Values]]:
        """Return the values that get the place of all an entity has."""
        check = self._check_for("replace")
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
        """Return other values for some fields of an entity; a JSON field may be given a `Merge`."""
        return accept_merges(self._check_for("update"), self._resource)

    def action(self, name: str, given: object) -> Outcome[Any]:
        """Make an instance of the action *name*.

        Raises:
            TypeError: *given* is an instance of another class.
        """
        action = (self._resource.actions or {})[name]
        if type(given) is Json:
            return self._check_of(action)(given)
        if not isinstance(given, action):
            raise TypeError(f"{name} expects a {action.__name__}, but was given a {type(given).__name__}")
        fields = (each.name for each in dataclasses.fields(given) if each.init)
        return self._check_of(type(given))({name: getattr(given, name) for name in fields})

    def source(self, purpose: str, title: str) -> Any:
        """Return what the body of *purpose* is described from."""
        return self._user_schema(purpose) or self._body(purpose, title, by_alias=True)

    def member(self, field: str) -> Any:
        """Return what a member of a derived body is described from."""
        return input_type(self._resource.fields[field])

    def _user_schema(self, purpose: str) -> type[BaseModel] | None:
        own = self._resource.schemas
        return own.update if purpose == "update" else own.create

    def _body(self, purpose: str, title: str, *, by_alias: bool) -> Any:
        resource = self._resource
        names = resource.writable if purpose == "create" else resource.changeable
        fields = [resource.fields[name] for name in names]
        key = text_key_of(resource)
        if purpose == "create" and key is not None:
            addressable = dataclasses.replace(key, rules=(*key.rules, AddressableKey()))
            fields = [addressable if field is key else field for field in fields]
        return body_type(
            fields, title, partial=purpose == "update", by_alias=by_alias, stamped=resource.stamped
        )

    def _check_for(self, purpose: str) -> _Check:
        own, naming = self._user_schema(purpose), self._resource.naming
        if own is not None:
            read = model_reader(own, self._resource.fields, whole=purpose != "update")
            return _make_check(
                with_hints(read, naming.alias_by_name) if naming.alias_by_name else read,
                accept_field_names(read, own),
            )
        if naming.alias_by_name:
            return _make_check(
                accept_aliases(reader_of(self._body(purpose, purpose, by_alias=True)), self._resource),
                with_hints(reader_of(self._body(purpose, purpose, by_alias=False)), naming.name_by_alias),
            )
        validate = TypeAdapter(self._body(purpose, purpose, by_alias=False)).validator.validate_python

        # Like `_make_check`, without a call more than it takes: nearly every create and update passes through.
        def check(given: object) -> Outcome[Any]:
            document = given.document if type(given) is Json else to_document(given)
            if type(document) is Invalid:
                return _failure(document)
            try:
                return Success(validate(document))
            except ValidationError as error:
                return _failure(to_invalid(error))

        return check

    def _check_of(self, action: type) -> _Check:
        check = self._actions.get(action)
        if check is None:
            read = action_reader(action)
            check = self._actions[action] = _make_check(read, read)
        return check


def _make_check(read: _Reader, read_python: _Reader) -> _Check:
    """Build a check that reads JSON with *read*, and values of a program with *read_python*."""

    def check(given: object) -> Outcome[Any]:
        if type(given) is Json:
            found = read(given.document)
        else:
            document = to_document(given)
            found = document if type(document) is Invalid else read_python(document)
        return _failure(found) if type(found) is Invalid else Success(found)

    return check


def _failure(found: Invalid) -> Failure[Error]:
    return Failure(found)
