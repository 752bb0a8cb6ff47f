"""The user's own classes as readers: pydantic models in place of derived bodies, and the dataclasses of actions."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.infrastructure.entities.faults import to_invalid
from fastapi_easy.infrastructure.validation.naming import document_key
from fastapi_easy.infrastructure.validation.readers import Members, Read

_Bytes: TypeAlias = Literal["utf8", "base64", "hex"]


def model_reader(model: type[BaseModel], fields: Mapping[str, Field], *, whole: bool) -> Read:
    """Make a reader of the fields that were set in a document, by way of *model*.

    Args:
        model: What the document has to look like.

        fields: Those of the resource.

        whole: Defaults of the model that are not null count as set.
    """
    strict = None if "strict" in model.model_config else True
    extra = None if "extra" in model.model_config else "forbid"
    members = model.model_fields
    names = {name: member.annotation for name, member in members.items()}
    aliases = {document_key(model, name): member.annotation for name, member in members.items()}
    validate = _validator_of_json(
        model.__pydantic_validator__,
        _decimals(names | aliases),
        model.model_config.get("val_json_bytes", "utf8"),
    )
    kept = [name for name, member in members.items() if not member.exclude]
    as_json = [name for name in kept if name in fields and fields[name].kind is Kind.JSON]

    def read(document: object) -> Members | Invalid:
        instance = validate(document, strict=strict, extra=extra)
        if isinstance(instance, Invalid):
            return instance
        given = instance.model_fields_set
        values = {
            name: value
            for name in kept
            if name in given or (whole and getattr(instance, name) is not None)
            for value in (getattr(instance, name),)
        }
        for name in as_json:
            if name in values:
                # A model inside of the user's is kept as a body would spell it.
                values[name] = to_jsonable_python(values[name])
        return values

    return read


def action_reader(action: type) -> Callable[[object], object]:
    """Make a reader of instances of the dataclass *action*."""
    config = getattr(action, "__pydantic_config__", {})
    validate = _validator_of_json(
        TypeAdapter(action).validator, _decimals(get_type_hints(action)), config.get("val_json_bytes", "utf8")
    )
    return lambda document: validate(document, strict=True, extra="forbid")


def _validator_of_json(validator: Any, decimals: frozenset[str], mode: _Bytes) -> Callable[..., Any]:
    """Build a validator that treats documents as pydantic treats their text; only decimals pass no float.

    Args:
        validator: Pydantic's.

        decimals: The members that may be decimals.

        mode: How bytes are written in that text.
    """

    def validate(document: object, *, strict: bool | None, extra: str | None) -> Any:
        if isinstance(document, dict):
            document = {
                name: str(value) if name in decimals and isinstance(value, Decimal) else value
                for name, value in document.items()
            }
        try:
            text = to_json(_plain(document), bytes_mode=mode)
        except PydanticSerializationError:
            return _unserializable(document, mode)
        try:
            return validator.validate_json(text, strict=strict, extra=extra)
        except ValidationError as error:
            return to_invalid(error)

    return validate


def _plain(value: object) -> object:
    """Return *value* with ordinary floats in place of exact numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _unserializable(document: object, mode: _Bytes) -> Invalid:
    """Return the fault of each member of *document* that JSON has no form for."""
    faults = []
    for name, value in document.items() if isinstance(document, dict) else ():
        try:
            _ = to_json(_plain(value), bytes_mode=mode)
        except PydanticSerializationError:
            faults.append(
                Fault(join_pointer("", name), "Holds a value that JSON cannot represent", "json_type")
            )
    return Invalid(tuple(faults))


def _decimals(annotations: Mapping[str, object]) -> frozenset[str]:
    return frozenset(name for name, annotation in annotations.items() if _mentions_type(annotation, Decimal))


def _mentions_type(annotation: object, wanted: type) -> bool:
    return annotation is wanted or any(_mentions_type(each, wanted) for each in get_args(annotation))
