"""The validators of pydantic's classes: about one field, about one that looks at others, about the whole."""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import Field
from fastapi_easy.infrastructure.entities.mentioned_names import mentioned_names

_VALIDATORS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "after": AfterValidator,
    "before": BeforeValidator,
    "plain": PlainValidator,
    "wrap": WrapValidator,
}
_ARGUMENTS: Final = {"after": 1, "before": 1, "plain": 1, "wrap": 2}
"""How many arguments a validator of each mode takes, besides the information about the other fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class FieldRule:
    """A rule that is asked about one field, and may look at the others.

    Attributes:
        name: Of the field.

        ask: Is given what makes the instance, the values of all fields, and that of the field; returns what to store
            in it.

        compares: It looks at other fields, so that it is asked when one of those has changed as well.
    """

    name: str
    ask: Callable[[Callable[[], Any], Values, Any], Any]
    compares: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Info:
    """What a validator of pydantic's is told about the other fields (`ValidationInfo`)."""

    data: dict[str, Any]
    field_name: str
    config: object = None
    context: object = None
    mode: str = "python"


def field_validators(entity: type[Any], field: Field) -> Iterator[Any]:
    """Yield the validators of *entity* that look at *field* alone, as metadata of `typing.Annotated`."""
    for decorator in _field_decorators(entity):
        if _is_about(decorator, field.name) and not _takes_info(decorator):
            yield _VALIDATORS[decorator.info.mode](_on_documents(field, decorator.info.mode, decorator.func))


def _on_documents(field: Field, mode: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return *ask* so that it meets instances of the classes that the documents of *field* are made of."""
    if field.document is None or mode == "before":
        return ask
    if mode == "wrap":
        return lambda value, inner: to_json(field, ask(value, lambda given: to_python(field, inner(given))))
    return lambda value: to_json(field, ask(to_python(field, value)))


def to_python(field: Field, value: Any) -> Any:
    return value if field.document is None else field.document.to_python(value)


def to_json(field: Field, value: Any) -> Any:
    return value if field.document is None else field.document.to_json(value)


def validate_member(name: str, info: FieldInfo, value: Any) -> Any:
    annotation: Any = Annotated[(info.annotation, *info.metadata)]
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        details = [
            InitErrorDetails(
                type=PydanticCustomError(each["type"], each["msg"]), loc=(name, *each["loc"]), input=None
            )
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ValidationError.from_exception_data(error.title, details) from None


def _is_about(decorator: Any, name: str) -> bool:
    return name in decorator.info.fields or "*" in decorator.info.fields


def _field_decorators(entity: type[Any]) -> Iterable[Any]:
    decorators = getattr(entity, "__pydantic_decorators__", None)
    return () if decorators is None else decorators.field_validators.values()


def comparing_rules(entity: type[Any], fields: Mapping[str, Field]) -> Iterator[FieldRule]:
    """Yield the field validators that are told of the other fields, in the order of the fields."""
    in_front: dict[str, Field] = {}
    decorators = list(_field_decorators(entity))
    # As pydantic does: what comes before is asked first, and of that the last one.
    before = [each for each in reversed(decorators) if each.info.mode == "before"]
    in_order = (*before, *(each for each in decorators if each.info.mode != "before"))
    for name, field in fields.items():
        for decorator in in_order:
            if _is_about(decorator, name) and _takes_info(decorator):
                yield FieldRule(name, _asking(decorator, field, dict(in_front)), compares=True)
        in_front[name] = field


def _asking(
    decorator: Any, field: Field, in_front: Mapping[str, Field]
) -> Callable[[Callable[[], Any], Values, Any], Any]:
    def ask(_: Callable[[], Any], values: Values, value: Any) -> Any:
        # It is told of the fields in front of it, as by pydantic.
        info = _Info({name: to_python(each, values[name]) for name, each in in_front.items()}, field.name)
        given = to_python(field, value)
        if decorator.info.mode == "wrap":
            return to_json(field, decorator.func(given, lambda inner: inner, info))
        return to_json(field, decorator.func(given, info))

    return ask


def _takes_info(decorator: Any) -> bool:
    parameters = inspect.signature(decorator.func).parameters.values()
    required = [
        each
        for each in parameters
        if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD} and each.default is each.empty
    ]
    return len(required) > _ARGUMENTS[decorator.info.mode]


def with_filled_fields(entity: type[Any], fields: Iterable[Field], key: tuple[str, ...]) -> tuple[Field, ...]:
    """Return *fields*; those that a validator of *entity* may fill in before it is made need not be given.

    Which these are only its code tells: the ones it mentions.
    """
    mentioned = frozenset[str]().union(
        *(
            mentioned_names(entity, each.func)
            for each in _model_decorators(entity)
            if each.info.mode != "after"
        )
    )
    return tuple(
        dataclasses.replace(field, filled_by_rule=True)
        if field.required and field.name not in key and not mentioned.isdisjoint({field.name, field.alias})
        else field
        for field in fields
    )


def _model_decorators(entity: type[Any]) -> Iterable[Any]:
    decorators = getattr(entity, "__pydantic_decorators__", None)
    return () if decorators is None else decorators.model_validators.values()


def model_validators(entity: type[Any]) -> Iterator[Any]:
    """Yield the model validators of *entity*, the innermost first."""
    for is_first in (True, False):
        for each in _model_decorators(entity):
            if (each.info.mode == "before") is is_first:
                yield _VALIDATORS[each.info.mode](each.func)
