"""Conditions that a text contains another one, begins or ends with it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, assert_never

from sqlalchemy import BindParameter, ColumnElement, Integer, String, and_, func, literal_column

from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.domain.queries.specification import Operator
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.trigrams import (
    narrowing_pattern,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms

_PartOfText: TypeAlias = Literal[Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH]
_PartInAnyCase: TypeAlias = Literal[
    Operator.CONTAINS_ANY_CASE, Operator.STARTS_WITH_ANY_CASE, Operator.ENDS_WITH_ANY_CASE
]
_Bind: TypeAlias = Callable[..., BindParameter[Any]]

_ESCAPE: Final = "!"
"""Makes a wildcard of LIKE literal. Not a backslash, which MySQL takes for an escape in the literal as well."""

_BEHIND_THE_END: Final = 2**31
"""A position at which SQLite's `substr` finds the empty text: every text ends with it."""

_IGNORE_CASE: Final[Mapping[_PartInAnyCase, _PartOfText]] = {
    Operator.CONTAINS_ANY_CASE: Operator.CONTAINS,
    Operator.STARTS_WITH_ANY_CASE: Operator.STARTS_WITH,
    Operator.ENDS_WITH_ANY_CASE: Operator.ENDS_WITH,
}


def values_of_part_in_any_case(
    operator: _PartInAnyCase, field: str, text: str, terms: Terms
) -> Iterator[str | int]:
    """Yield the values for the parameters of `part_in_any_case`."""
    found = list(values_of_part(_IGNORE_CASE[operator], fold_case(text), terms))
    yield from found
    if terms.has_trigrams(field):
        yield narrowing_pattern(str(found[0]))


def part_in_any_case(operator: _PartInAnyCase, field: str, terms: Terms, bind: _Bind) -> ColumnElement[bool]:
    """Build the condition that *field* has a part, in whatever case."""
    part = part_of_text(_IGNORE_CASE[operator], terms.folded(field), terms, bind)
    if not terms.has_trigrams(field):
        return part
    # First by the index of trigrams, which knows nothing of how texts are folded here.
    return and_(part, terms.plain(field).ilike(bind(String()), escape=_ESCAPE))


def values_of_part(operator: _PartOfText, text: str, terms: Terms) -> Iterator[str | int]:
    """Yield the values for the parameters of `part_of_text`."""
    if terms.server.name == "sqlite":
        # The length comes from here, because SQLite's own function stops counting at the first NUL.
        if operator is Operator.STARTS_WITH:
            yield len(text)
        elif operator is Operator.ENDS_WITH:
            yield -len(text) or _BEHIND_THE_END
        yield text
        return
    escaped = text
    for each in (_ESCAPE, "%", "_"):
        escaped = escaped.replace(each, _ESCAPE + each)
    before = "" if operator is Operator.STARTS_WITH else "%"
    after = "" if operator is Operator.ENDS_WITH else "%"
    yield before + escaped + after


def part_of_text(operator: _PartOfText, term: Term, terms: Terms, bind: _Bind) -> ColumnElement[bool]:
    """Build the condition that *term* has a part."""
    if terms.server.name != "sqlite":
        # LIKE also where a function would do: indexes serve it.
        return term.like(bind(String()), escape=_ESCAPE)
    # Not LIKE, which ignores the case of ASCII letters on SQLite.
    match operator:
        case Operator.CONTAINS:
            return func.instr(term, bind(String())) > literal_column("0")
        case Operator.STARTS_WITH:
            return func.substr(term, literal_column("1"), bind(Integer())) == bind(String())
        case Operator.ENDS_WITH:
            return func.substr(term, bind(Integer())) == bind(String())
        case _:
            assert_never(operator)
