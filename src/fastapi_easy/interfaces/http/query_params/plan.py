"""The fields of a pydantic model → the names of query parameters. Built once for each class."""

import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, PydanticUndefined, to_jsonable_python

_MAX_DEPTH: Final = 5
"""Models inside one another; a model that refers to itself would never end."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: `name=value`.

    Attributes:
        schema: Its JSON Schema, for the documentation.

        required: It must be given.

        description: Its description, for the documentation.
    """

    schema: Mapping[str, Any]
    required: bool
    description: str | None


@dataclass(frozen=True, slots=True)
class Repeated(Leaf):
    """Any number of values: `name=value&name=value`."""


@dataclass(frozen=True, slots=True)
class Keyed(Leaf):
    """Values by names that the caller chooses: `name[key]=value` or `name.key=value`."""


@dataclass(frozen=True, slots=True)
class Nested:
    """Another model: `name.field=value`.

    Attributes:
        plan: Its fields.

        required: The model that holds it has no default for it.
    """

    plan: "Plan"
    required: bool


Part: TypeAlias = Leaf | Repeated | Keyed | Nested
Plan: TypeAlias = Mapping[str, Part]
"""The meaning of each name."""


def plan_of(model: type[BaseModel], depth: int = 0) -> Plan:
    """Return the plan for the fields of *model*.

    Raises:
        TypeError: A field cannot be spelt in a query string.
    """
    if depth > _MAX_DEPTH:
        raise TypeError(
            f"{model.__name__} is nested more than {_MAX_DEPTH} deep: query strings cannot spell that"
        )
    return {
        field.validation_alias if isinstance(field.validation_alias, str) else name: _part(
            model, name, field, depth
        )
        for name, field in model.model_fields.items()
    }


def _part(model: type[BaseModel], name: str, field: FieldInfo, depth: int) -> Part:
    bare = _strip_annotation(field.annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return Nested(plan_of(bare, depth + 1), field.is_required())
    origin = get_origin(bare) or bare
    kind: type[Leaf] = Leaf
    if isinstance(origin, type) and issubclass(origin, Mapping):
        kind = Keyed
    elif (
        isinstance(origin, type)
        and issubclass(origin, Sequence | AbstractSet)
        and not issubclass(origin, str | bytes)
    ):
        kind = Repeated
        if any(
            isinstance(_strip_annotation(item), type) and issubclass(_strip_annotation(item), BaseModel)
            for item in get_args(bare)
        ):
            raise TypeError(f"{model.__name__}.{name} is a list of models, which a query string cannot spell")
    return kind(_schema(field, deep=kind is Keyed), field.is_required(), field.description)


def _strip_annotation(annotation: Any) -> Any:
    """Return *annotation* without metadata and without None."""
    if get_origin(annotation) is Annotated:
        return _strip_annotation(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        choices = [each for each in get_args(annotation) if each is not type(None)]
        return _strip_annotation(choices[0]) if len(choices) == 1 else annotation
    return annotation


def _schema(field: FieldInfo, *, deep: bool) -> dict[str, Any]:
    annotation: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    schema = TypeAdapter(annotation).json_schema()
    definitions = schema.pop("$defs", {})
    schema = _inlined(schema, definitions)
    if field.default is not PydanticUndefined and field.default is not None:
        try:
            schema["default"] = to_jsonable_python(field.default)
        except PydanticSerializationError:
            # A default that JSON cannot say stays undocumented.
            schema.pop("default", None)
    # OpenAPI has the style beside the schema, where FastAPI cannot put it: `openapi.document` moves it there.
    return {**schema, "x-style": "deepObject"} if deep else schema


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
        return {name: _inlined(each, definitions) for name, each in schema.items()}
    return [_inlined(each, definitions) for each in schema] if isinstance(schema, list) else schema
