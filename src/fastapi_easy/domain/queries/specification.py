"""Specifications: a closed tree of conditions that entities satisfy, and what each condition means.

The meaning is two-valued: a comparison with null is false, never unknown; `ne` and `not_in` therefore hold for
null. Every adapter compiles the same tree; `is_satisfied_by` is the reference.

Source: Evans and Fowler, "Specifications" (1997).
"""

import enum
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any, Final, Self, TypeAlias, assert_never

from fastapi_easy.domain.field import UNSET, Comparison, Field, Kind
from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.domain.queries.field_comparisons import FieldComparisons
from fastapi_easy.domain.queries.words import HoldsWords, holds_words


class Operator(enum.StrEnum):
    """A comparison of a field. The value is its spelling after `__` in a query; wildcards are always literal."""

    EQUALS = "eq"
    NOT_EQUALS = "ne"
    IN = "in"
    NOT_IN = "not_in"
    IS_NULL = "isnull"
    GREATER = "gt"
    GREATER_OR_EQUAL = "gte"
    LESS = "lt"
    LESS_OR_EQUAL = "lte"
    BETWEEN = "between"
    EQUALS_ANY_CASE = "iexact"
    CONTAINS = "contains"
    CONTAINS_ANY_CASE = "icontains"
    STARTS_WITH = "startswith"
    STARTS_WITH_ANY_CASE = "istartswith"
    ENDS_WITH = "endswith"
    ENDS_WITH_ANY_CASE = "iendswith"
    HAS = "has"
    HAS_ANY = "has_any"
    HAS_ALL = "has_all"


_SCALAR: Final = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
_RANGE: Final = (
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.BETWEEN,
)
_TEXT: Final = (
    Operator.EQUALS_ANY_CASE,
    Operator.CONTAINS,
    Operator.CONTAINS_ANY_CASE,
    Operator.STARTS_WITH,
    Operator.STARTS_WITH_ANY_CASE,
    Operator.ENDS_WITH,
    Operator.ENDS_WITH_ANY_CASE,
)
_ITEMS: Final = (Operator.HAS, Operator.HAS_ANY, Operator.HAS_ALL)


def _takes_list(operator: Operator) -> bool:
    match operator:
        case Operator.IN | Operator.NOT_IN | Operator.BETWEEN | Operator.HAS_ANY | Operator.HAS_ALL:
            return True
        case (
            Operator.EQUALS
            | Operator.NOT_EQUALS
            | Operator.IS_NULL
            | Operator.GREATER
            | Operator.GREATER_OR_EQUAL
            | Operator.LESS
            | Operator.LESS_OR_EQUAL
            | Operator.EQUALS_ANY_CASE
            | Operator.CONTAINS
            | Operator.CONTAINS_ANY_CASE
            | Operator.STARTS_WITH
            | Operator.STARTS_WITH_ANY_CASE
            | Operator.ENDS_WITH
            | Operator.ENDS_WITH_ANY_CASE
            | Operator.HAS
        ):
            return False
        case _:
            assert_never(operator)


LIST_OPERATORS: Final = frozenset(filter(_takes_list, Operator))
"""Operators whose value is a tuple; of BETWEEN, the two inclusive bounds."""


@cache
def operators_of(
    kind: Kind, *, nullable: bool, comparison: Comparison = Comparison.FULL
) -> tuple[Operator, ...]:
    """Return the operators that mean something for a field of *kind*, whose store has that *comparison*."""
    operators = tuple(each for each in _operators_of_values(kind) if comparison >= _least_comparison(each))
    return (*operators, Operator.IS_NULL) if nullable else operators


def operators_for(field: Field) -> tuple[Operator, ...]:
    """Return the operators that mean something for *field*, as far as its store compares its values."""
    return operators_of(field.kind, nullable=field.nullable, comparison=field.comparison)


def _least_comparison(operator: Operator) -> Comparison:
    if operator in _SCALAR:
        return Comparison.EQUALITY
    return Comparison.ORDER if operator in _RANGE else Comparison.FULL


def _operators_of_values(kind: Kind) -> tuple[Operator, ...]:
    match kind:
        case Kind.TEXT:
            return (*_SCALAR, *_RANGE, *_TEXT)
        case (
            Kind.INTEGER
            | Kind.DECIMAL
            | Kind.FLOAT
            | Kind.DATE
            | Kind.TIME
            | Kind.DATETIME
            | Kind.DURATION
            | Kind.UUID
        ):
            return (*_SCALAR, *_RANGE)
        case Kind.BOOLEAN | Kind.ENUM:
            return _SCALAR
        case Kind.ARRAY:
            return _ITEMS
        case Kind.BINARY | Kind.JSON:
            return ()
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True)
class Everything:
    """Every entity."""


@dataclass(frozen=True, slots=True, eq=False)
class Where(FieldComparisons):
    """One field compared with one value.

    With nothing but a field it is no condition yet: `Where("owner_id") == 7` is one, for `Where("owner_id",
    Operator.EQUALS, 7)`; a comparison with `None` is one with null.

    Attributes:
        field: The name of the field.

        operator: How it is compared.

        value: Of the field's Python type, never `None`; a tuple for the operators in `LIST_OPERATORS`; a `bool` for
            IS_NULL.
    """

    field: str
    operator: Operator = UNSET
    value: Any = UNSET

    @property
    def holder(self) -> str:
        """The field whose values decide whether it holds."""
        return self.field

    def value_in(self, entity: Any) -> Any:
        """Return the value of *entity* that is compared; it is an object or a mapping of field names to values."""
        return entity[self.field] if isinstance(entity, Mapping) else getattr(entity, self.field)

    def _condition(self, operator: str, value: object) -> Self:
        return type(self)(self.field, Operator(operator), value)


@dataclass(frozen=True, slots=True)
class Not:
    """Every entity that *specification* does not mean."""

    specification: "Specification"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every entity that all of *specifications* mean; all of none is everything."""

    specifications: tuple["Specification", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Every entity that at least one of *specifications* means; any of none is nothing."""

    specifications: tuple["Specification", ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Every entity from which *relation* leads to at least one that *specification* means.

    Made by `Relation.exists`.

    Attributes:
        relation: A `Relation` of the resource that is asked.

        specification: About the entities it leads to.
    """

    relation: Any
    specification: "Specification"


Specification: TypeAlias = Everything | Where | HoldsWords | Not | AllOf | AnyOf | Related


def all_of(*specifications: Specification) -> Specification:
    """Return the conjunction in its shortest form: `Everything` disappears, and one alone stands for itself."""
    parts = tuple(each for each in specifications if not isinstance(each, Everything))
    if not parts:
        return Everything()
    return parts[0] if len(parts) == 1 else AllOf(parts)


def leaves(specification: Specification) -> Iterator[Where]:
    """Yield every comparison in the tree, from left to right."""
    match specification:
        case Everything():
            return
        case Where():
            yield specification
        case HoldsWords(fields, words):
            yield from (Where(fields[0], Operator.CONTAINS_ANY_CASE, each) for each in words)
        case Not(inner) | Related(_, inner):
            yield from leaves(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            assert_never(specification)


def matches_everything(specification: Specification) -> bool:
    """Return whether *specification* means every entity there can be, because it compares nothing that could differ."""
    return _constant(specification) is True


def _constant(specification: Specification) -> bool | None:
    """Return what *specification* is for every entity; `None` when that depends on the entity."""
    match specification:
        case Everything():
            return True
        case Where(_, operator, ()):
            # HAS_ALL of nothing is not here: it holds for every list, but not for null.
            return {Operator.NOT_IN: True, Operator.IN: False, Operator.HAS_ANY: False}.get(operator)
        case Where() | HoldsWords():
            return None
        case Not(inner):
            constant = _constant(inner)
            return None if constant is None else not constant
        case Related(_, inner):
            return False if _constant(inner) is False else None
        case AllOf(parts):
            constants = [_constant(part) for part in parts]
            return False if False in constants else None if None in constants else True
        case AnyOf(parts):
            constants = [_constant(part) for part in parts]
            return True if True in constants else None if None in constants else False
        case _:
            assert_never(specification)


_Predicate: TypeAlias = Callable[[Any, Any], bool]

Follow: TypeAlias = Callable[[Any, Any], Iterable[object]]
"""Given a relation and an entity, the entities it leads to."""


def _cannot_follow(relation: object, entity: object) -> Iterable[object]:
    raise LookupError(f"no function was given to follow {relation!r}")


def is_satisfied_by(specification: Specification, entity: object, follow: Follow = _cannot_follow) -> bool:
    """Return whether *specification* means *entity*, which is an object or a mapping of field names to values.

    Args:
        specification: The tree.

        entity: Whom it is asked about.

        follow: Finds related entities, for trees that ask about them.
    """
    match specification:
        case Everything():
            return True
        case Where(_, operator, value):
            return _PREDICATES[operator](specification.value_in(entity), value)
        case HoldsWords():
            return holds_words(specification, entity)
        case Not(inner):
            return not is_satisfied_by(inner, entity, follow)
        case AllOf(parts):
            return all(is_satisfied_by(part, entity, follow) for part in parts)
        case AnyOf(parts):
            return any(is_satisfied_by(part, entity, follow) for part in parts)
        case Related(relation, inner):
            return any(is_satisfied_by(inner, each, follow) for each in follow(relation, entity))
        case _:
            assert_never(specification)


def _not_null(holds: _Predicate) -> _Predicate:
    return lambda actual, value: actual is not None and holds(actual, value)


def _ignoring_case(holds: _Predicate) -> _Predicate:
    return lambda actual, value: actual is not None and holds(fold_case(actual), fold_case(value))


def _is_null(actual: object, value: bool) -> bool:
    return (actual is None) is value


def _is_among(actual: object, values: tuple[object, ...]) -> bool:
    return actual in values


def _is_not_among(actual: object, values: tuple[object, ...]) -> bool:
    return actual is None or actual not in values


def _is_between(actual: Any, bounds: tuple[Any, Any]) -> bool:
    return bool(bounds[0] <= actual <= bounds[1])


def _has_any(items: Container[object], values: Iterable[object]) -> bool:
    return any(each in items for each in values)


def _has_all(items: Container[object], values: Iterable[object]) -> bool:
    return all(each in items for each in values)


def _predicate(operator: Operator) -> _Predicate:  # noqa: C901, PLR0911, PLR0912 - a table that mypy knows to be total
    """Return what decides whether a value of an entity satisfies *operator* and the value of a condition."""
    match operator:
        case Operator.EQUALS:
            return _not_null(eq)
        case Operator.NOT_EQUALS:
            return ne
        case Operator.IN:
            return _not_null(_is_among)
        case Operator.NOT_IN:
            return _is_not_among
        case Operator.IS_NULL:
            return _is_null
        case Operator.GREATER:
            return _not_null(gt)
        case Operator.GREATER_OR_EQUAL:
            return _not_null(ge)
        case Operator.LESS:
            return _not_null(lt)
        case Operator.LESS_OR_EQUAL:
            return _not_null(le)
        case Operator.BETWEEN:
            return _not_null(_is_between)
        case Operator.EQUALS_ANY_CASE:
            return _ignoring_case(eq)
        case Operator.CONTAINS | Operator.HAS:
            return _not_null(contains)
        case Operator.CONTAINS_ANY_CASE:
            return _ignoring_case(contains)
        case Operator.STARTS_WITH:
            return _not_null(str.startswith)
        case Operator.STARTS_WITH_ANY_CASE:
            return _ignoring_case(str.startswith)
        case Operator.ENDS_WITH:
            return _not_null(str.endswith)
        case Operator.ENDS_WITH_ANY_CASE:
            return _ignoring_case(str.endswith)
        case Operator.HAS_ANY:
            return _not_null(_has_any)
        case Operator.HAS_ALL:
            return _not_null(_has_all)
        case _:
            assert_never(operator)


# Looked up once for each operator: a filter asks for each entity it looks at.
_PREDICATES: Final = {operator: _predicate(operator) for operator in Operator}
