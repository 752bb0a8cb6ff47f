"""The rules of a class over several fields: pydantic's, `__post_init__`, and what mappers know besides."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import DeclarationError, Fault, Invalid, Outcome
from fastapi_easy.domain.field import UNSET, Field
from fastapi_easy.domain.resources.entity_rules import EntityRules
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.entities.faults import fault_of_rule, to_invalid
from fastapi_easy.infrastructure.entities.pydantic_validators import (
    FieldRule,
    comparing_rules,
    model_validators,
    to_json,
    to_python,
    validate_member,
)

Make: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Makes an instance that holds the values of every field, without asking any rule."""


class ClassRules:
    """Implements `EntityRules` for one class.

    Args:
        entity: The class.

        fields: Those of its shape.

        make: Makes instances.

        field_rules: What mappers know besides what pydantic does.
    """

    def __init__(
        self, entity: type[Any], fields: Iterable[Field], make: Make, field_rules: Iterable[FieldRule] = ()
    ) -> None:
        self._entity = entity
        self._fields = {field.name: field for field in fields}
        self._make = make
        self._field_rules = (*field_rules, *comparing_rules(entity, self._fields))
        self._has_model_rules = has_model_rules(entity)
        self._validate = TypeAdapter(
            Annotated[(Any, PlainValidator(self._made), *model_validators(entity))]
        ).validate_python
        # Validators that come before are given what callers send, by its aliases.
        self._words = {name: field.alias for name, field in self._fields.items() if field.alias is not None}
        self._names = {word: name for name, word in self._words.items()}
        self._filled = frozenset(name for name, field in self._fields.items() if field.filled_by_rule)
        self._members: Mapping[str, FieldInfo] = getattr(entity, "__pydantic_fields__", {})

    def check_new(self, values: Values) -> Outcome[Values]:
        """Return what to store of a new entity."""
        return self._check(values, values.keys(), is_new=True)

    def check_changed(self, values: Values, changed: AbstractSet[str]) -> Outcome[Values]:
        """Return what to store of an entity after a change."""
        odd = tuple(name for name, value in values.items() if isinstance(value, UnexpectedValue))
        if not odd:
            return self._check(values, changed, is_new=False)
        try:
            return self._check(values, changed, is_new=False)
        except Exception:  # noqa: BLE001 - what a rule raises that meets such a value, nobody can tell
            # Rules that do not look at it do not mind; for the others whoever changes the entity can mend it.
            message = "What is stored is not a value of this field; set it as well"
            return Failure(Invalid(tuple(Fault(f"/{name}", message, "unexpected_value") for name in odd)))

    def _check(self, values: Values, given: AbstractSet[str], *, is_new: bool) -> Outcome[Values]:
        checked = self._ask_fields(values, given, is_new=is_new) if self._field_rules else dict(values)
        if isinstance(checked, Invalid):
            return Failure(checked)
        if not self._has_model_rules:
            return Success(checked)
        for name in self._filled & checked.keys():
            if checked[name] is None:
                # Left out of a replace.
                del checked[name]
        try:
            instance = self._validate({self._words.get(name, name): each for name, each in checked.items()})
        except ValidationError as error:
            return Failure(to_invalid(error))
        except KeyError as error:
            # Of a rule that makes one field of another, which was not given either.
            named = [self._names.get(word, word) for word in error.args if isinstance(word, str)]
            if (incomplete := self._missing_in(checked, self._filled.intersection(named))) is None:
                raise
            return Failure(incomplete)
        result = self._result(checked, instance)
        incomplete = self._missing_in(result, self._filled)
        return Success(result) if incomplete is None else Failure(incomplete)

    def _missing_in(self, values: Values, filled: AbstractSet[str]) -> Invalid | None:
        """Return what is wrong with *values* if fields of *filled*, which rules might have filled in, are missing."""
        missing = [name for name in self._fields if name in filled and values.get(name) is None]
        faults = tuple(Fault(f"/{name}", "Field required", "missing") for name in missing)
        return Invalid(faults) if faults else None

    def _ask_fields(
        self, values: Values, given: AbstractSet[str], *, is_new: bool
    ) -> dict[str, Any] | Invalid:
        checked, faults = dict(values), list[Fault]()
        whole = {**dict.fromkeys(self._fields), **self._defaults(values), **values}
        for rule in self._field_rules:
            name = rule.name
            is_given = name in given
            if not is_given and (is_new or not rule.compares):
                continue
            try:
                value = rule.ask(lambda: self._make(whole), whole, whole[name])
            except (ValueError, AssertionError) as error:
                faults += fault_of_rule(f"/{name}", error)
                continue
            if is_given:
                # What was not given is as the rule left it once; asked again it may make something else of it.
                checked[name] = whole[name] = value
        return Invalid(tuple(faults)) if faults else checked

    def _made(self, values: Any) -> Any:
        """Make an instance of what rules that come before it leave; ask those that come with it."""
        if not isinstance(values, Mapping):
            return values
        values = {self._names.get(word, word): value for word, value in values.items()}
        whole = {**dict.fromkeys(self._fields), **self._defaults(values), **self._typed(values)}
        instance = self._make(whole)
        if isinstance(instance, BaseModel):
            object.__setattr__(instance, "__pydantic_fields_set__", self._fields.keys() & values.keys())
        if (after := _post_init(self._entity)) is not None:
            after(instance)
        return instance

    def _typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return *values* as the class has them; rules that come before it may have left something else."""
        typed = {}
        for name, field in self._fields.items():
            if name not in values:
                continue
            value = to_python(field, values[name])
            fits = value is None or isinstance(value, field.python_type | UnexpectedValue)
            if name in self._members and not fits:
                value = validate_member(name, self._members[name], value)
            typed[name] = value
        return typed

    def _defaults(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the defaults of the fields left out, as far as Python knows them."""
        defaults = {}
        for name, field in self._fields.items():
            if name in values or field.generated:
                continue
            if field.default_factory is not None:
                defaults[name] = field.default_factory()
            elif field.default is not UNSET:
                defaults[name] = field.default
        return defaults

    def _result(self, values: Values, instance: Any) -> dict[str, Any]:
        """Return the values that *instance* holds; those that nobody has set stay out."""
        result = dict(values)
        for name, field in self._fields.items():
            value = to_json(field, getattr(instance, name, None))
            if name in values or value is not None:
                result[name] = value
        return result


def class_rules(
    entity: type[Any], fields: Iterable[Field], make: Make, field_rules: Iterable[FieldRule] = ()
) -> EntityRules | None:
    """Return the rules of *entity* over several fields; `None` when there are none, so that nobody asks.

    Raises:
        DeclarationError: It has rules that nobody can ask.
    """
    known = {field.name: field for field in fields}
    if mistakes := list(_mistakes(entity)):
        raise DeclarationError(mistakes)
    others = tuple(field_rules)
    if others or has_model_rules(entity) or any(True for _ in comparing_rules(entity, known)):
        return ClassRules(entity, known.values(), make, others)
    return None


def with_rules_of(shape: Shape, entity: Shape) -> Shape:
    """Return *shape*, of the class that is stored, with the rules of *entity*, which callers meet."""
    met = {field.name: field for field in entity.fields}
    fields = tuple(
        dataclasses.replace(
            field,
            rules=(*met[field.name].rules, *field.rules),
            filled_by_rule=met[field.name].filled_by_rule or field.filled_by_rule,
        )
        for field in shape.fields
    )
    rules = [each for each in (entity.rules, shape.rules) if each is not None]
    return dataclasses.replace(
        shape, fields=fields, rules=_BothRules(*rules) if len(rules) > 1 else next(iter(rules), None)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _BothRules:
    """Implements `EntityRules`: those of *first*, then those of *second*."""

    first: EntityRules
    second: EntityRules

    def check_new(self, values: Values) -> Outcome[Values]:
        checked = self.first.check_new(values)
        return checked if isinstance(checked, Failure) else self.second.check_new(checked.unwrap())

    def check_changed(self, values: Values, changed: AbstractSet[str]) -> Outcome[Values]:
        checked = self.first.check_changed(values, changed)
        return (
            checked if isinstance(checked, Failure) else self.second.check_changed(checked.unwrap(), changed)
        )


def has_model_rules(entity: type[Any]) -> bool:
    """Return whether *entity* has rules about instances as a whole."""
    return bool(list(model_validators(entity))) or _post_init(entity) is not None


def _mistakes(entity: type[Any]) -> Iterator[str]:
    decorators = getattr(entity, "__pydantic_decorators__", None)
    for old, new in (("validators", "field_validator"), ("root_validators", "model_validator")):
        for name in getattr(decorators, old, ()):
            yield f"{entity.__name__}.{name} is a validator of pydantic 1, which nothing asks: use {new}"
    for name, kind in getattr(entity, "__annotations__", {}).items():
        is_init_only = isinstance(kind, dataclasses.InitVar) or str(kind).startswith(
            ("InitVar", "dataclasses.InitVar")
        )
        if is_init_only and dataclasses.is_dataclass(entity) and _post_init(entity) is not None:
            yield (
                f"{entity.__name__}.{name} is an InitVar, which nothing stores, so that __post_init__ cannot be asked"
                " about a change: make it a field"
            )


def _post_init(entity: type[Any]) -> Callable[[Any], None] | None:
    """Return what a dataclass, or a pydantic model, does after its fields are set."""
    if dataclasses.is_dataclass(entity):
        found = getattr(entity, "__post_init__", None)
        return None if found is None else lambda instance: instance.__post_init__()
    if issubclass(entity, BaseModel):
        own = next(
            (vars(each)["model_post_init"] for each in entity.__mro__ if "model_post_init" in vars(each)),
            None,
        )
        if own is not None and not getattr(own, "__module__", "").startswith(("pydantic", "sqlmodel")):
            return lambda instance: instance.model_post_init(None)
    return None
