"""Documents → values, also where callers call fields otherwise than programs do."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import below
from fastapi_easy.infrastructure.validation.faults import invalid
from fastapi_easy.infrastructure.validation.naming import key_in

Read: TypeAlias = Callable[[Any], Any | Invalid]
"""Makes of a document what is asked for."""

_FOREIGN: Final = "extra_forbidden"


def reader_of(body: Any) -> Read:
    """Make a reader of what the typed dictionary *body* lets through."""
    validate = TypeAdapter(body).validator.validate_python

    def read(document: Any) -> dict[str, Any] | Invalid:
        try:
            values: dict[str, Any] = validate(document)
        except ValidationError as error:
            return invalid(error)
        return values

    return read


def from_outside(read: Read, resource: Resource[Any]) -> Read:
    """Make a reader of what calls the fields of *resource* as callers do, into values by their names.

    A field whose class says so may be called by its name as well, unless it is called both ways at once.
    """
    naming = resource.naming
    either = {name: word for name, word in naming.outside.items() if resource.fields[name].by_name}

    def reading(document: Any) -> Any | Invalid:
        if either and isinstance(document, dict):
            document = {
                either[name] if name in either and either[name] not in document else name: value
                for name, value in document.items()
            }
        values = read(document)
        if isinstance(values, Invalid):
            return values
        return {naming.inside.get(word, word): value for word, value in values.items()}

    return hinting(reading, naming.outside)


def from_inside(read: Read, model: type[BaseModel]) -> Read:
    """Make a reader of what calls the fields of *model* by their names, where *read* goes by its aliases."""
    keys = {name: key_in(model, name) for name in model.model_fields}
    if all(name == key for name, key in keys.items()):
        return read
    names = {below("", key): below("", name) for name, key in keys.items()}
    strange = {key for key in keys.values() if key not in keys}

    def reading(document: Any) -> Any | Invalid:
        if not isinstance(document, dict):
            return read(document)
        values = read({keys.get(name, name): each for name, each in document.items() if name not in strange})
        found = values.faults if isinstance(values, Invalid) else ()
        faults = [_moved(fault, names) for fault in found]
        faults += [
            Fault(below("", name), "Extra inputs are not permitted", _FOREIGN)
            for name in document
            if name in strange
        ]
        return Invalid(tuple(faults)) if faults else values

    return hinting(reading, {key: name for name, key in keys.items() if key != name})


def hinting(read: Read, meant: Mapping[str, str]) -> Read:
    """Let *read* tell who uses a word that is known elsewhere only which one is *meant* by it."""
    hints = {below("", word): f"; did you mean {other!r}?" for word, other in meant.items()}

    def reading(document: Any) -> Any | Invalid:
        values = read(document)
        if not isinstance(values, Invalid):
            return values
        return Invalid(
            tuple(
                replace(fault, message=f"{fault.message}{hints[fault.pointer]}")
                if fault.code == _FOREIGN and fault.pointer in hints
                else fault
                for fault in values.faults
            )
        )

    return reading


def _moved(fault: Fault, names: Mapping[str, str]) -> Fault:
    """*fault* with the name of its field in place of the alias."""
    head, slash, rest = fault.pointer[1:].partition("/")
    name = names.get(f"/{head}")
    return fault if name is None else replace(fault, pointer=f"{name}{slash}{rest}")
