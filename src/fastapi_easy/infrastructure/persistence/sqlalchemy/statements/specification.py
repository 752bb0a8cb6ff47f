"""`Specification` → SQL.

In two steps, so that one statement serves every query of the same form: `parameterize` takes a specification apart
into its form, which can be looked up, and its values; `build_condition` builds the condition from the form alone.
Both walk the tree from left to right, which is how value and parameter find each other.
"""

from collections.abc import Callable, Hashable, Mapping
from itertools import count
from operator import ge, gt, le, lt
from typing import Any, Final, Literal, TypeAlias, assert_never

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    String,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.entities.bounds import rewrite_inexact, rewrite_unstorable
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.word_search import (
    holds_words,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.full_text import (
    build_words,
    parameterize_words,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.parts_of_texts import (
    part_in_any_case,
    part_of_text,
    values_of_part,
    values_of_part_in_any_case,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.relation_joins import (
    exists_related,
    join_relation,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.converted_type import (
    ConvertedType,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.driver.unreadable import is_undecodable
from fastapi_easy.infrastructure.relational.sqlite.odd_values import odd_values

ConditionTemplate: TypeAlias = tuple[Hashable, ...]
"""The form of a specification: its tree without values."""

Bind: TypeAlias = Callable[..., BindParameter[Any]]

_Equality: TypeAlias = Literal[Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN]
_Comparison: TypeAlias = Literal[
    Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL
]
_Containment: TypeAlias = Literal[Operator.HAS, Operator.HAS_ANY, Operator.HAS_ALL]

_COMPARE: Final[Mapping[_Comparison, Callable[[Any, Any], ColumnElement[bool]]]] = {
    Operator.GREATER: gt,
    Operator.GREATER_OR_EQUAL: ge,
    Operator.LESS: lt,
    Operator.LESS_OR_EQUAL: le,
}


def parameterize(specification: Specification, terms: Terms) -> tuple[ConditionTemplate, list[Any]]:
    """Return the form of *specification*, and its values in the order of their parameters."""
    values: list[Any] = []
    return _parameterize(specification, terms, values), values


def name_parameters(values: list[Any]) -> dict[str, object]:
    """Return *values* by the names of their parameters."""
    return {f"fe_{number}": value for number, value in enumerate(values)}


def build_condition(form: ConditionTemplate, terms: Terms) -> ColumnElement[bool]:
    """Build the condition of *form*."""
    numbers = count()

    def bind(type_: ColumnType, *, expanding: bool = False) -> BindParameter[Any]:
        return bindparam(f"fe_{next(numbers)}", type_=type_, expanding=expanding)

    return _build_condition(form, terms, bind)


def reads_table(form: ConditionTemplate, terms: Terms, table: FromClause) -> bool:
    """Return whether *form* reads *table* once more, in a subquery: a relation leads back to it."""
    match form:
        case ("related", Relation() as relation, tuple(inner)):
            lead = terms.resolve_relation(relation)
            is_there = lead.target.reads(table) or table is lead.through
            return is_there or reads_table(inner, lead.target, table)
        case ("where" | "words" | "text", *_) | ("everything",):
            return False
        case (_, *parts):
            return any(reads_table(part, terms, table) for part in _tuples(parts))
        case _:
            raise AssertionError(form)


def _parameterize(  # noqa: C901, PLR0911, PLR0912 (a branch for each form)
    specification: Specification, terms: Terms, values: list[Any]
) -> ConditionTemplate:
    match specification:
        case Everything():
            return ("everything",)
        case Not(inner):
            return ("not", _parameterize(inner, terms, values))
        case AllOf(parts):
            return ("all", *(_parameterize(part, terms, values) for part in parts))
        case AnyOf(parts):
            return ("any", *(_parameterize(part, terms, values) for part in parts))
        case HoldsWords():
            return parameterize_words(specification, terms, values)
        case Related(relation, inner):
            return (
                "related",
                relation,
                _parameterize(inner, terms.resolve_relation(relation).target, values),
            )
        case Where(field):
            where = specification
            if type(where) is ShownWhere:
                return _parameterize_shown(where, terms, values)
            if field in terms.kept:
                exact = rewrite_inexact(specification, terms.fields[field], terms.kept[field])
                if not isinstance(exact, Where):
                    return _parameterize(exact, terms, values)
                where = exact
            # A value that no column can hold would be an error of the driver; it is merely not found.
            sendable = rewrite_unstorable(where, terms.fields[field], allows_nul=terms.allows_nul)
            if field in terms.vectors:
                values.append(where.value)
                return ("words", field)
            if not isinstance(sendable, Where):
                return _parameterize(sendable, terms, values)
            if sendable.operator is Operator.EQUALS:
                # By far the most frequent, as what narrows a caller's rows.
                values.append(sendable.value)
                return ("where", field, Operator.EQUALS)
            return _parameterize_where(sendable, terms, values)


def _parameterize_shown(where: ShownWhere, terms: Terms, values: list[Any]) -> ConditionTemplate:
    column_type, fitting, is_among = (
        terms.plain(where.field).type,
        where.fitting,
        where.operator is Operator.IN,
    )
    if isinstance(column_type, ConvertedType):
        fitting, odd = (*fitting, *filter(column_type.shows, where.unexpected)), []
    else:
        odd = odd_values(where.unexpected, column_type)
    if not odd and len(fitting) == 1:
        # The usual case has the usual statement.
        operator = Operator.EQUALS if is_among else Operator.NOT_EQUALS
        return _parameterize(Where(where.field, operator, fitting[0]), terms, values)
    if not odd:
        return _parameterize(Where(where.field, where.operator, fitting), terms, values)
    parts: list[ConditionTemplate] = []
    if fitting:
        parts.append(_parameterize(Where(where.field, Operator.IN, fitting), terms, values))
    bound = [each for each in odd if not is_undecodable(each)]
    texts = [each for each in odd if is_undecodable(each)]
    values.extend(([bound] if bound else []) + texts)
    form = ("any", *parts, ("where", where.field, Operator.IN, "stored", bool(bound), len(texts)))
    return form if is_among else ("not", form)


def _parameterize_where(where: Where, terms: Terms, values: list[Any]) -> ConditionTemplate:
    operator, value = where.operator, where.value
    # The most frequent first: this runs for each query.
    match operator:
        case Operator.EQUALS | Operator.NOT_EQUALS | Operator.HAS:
            values.append(value)
        case Operator.GREATER | Operator.GREATER_OR_EQUAL | Operator.LESS | Operator.LESS_OR_EQUAL:
            values.append(value)
        case Operator.IS_NULL:
            return ("where", where.field, operator, bool(value))
        case Operator.IN | Operator.NOT_IN | Operator.HAS_ANY | Operator.HAS_ALL:
            if not value:
                # SQL has no empty list: a form without parameters, for `_compared_with_nothing`.
                return ("where", where.field, operator, "nothing")
            values.append(list(value))
        case Operator.BETWEEN:
            values.extend(value)
        case Operator.EQUALS_ANY_CASE:
            values.append(fold_case(value))
        case Operator.CONTAINS | Operator.STARTS_WITH | Operator.ENDS_WITH:
            values.extend(values_of_part(operator, value, terms))
        case Operator.CONTAINS_ANY_CASE | Operator.STARTS_WITH_ANY_CASE | Operator.ENDS_WITH_ANY_CASE:
            values.extend(values_of_part_in_any_case(operator, where.field, value, terms))
        case _:
            assert_never(operator)
    return ("where", where.field, operator)


def _build_condition(form: ConditionTemplate, terms: Terms, bind: Bind) -> ColumnElement[bool]:
    match form:
        case ("everything",):
            return true()
        case ("not", tuple(inner)):
            expressed = _build_condition(inner, terms, bind)
            # With a null inside, a condition may be unknown, which NOT would leave unknown.
            return expressed.is_not(true()) if _may_be_unknown(inner, terms) else not_(expressed)
        case ("all", *parts):
            return and_(true(), *(_build_condition(part, terms, bind) for part in _tuples(parts)))
        case ("any", *parts):
            return or_(false(), *(_build_condition(part, terms, bind) for part in _tuples(parts)))
        case ("related", Relation() as relation, tuple(inner)):
            join = join_relation(relation, terms)
            return exists_related(join, _build_condition(inner, join.terms, bind))
        case ("text", *_):
            return build_words(form, terms, bind)
        case ("words", str(field)):
            return holds_words(terms.plain(field), bind(String()))
        case ("where", str(field), Operator() as operator, *more):
            return _where(field, operator, more, terms, bind)
        case _:
            raise AssertionError(form)


def _where(field: str, operator: Operator, more: list[Any], terms: Terms, bind: Bind) -> ColumnElement[bool]:
    column = terms.plain(field)
    if operator is Operator.IS_NULL:
        return column.is_(None) if more[0] else column.is_not(None)
    if more:
        is_stored = more[0] == "stored"
        return (
            _holds(terms.exact(field), more, bind) if is_stored else _compared_with_nothing(operator, column)
        )
    match operator:
        case Operator.EQUALS | Operator.NOT_EQUALS | Operator.IN | Operator.NOT_IN:
            return _equal(field, operator, terms, bind)
        case Operator.EQUALS_ANY_CASE:
            return terms.folded(field) == bind(terms.type_of_folded(field))
        case Operator.CONTAINS | Operator.STARTS_WITH | Operator.ENDS_WITH:
            return part_of_text(operator, terms.exact(field), terms, bind)
        case Operator.CONTAINS_ANY_CASE | Operator.STARTS_WITH_ANY_CASE | Operator.ENDS_WITH_ANY_CASE:
            return part_in_any_case(operator, field, terms, bind)
        case Operator.HAS | Operator.HAS_ANY | Operator.HAS_ALL:
            return _contains_items(operator, terms.items(field), bind)
        case (
            Operator.BETWEEN
            | Operator.GREATER
            | Operator.GREATER_OR_EQUAL
            | Operator.LESS
            | Operator.LESS_OR_EQUAL
        ):
            return _in_range(field, operator, terms, bind)
        case _:
            assert_never(operator)


def _equal(field: str, operator: _Equality, terms: Terms, bind: Bind) -> ColumnElement[bool]:
    type_, exact, is_nullable = terms.type_of(field), terms.exact(field), terms.fields[field].nullable
    match operator:
        case Operator.EQUALS:
            return exact == bind(type_)
        case Operator.NOT_EQUALS:
            # Null differs from every value here, as it does in the memory adapter; in SQL it is unknown.
            return exact.is_distinct_from(bind(type_)) if is_nullable else exact != bind(type_)
        case Operator.IN:
            return exact.in_(bind(type_, expanding=True))
        case Operator.NOT_IN:
            outside = exact.not_in(bind(type_, expanding=True))
            return or_(exact.is_(None), outside) if is_nullable else outside
        case _:
            assert_never(operator)


def _holds(exact: Term, more: list[Any], bind: Bind) -> ColumnElement[bool]:
    """Build the condition that *exact* is one of the values as SQLite stores them, whatever type was declared."""
    _, has_list, texts = more
    listed = [exact.in_(bind(String(), expanding=True))] if has_list else []
    # The driver sends no text that is no UTF-8: as bytes it gets there, and is a text again.
    return or_(false(), *listed, *(exact == cast(bind(String()), Text()) for _ in range(texts)))


def _in_range(
    field: str, operator: _Comparison | Literal[Operator.BETWEEN], terms: Terms, bind: Bind
) -> ColumnElement[bool]:
    type_, ordered = terms.type_in_order(field), terms.ordered(field)
    if operator is not Operator.BETWEEN:
        return _COMPARE[operator](ordered, bind(type_))
    low, high = bind(type_), bind(type_)
    return and_(ordered >= low, ordered <= high)


def _compared_with_nothing(operator: Operator, column: Term) -> ColumnElement[bool]:
    """Build the condition of *operator* with an empty list, which SQL cannot spell."""
    match operator:
        case Operator.NOT_IN:
            return true()
        case Operator.HAS_ALL:
            return column.is_not(None)
        case Operator.IN | Operator.HAS_ANY:
            return false()
        case _:
            raise AssertionError(operator)


def _contains_items(operator: _Containment, column: Term, bind: Bind) -> ColumnElement[bool]:
    type_: Any = column.type
    match operator:
        case Operator.HAS:
            return bind(type_.item_type) == func.any(column)
        case Operator.HAS_ANY:
            return column.op("&&", is_comparison=True)(bind(postgresql.ARRAY(type_.item_type)))
        case Operator.HAS_ALL:
            return column.op("@>", is_comparison=True)(bind(postgresql.ARRAY(type_.item_type)))
        case _:
            assert_never(operator)


def _may_be_unknown(form: ConditionTemplate, terms: Terms) -> bool:
    match form:
        case ("where", str(field), *_):
            return terms.fields[field].nullable
        case ("related" | "text", *_):
            return False
        case ("words", *_):
            return True
        case (_, *parts):
            return any(_may_be_unknown(part, terms) for part in _tuples(parts))
        case _:
            return False


def _tuples(parts: list[Any]) -> list[ConditionTemplate]:
    return parts
