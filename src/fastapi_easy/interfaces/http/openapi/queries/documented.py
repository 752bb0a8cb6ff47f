"""Which comparisons a document spells out as parameters of a list; the others are asked for by `where`.

What the server understands is not decided here: `AllowedComparisons` does that.
"""

from collections.abc import Iterator
from typing import Final

from fastapi_easy.application.queries.allowed_comparisons import AllowedComparisons, Parameter
from fastapi_easy.domain import Kind, Operator

_EQUALITY: Final = frozenset({Operator.EQUALS, Operator.IN})
_BOUNDS: Final = frozenset({Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL})
_TEXT: Final = _EQUALITY | {Operator.CONTAINS}


def common_comparisons(allowed: AllowedComparisons) -> Iterator[Parameter]:
    """Yield those of *allowed* that compare a field of the resource itself in a way that is common for its kind."""
    resource = allowed.resource
    references = {name for reference in resource.references for name in reference.fields}
    identifying = references.union(resource.key)
    for each in allowed.own.values():
        if each.relation is not None:
            continue
        # Nobody asks for a range of identifiers.
        operators = _EQUALITY if each.field.name in identifying else common_operators(each.field.kind)
        if each.operator is Operator.IS_NULL or each.operator in operators:
            yield each


def every_comparison(allowed: AllowedComparisons) -> Iterator[Parameter]:
    """Yield all of *allowed*: those of the resource itself, and those one relation away."""
    yield from allowed.values()


def common_operators(kind: Kind) -> frozenset[Operator]:
    """Return the operators that people use with fields of *kind*, besides the test for null."""
    match kind:
        case Kind.TEXT:
            return _TEXT
        case Kind.INTEGER:
            return _EQUALITY | _BOUNDS
        case Kind.DECIMAL | Kind.FLOAT:
            return _BOUNDS | {Operator.EQUALS}
        case Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return _BOUNDS | {Operator.EQUALS}
        case Kind.UUID | Kind.ENUM:
            return _EQUALITY
        case Kind.BOOLEAN:
            return frozenset({Operator.EQUALS})
        case Kind.ARRAY:
            return frozenset({Operator.HAS})
        case Kind.BINARY | Kind.JSON:
            return frozenset()
