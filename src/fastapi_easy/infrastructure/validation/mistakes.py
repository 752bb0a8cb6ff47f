"""What is wrong with the user's own schemas, and with rules that do not fit their field."""

import inspect
from typing import Any, get_args

from pydantic import BaseModel, PydanticUserError, TypeAdapter

from fastapi_easy.domain.field import PYTHON_TYPES
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.validation.kinds import input_type


def find_schema_mistakes(resource: Resource[Any]) -> list[str]:
    """List what is wrong with the user's own schemas of *resource*, each with its mend."""
    given = resource.schemas
    mistakes = _rule_mistakes(resource)
    allowed = {
        "create": (given.create, resource.writable),
        "update": (given.update, resource.changeable),
        "read": (given.read, resource.readable),
    }
    for purpose, (schema, names) in allowed.items():
        if schema is None:
            continue
        where = f"{resource.name}: schemas.{purpose}"
        if not inspect.isclass(schema) or not issubclass(schema, BaseModel):
            mistakes.append(f"{where} is not a pydantic model: make it a subclass of pydantic.BaseModel")
            continue
        fields = {name: field for name, field in schema.model_fields.items() if not field.exclude}
        mistakes += [
            f"{where} has the field {name!r}, which is not one of {', '.join(names)}: rename it, or mark it "
            f"Field(exclude=True)"
            for name in fields
            if name not in names
        ]
        mistakes += [
            f"{where} says that {name!r} is a {said.__name__}, the entity says {there.__name__}: use the same "
            "type in both"
            for name, field in fields.items()
            if name in resource.fields
            for said, there in ((_plain_type(field.annotation), resource.fields[name].python_type),)
            if said is not None and said is not there and purpose != "read"
        ]
        if purpose == "update":
            mistakes += [
                f"{where} requires {name!r}: give it a default, so that it can be left out"
                for name, field in fields.items()
                if field.is_required()
            ]
    return mistakes


def _plain_type(annotation: Any) -> type | None:
    """Return the type of values that *annotation* lets through, if stores keep that type; else `None`."""
    alternatives = [each for each in get_args(annotation) if each is not type(None)]
    if len(alternatives) == 1:
        return _plain_type(alternatives[0])
    kept = annotation in PYTHON_TYPES.values() and annotation is not object
    return annotation if kept else None


def _rule_mistakes(resource: Resource[Any]) -> list[str]:
    """List what pydantic cannot build a validator of: rules that do not fit their field, actions with odd types."""
    mistakes = []
    for name in resource.writable:
        field = resource.fields[name]
        if field.rules and (reason := _adapter_error(input_type(field))):
            mistakes.append(
                f"{resource.name}: the rules of {name!r} do not fit a {field.kind} ({reason}): change them"
            )
    for name, action in (resource.actions or {}).items():
        if reason := _adapter_error(action):
            mistakes.append(
                f"{resource.name}: action {name!r} has a field that cannot be read from JSON ({reason}): change it"
            )
    return mistakes


def _adapter_error(annotation: Any) -> str | None:
    try:
        _ = TypeAdapter(annotation)
    except (PydanticUserError, TypeError, NameError) as error:
        return str(error).split("\n", 1)[0]
    return None
