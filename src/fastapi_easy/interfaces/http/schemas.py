"""Resource → what its bodies and answers look like, and the readers of its bodies."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, NotRequired, Required, TypeAlias, get_args, get_type_hints

import pydantic
from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict

from fastapi_easy.domain import UNSET, Fault, Field, Invalid, Resource
from fastapi_easy.domain.field import PYTHON_TYPES
from fastapi_easy.interfaces.http.kinds import input_type, output_type, plain_json

Reader: TypeAlias = Callable[[Any], dict[str, Any] | Invalid]
"""Makes the values of a command from parsed JSON: the fields that were set, in the types of the store."""

_STRICT: Final = ConfigDict(strict=True, extra="forbid")
_MOST_FAULTS: Final = 50
_typed_dict: Any = TypedDict  # mypy wants literals


class ResourceSchemas:
    """The schemas of one resource, each built when it is first needed.

    A derived schema is a typed dictionary: it validates to just the fields that were set, and a field may have any
    name. The user's own are pydantic models.
    """

    def __init__(self, resource: Resource[Any], name: str) -> None:
        self._resource = resource
        self._name = name

    @cached_property
    def create(self) -> Any:
        """The body of create: every writable field."""
        return self._resource.schemas.create or self._body("Create", self._resource.writable)

    @cached_property
    def replace(self) -> Any:
        """The body of replace: every changeable field."""
        return self._resource.schemas.create or self._body("Replace", self._resource.changeable)

    @cached_property
    def update(self) -> Any:
        """The body of update: every changeable field, none of them required."""
        return self._resource.schemas.update or self._body("Update", self._resource.changeable, partial=True)

    @cached_property
    def read(self) -> Any:
        """An answer: every readable field."""
        if self._resource.schemas.read is not None:
            return self._resource.schemas.read
        fields = {
            name: Required[Annotated[output_type(field), _documented(field)]]
            for name, field in self._of(self._resource.readable)
        }
        schema = _typed_dict(self._name, fields)
        schema.__doc__ = self._resource.description or None
        return schema

    @cached_property
    def read_create(self) -> Reader:
        """Reads the body of create."""
        return reader_of(self.create, whole=True)

    @cached_property
    def read_replace(self) -> Reader:
        """Reads the body of replace."""
        read = reader_of(self.replace, whole=True)
        if self._resource.schemas.create is None:
            return read
        changeable = frozenset(self._resource.changeable)

        def without_fixed(document: Any) -> dict[str, Any] | Invalid:
            values = read(document)
            if isinstance(values, Invalid):
                return values
            return {name: value for name, value in values.items() if name in changeable}

        return without_fixed

    @cached_property
    def read_update(self) -> Reader:
        """Reads the body of update."""
        return reader_of(self.update, whole=False)

    def _body(self, suffix: str, names: Iterable[str], *, partial: bool = False) -> Any:
        fields = {}
        for name, field in self._of(names):
            annotation: Any = Annotated[input_type(field), _documented(field, default=not partial)]
            required = field.required and not partial
            fields[name] = Required[annotation] if required else NotRequired[annotation]
        schema = _typed_dict(f"{self._name}{suffix}", fields)
        schema.__pydantic_config__ = _STRICT
        return schema

    def _of(self, names: Iterable[str]) -> Iterable[tuple[str, Field]]:
        return ((name, self._resource.fields[name]) for name in names)


def reader_of(schema: Any, *, whole: bool) -> Reader:
    """The reader for *schema*: a derived one, or a pydantic model.

    Args:
        schema: What the body has to look like.

        whole: Defaults of a model that are not null count as set.
    """
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return _model_reader(schema, whole=whole)
    validate = TypeAdapter(schema).validator.validate_python

    def read(document: Any) -> dict[str, Any] | Invalid:
        try:
            values: dict[str, Any] = validate(document)
        except ValidationError as error:
            return invalid(error)
        return values

    return read


def action_reader(action: type[Any]) -> Callable[[Any], Any | Invalid]:
    """Makes an instance of the dataclass *action* from parsed JSON."""
    validate = _json_validator(TypeAdapter(action).validator, _decimals(get_type_hints(action)))

    def read(document: Any) -> Any | Invalid:
        try:
            return validate(document, strict=True, extra="forbid")
        except ValidationError as error:
            return invalid(error)

    return read


def _model_reader(model: type[BaseModel], *, whole: bool) -> Reader:
    strict = None if "strict" in model.model_config else True
    extra = None if "extra" in model.model_config else "forbid"
    fields = model.model_fields
    names = {name: field.annotation for name, field in fields.items()}
    aliases = {field.alias: field.annotation for field in fields.values() if field.alias}
    validate = _json_validator(model.__pydantic_validator__, _decimals(names | aliases))
    kept = [name for name, field in fields.items() if not field.exclude]

    def read(document: Any) -> dict[str, Any] | Invalid:
        try:
            instance = validate(document, strict=strict, extra=extra)
        except ValidationError as error:
            return invalid(error)
        given = instance.model_fields_set
        return {
            name: value
            for name in kept
            if name in given or (whole and getattr(instance, name) is not None)
            for value in (getattr(instance, name),)
        }

    return read


def _json_validator(validator: Any, decimals: frozenset[str]) -> Callable[..., Any]:
    """Validates parsed JSON as pydantic would validate the text, but for decimals, which it takes through a float."""

    def validate(document: Any, *, strict: bool | None, extra: str | None) -> Any:
        if isinstance(document, dict):
            document = {
                name: str(value) if name in decimals and isinstance(value, Decimal) else value
                for name, value in document.items()
            }
        return validator.validate_json(to_json(plain_json(document)), strict=strict, extra=extra)

    return validate


def _decimals(annotations: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, annotation in annotations.items() if _speaks_of(annotation, Decimal))


def _speaks_of(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_speaks_of(each, wanted) for each in get_args(annotation))


def _documented(field: Field, *, default: bool = False) -> Any:
    extra: dict[str, Any] = {}
    if default and field.default is not UNSET and field.default is not None:
        extra["default"] = TypeAdapter(output_type(field)).dump_python(field.default, mode="json")
    return pydantic.Field(description=field.description, json_schema_extra=extra or None)


def invalid(error: ValidationError, source: str = "body") -> Invalid:
    """*error* as faults that do not repeat the input."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid(faults_of(details, source))


def faults_of(details: Sequence[Mapping[str, Any]], source: str) -> tuple[Fault, ...]:
    """Pydantic's *details* as faults of one *source*; the first fifty."""
    return tuple(
        Fault("".join(f"/{_token(each)}" for each in detail["loc"]), detail["msg"], detail["type"], source)
        for detail in details[:_MOST_FAULTS]
    )


def _token(part: object) -> str:
    return str(part)[:64].replace("~", "~0").replace("/", "~1")


def mistakes_in_schemas(resource: Resource[Any]) -> list[str]:
    """What is wrong with the user's own schemas of *resource*, each with its mend; empty when nothing is."""
    given = resource.schemas
    mistakes = _unreadable(resource)
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
            f"{where} says that {name!r} is a {said.__name__}, the entity says {there.__name__}: make them agree"
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


def _plain_type(annotation: Any) -> type[Any] | None:
    """The type of values that *annotation* lets through, when it is one of those that stores keep; else `None`."""
    alternatives = [each for each in get_args(annotation) if each is not type(None)]
    if len(alternatives) == 1:
        return _plain_type(alternatives[0])
    kept = annotation in PYTHON_TYPES.values() and annotation is not object
    return annotation if kept else None


def _unreadable(resource: Resource[Any]) -> list[str]:
    """What pydantic cannot make a validator of: rules that do not fit their field, actions with odd types."""
    mistakes = []
    for name in resource.writable:
        field = resource.fields[name]
        if field.rules and (reason := _refusal(input_type(field))):
            mistakes.append(
                f"{resource.name}: the rules of {name!r} do not fit a {field.kind} ({reason}): change them"
            )
    for name, action in (resource.actions or {}).items():
        if reason := _refusal(action):
            mistakes.append(
                f"{resource.name}: action {name!r} has a field no JSON can fill ({reason}): change it"
            )
    return mistakes


def _refusal(annotation: Any) -> str | None:
    try:
        _ = TypeAdapter(annotation)
    except (PydanticUserError, TypeError, NameError) as error:
        return str(error).split("\n", 1)[0]
    return None
