"""Documents → values, also where callers call fields otherwise than programs do."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.infrastructure.entities.faults import to_invalid
from fastapi_easy.infrastructure.validation.naming import document_key

Members: TypeAlias = dict[str, Any]
Read: TypeAlias = Callable[[object], Members | Invalid]
"""Reads the values of fields from a document."""

_EXTRA_FORBIDDEN: Final = "extra_forbidden"


def reader_of(body: Any) -> Read:
    """Make a reader of what the typed dictionary *body* lets through."""
    validate = TypeAdapter(body).validator.validate_python

    def read(document: object) -> Members | Invalid:
        try:
            values: Members = validate(document)
        except ValidationError as error:
            return to_invalid(error)
        return values

    return read


def accept_aliases(read: Read, resource: Resource[Any]) -> Read:
    """Make a reader of what calls the fields of *resource* as callers do, into values by their names.

    A field whose class says so may be called by its name as well, unless it is called both ways at once.
    """
    naming = resource.naming
    either = {name: word for name, word in naming.alias_by_name.items() if resource.fields[name].by_name}

    def reading(document: object) -> Members | Invalid:
        if either and isinstance(document, dict):
            document = {
                either[name] if name in either and either[name] not in document else name: value
                for name, value in document.items()
            }
        values = read(document)
        if isinstance(values, Invalid):
            return values
        return {naming.name_by_alias.get(word, word): value for word, value in values.items()}

    return with_hints(reading, naming.alias_by_name)


def accept_field_names(read: Read, model: type[BaseModel]) -> Read:
    """Make a reader of what calls the fields of *model* by their names, where *read* goes by its aliases."""
    keys = {name: document_key(model, name) for name in model.model_fields}
    if all(name == key for name, key in keys.items()):
        return read
    names = {join_pointer("", key): join_pointer("", name) for name, key in keys.items()}
    unknown = {key for key in keys.values() if key not in keys}

    def reading(document: object) -> Members | Invalid:
        if not isinstance(document, dict):
            return read(document)
        values = read({keys.get(name, name): each for name, each in document.items() if name not in unknown})
        found = values.faults if isinstance(values, Invalid) else ()
        faults = [_with_field_name(fault, names) for fault in found]
        faults += [
            Fault(join_pointer("", name), "Extra inputs are not permitted", _EXTRA_FORBIDDEN)
            for name in document
            if name in unknown
        ]
        return Invalid(tuple(faults)) if faults else values

    return with_hints(reading, {key: name for name, key in keys.items() if key != name})


def with_hints(read: Read, suggestions: Mapping[str, str]) -> Read:
    """Let *read* tell who uses a word that is known elsewhere only which one is *suggestions* by it."""
    hints = {join_pointer("", word): f"; did you mean {other!r}?" for word, other in suggestions.items()}

    def reading(document: object) -> Members | Invalid:
        values = read(document)
        if not isinstance(values, Invalid):
            return values
        return Invalid(
            tuple(
                replace(fault, message=f"{fault.message}{hints[fault.pointer]}")
                if fault.code == _EXTRA_FORBIDDEN and fault.pointer in hints
                else fault
                for fault in values.faults
            )
        )

    return reading


def _with_field_name(fault: Fault, names: Mapping[str, str]) -> Fault:
    """Return *fault* with the name of its field in place of the alias."""
    head, slash, rest = fault.pointer[1:].partition("/")
    name = names.get(f"/{head}")
    return fault if name is None else replace(fault, pointer=f"{name}{slash}{rest}")
