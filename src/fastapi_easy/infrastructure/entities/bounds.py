"""Comparisons with values that no column can hold, answered without asking: they keep their meaning."""

from collections.abc import Callable
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import Everything, Not, Operator, Specification, Where, all_of
from fastapi_easy.domain.values.limits import INTEGER_LIMITS, comparable_integers

NOTHING: Final = Not(Everything())
"""What no entity satisfies."""

_LOW, _HIGH = INTEGER_LIMITS
_LISTS: Final = frozenset({Operator.IN, Operator.NOT_IN})
_ABOVE: Final = frozenset({Operator.GREATER, Operator.GREATER_OR_EQUAL})
_BELOW: Final = frozenset({Operator.LESS, Operator.LESS_OR_EQUAL})
_EQUALITIES: Final = frozenset({Operator.EQUALS, Operator.NOT_EQUALS})
_NEGATIVE: Final = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})


def is_storable(field: Field, value: object, *, allows_nul: bool) -> bool:
    """Return whether a column of *field*'s kind can hold *value* at all, so that it may be sent."""
    match value:
        case bool():
            return True
        case int() if field.kind is Kind.INTEGER:
            if _LOW <= value <= _HIGH:
                return True
            low, high = comparable_integers(field)
            return low <= value <= high
        case str() if not value.isascii() or "\x00" in value:
            return _first_unstorable(value, allows_nul=allows_nul) is None
        case _:
            return True


def rewrite_unstorable(where: Where, field: Field, *, allows_nul: bool) -> Specification:
    """Return a condition of the same meaning whose values can all be sent; mostly *where* itself."""
    if field.kind not in {Kind.INTEGER, Kind.TEXT} or where.operator is Operator.IS_NULL:
        return where
    if where.operator in _LISTS:
        kept = tuple(each for each in where.value if is_storable(field, each, allows_nul=allows_nul))
        return where if len(kept) == len(where.value) else Where(where.field, where.operator, kept)
    if where.operator is Operator.BETWEEN:
        return _between(where, field, allows_nul=allows_nul)
    if is_storable(field, where.value, allows_nul=allows_nul):
        return where
    if where.operator in _ABOVE | _BELOW:
        return _nearest_comparison(where, field, allows_nul=allows_nul)
    return Everything() if where.operator in _NEGATIVE else NOTHING


def rewrite_inexact(where: Where, field: Field, kept: Callable[[Any], Any]) -> Specification:
    """Return a condition of the same meaning whose values the column keeps as they are; mostly *where* itself.

    Args:
        where: The condition.

        field: Its field.

        kept: Returns what a value becomes when it is stored; `None` when it is never stored.
    """
    operator, value = where.operator, where.value
    if field.kind is Kind.TEXT and operator not in _EQUALITIES | _LISTS:
        # Texts are found, and sorted, by what is stored.
        return where
    if operator in _LISTS:
        same = tuple(each for each in value if kept(each) == each)
        return where if len(same) == len(value) else Where(where.field, operator, same)
    if operator is Operator.BETWEEN:
        low, high = value
        if kept(low) == low and kept(high) == high:
            return where
        return all_of(
            rewrite_inexact(Where(where.field, Operator.GREATER_OR_EQUAL, low), field, kept),
            rewrite_inexact(Where(where.field, Operator.LESS_OR_EQUAL, high), field, kept),
        )
    if operator not in _EQUALITIES | _ABOVE | _BELOW or (nearest := kept(value)) == value:
        return where
    if nearest is None or operator in _EQUALITIES:
        return Everything() if operator in _NEGATIVE else NOTHING
    # Nothing stored lies between the value and what it becomes.
    if operator in _ABOVE:
        return Where(where.field, Operator.GREATER if nearest < value else Operator.GREATER_OR_EQUAL, nearest)
    return Where(where.field, Operator.LESS_OR_EQUAL if nearest < value else Operator.LESS, nearest)


def _between(where: Where, field: Field, *, allows_nul: bool) -> Specification:
    if all(is_storable(field, bound, allows_nul=allows_nul) for bound in where.value):
        return where
    from_ = rewrite_unstorable(
        Where(where.field, Operator.GREATER_OR_EQUAL, where.value[0]), field, allows_nul=allows_nul
    )
    to = rewrite_unstorable(
        Where(where.field, Operator.LESS_OR_EQUAL, where.value[1]), field, allows_nul=allows_nul
    )
    return all_of(from_, to)


def _nearest_comparison(where: Where, field: Field, *, allows_nul: bool) -> Specification:
    """Compare with the nearest value that can be sent instead."""
    is_above = where.operator in _ABOVE
    if field.kind is Kind.INTEGER:
        lies_above_all = where.value > 0
        return NOTHING if is_above == lies_above_all else Where(where.field, Operator.IS_NULL, False)
    at = _first_unstorable(where.value, allows_nul=allows_nul)
    head, flaw = where.value[:at], where.value[at]
    if flaw == "\x00":
        # Nothing stored has a NUL, so what lies above `head\0…` is exactly what lies above `head`.
        return Where(where.field, Operator.GREATER if is_above else Operator.LESS_OR_EQUAL, head)
    # Nothing stored has a surrogate; they lie right below U+E000.
    return Where(where.field, Operator.GREATER_OR_EQUAL if is_above else Operator.LESS, head + "\ue000")


def _first_unstorable(text: str, *, allows_nul: bool) -> int | None:
    """Return the index of the first character that no database in UTF-8 takes."""
    return next(
        (
            place
            for place, each in enumerate(text)
            if "\ud800" <= each <= "\udfff" or (each == "\x00" and not allows_nul)
        ),
        None,
    )
