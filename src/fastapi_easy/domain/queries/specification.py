"""Which entities are meant: a closed tree of conditions, and what each condition means.

The meaning is two-valued: a comparison with null is false, never unknown; `ne` and `not_in` therefore hold for
null. Every adapter compiles the same tree; `is_satisfied_by` is the reference.

Source: Evans and Fowler, "Specifications" (1997).
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.field import ORDERED, Kind


class Operator(enum.StrEnum):
    """How a field is compared. The value is its spelling after `__` in a query; wildcards are always literal."""

    EQUALS = "eq"
    DIFFERS = "ne"
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


_SCALAR: Final = (Operator.EQUALS, Operator.DIFFERS, Operator.IN, Operator.NOT_IN)
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

LISTS: Final = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN, Operator.HAS_ANY, Operator.HAS_ALL})
"""Operators whose value is a tuple; of BETWEEN, the two inclusive bounds."""


def operators_of(kind: Kind, *, nullable: bool) -> tuple[Operator, ...]:
    """The operators that mean something for a field of *kind*."""
    operators: tuple[Operator, ...] = ()
    if kind is Kind.ARRAY:
        operators += _ITEMS
    elif kind not in {Kind.JSON, Kind.BINARY}:
        operators += _SCALAR
    if kind in ORDERED:
        operators += _RANGE
    if kind is Kind.TEXT:
        operators += _TEXT
    return (*operators, Operator.IS_NULL) if nullable else operators


@dataclass(frozen=True, slots=True)
class Everything:
    """Every entity."""


@dataclass(frozen=True, slots=True)
class Where:
    """One field compared with one value.

    Attributes:
        field: The name of the field.

        operator: How it is compared.

        value: Of the field's Python type, never `None`; a tuple for the operators in `LISTS`; a `bool` for
            IS_NULL.
    """

    field: str
    operator: Operator
    value: Any


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

    Made by `Relation.meaning`.

    Attributes:
        relation: A `Relation` of the resource that is asked.

        specification: About the entities it leads to.
    """

    relation: Any
    specification: "Specification"


Specification: TypeAlias = Everything | Where | Not | AllOf | AnyOf | Related


def all_of(*specifications: Specification) -> Specification:
    """The conjunction in its shortest form: `Everything` disappears, and one alone stands for itself."""
    parts = tuple(each for each in specifications if not isinstance(each, Everything))
    if not parts:
        return Everything()
    return parts[0] if len(parts) == 1 else AllOf(parts)


def leaves(specification: Specification) -> Iterator[Where]:
    """Every comparison in the tree, from left to right."""
    match specification:
        case Everything():
            return
        case Where():
            yield specification
        case Not(inner) | Related(_, inner):
            yield from leaves(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def means_all(specification: Specification) -> bool:
    """Whether *specification* means every entity there can be, because it compares nothing that could differ."""
    return _constant(specification) is True


def _constant(specification: Specification) -> bool | None:
    """What *specification* is for every entity; `None` when that depends on the entity."""
    match specification:
        case Everything():
            return True
        case Where(_, operator, ()):
            return {Operator.NOT_IN: True, Operator.IN: False, Operator.HAS_ANY: False}.get(operator)
        case Where():
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


def fold_case(text: str) -> str:
    """*text* with each character in its one-to-one lower case; `İ`, which has none, stays as it is."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)


Follow: TypeAlias = Callable[[Any, Any], Iterable[Any]]
"""Given a relation and an entity, the entities it leads to."""


def _lost(relation: Any, entity: Any) -> Iterable[Any]:
    raise LookupError(f"nobody said how to follow {relation!r}")


def is_satisfied_by(specification: Specification, entity: Any, follow: Follow = _lost) -> bool:
    """Whether *specification* means *entity*, which is an object or a mapping of field names to values.

    Args:
        specification: The tree.

        entity: Whom it is asked about.

        follow: Finds related entities, for trees that ask about them.
    """
    match specification:
        case Everything():
            return True
        case Where(field, operator, value):
            actual = entity[field] if isinstance(entity, Mapping) else getattr(entity, field)
            return _MEANING[operator](actual, value)
        case Not(inner):
            return not is_satisfied_by(inner, entity, follow)
        case AllOf(parts):
            return all(is_satisfied_by(part, entity, follow) for part in parts)
        case AnyOf(parts):
            return any(is_satisfied_by(part, entity, follow) for part in parts)
        case Related(relation, inner):
            return any(is_satisfied_by(inner, each, follow) for each in follow(relation, entity))


def _present(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, value: actual is not None and holds(actual, value)


def _any_case(holds: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, value: actual is not None and holds(fold_case(actual), fold_case(value))


_MEANING: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUALS: _present(lambda actual, value: bool(actual == value)),
    Operator.DIFFERS: lambda actual, value: bool(actual != value),
    Operator.IN: _present(lambda actual, values: actual in values),
    Operator.NOT_IN: lambda actual, values: actual is None or actual not in values,
    Operator.IS_NULL: lambda actual, value: (actual is None) is value,
    Operator.GREATER: _present(lambda actual, value: bool(actual > value)),
    Operator.GREATER_OR_EQUAL: _present(lambda actual, value: bool(actual >= value)),
    Operator.LESS: _present(lambda actual, value: bool(actual < value)),
    Operator.LESS_OR_EQUAL: _present(lambda actual, value: bool(actual <= value)),
    Operator.BETWEEN: _present(lambda actual, bounds: bool(bounds[0] <= actual <= bounds[1])),
    Operator.EQUALS_ANY_CASE: _any_case(lambda actual, value: actual == value),
    Operator.CONTAINS: _present(lambda actual, value: value in actual),
    Operator.CONTAINS_ANY_CASE: _any_case(lambda actual, value: value in actual),
    Operator.STARTS_WITH: _present(lambda actual, value: actual.startswith(value)),
    Operator.STARTS_WITH_ANY_CASE: _any_case(lambda actual, value: actual.startswith(value)),
    Operator.ENDS_WITH: _present(lambda actual, value: actual.endswith(value)),
    Operator.ENDS_WITH_ANY_CASE: _any_case(lambda actual, value: actual.endswith(value)),
    Operator.HAS: _present(lambda actual, value: value in actual),
    Operator.HAS_ANY: _present(lambda actual, values: any(each in actual for each in values)),
    Operator.HAS_ALL: _present(lambda actual, values: all(each in actual for each in values)),
}
