"""`Specification` → SQL.

In two steps, so that one statement serves every query of the same form: `outline` takes a specification apart
into its form, which can be looked up, and its values; `expression` builds the condition from the form alone.
Both walk the tree from left to right, which is how value and parameter find each other.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import count
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    String,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
    fold_case,
)
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.entities.bounds import reworded
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.relation_joins import leads_somewhere, step
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Terms

Outline: TypeAlias = tuple[Hashable, ...]
"""The form of a specification: its tree without values."""

Bind: TypeAlias = Callable[..., BindParameter[Any]]

_ESCAPE: Final = "!"
_AFTER_THE_END: Final = 2**31
_ANY_CASE: Final[Mapping[Operator, Operator]] = {
    Operator.EQUALS_ANY_CASE: Operator.EQUALS,
    Operator.CONTAINS_ANY_CASE: Operator.CONTAINS,
    Operator.STARTS_WITH_ANY_CASE: Operator.STARTS_WITH,
    Operator.ENDS_WITH_ANY_CASE: Operator.ENDS_WITH,
}
_ORDERS: Final[Mapping[Operator, Callable[[Any, Any], Any]]] = {
    Operator.GREATER: gt,
    Operator.GREATER_OR_EQUAL: ge,
    Operator.LESS: lt,
    Operator.LESS_OR_EQUAL: le,
}
_PARTS: Final = frozenset({Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH})


def outline(specification: Specification, terms: Terms) -> tuple[Outline, list[Any]]:
    """The form of *specification*, and its values in the order of their parameters."""
    values: list[Any] = []
    return _outline(specification, terms, values), values


def named(values: list[Any]) -> dict[str, Any]:
    """*values* under the names their parameters have."""
    return {f"fe_{number}": value for number, value in enumerate(values)}


def expression(form: Outline, terms: Terms) -> ColumnElement[bool]:
    """The condition of *form*."""
    numbers = count()

    def bind(type_: Any, *, expanding: bool = False) -> BindParameter[Any]:
        return bindparam(f"fe_{next(numbers)}", type_=type_, expanding=expanding)

    return _expression(form, terms, bind)


def leads_to(form: Outline, terms: Terms, table: FromClause) -> bool:
    """Whether *form* asks about rows of *table* beside those it is a condition for."""
    match form:
        case ("related", Relation() as relation, tuple(inner)):
            lead = terms.leads(relation)
            return table in {lead.target.table, lead.through} or leads_to(inner, lead.target, table)
        case ("where", *_) | ("everything",):
            return False
        case (_, *parts):
            return any(leads_to(part, terms, table) for part in _tuples(parts))
        case _:
            raise AssertionError(form)


def _outline(specification: Specification, terms: Terms, values: list[Any]) -> Outline:
    match specification:
        case Everything():
            return ("everything",)
        case Not(inner):
            return ("not", _outline(inner, terms, values))
        case AllOf(parts):
            return ("all", *(_outline(part, terms, values) for part in parts))
        case AnyOf(parts):
            return ("any", *(_outline(part, terms, values) for part in parts))
        case Related(relation, inner):
            return ("related", relation, _outline(inner, terms.leads(relation).target, values))
        case Where(field):
            sendable = reworded(specification, terms.fields[field], allows_nul=terms.allows_nul)
            if isinstance(sendable, Where):
                return _outline_where(sendable, terms, values)
            return _outline(sendable, terms, values)


def _outline_where(where: Where, terms: Terms, values: list[Any]) -> Outline:
    operator, value = where.operator, where.value
    match operator:
        case Operator.IS_NULL:
            return ("where", where.field, operator, bool(value))
        case Operator.IN | Operator.NOT_IN | Operator.HAS_ANY | Operator.HAS_ALL:
            if not value:
                return ("where", where.field, operator, "nothing")
            values.append(list(value))
        case Operator.BETWEEN:
            values.extend(value)
        case _ if _ANY_CASE.get(operator, operator) in _PARTS:
            text = fold_case(value) if operator in _ANY_CASE else value
            values.extend(_pattern(_ANY_CASE.get(operator, operator), text, terms))
        case Operator.EQUALS_ANY_CASE:
            values.append(fold_case(value))
        case _:
            values.append(value)
    return ("where", where.field, operator)


def _expression(form: Outline, terms: Terms, bind: Bind) -> ColumnElement[bool]:
    match form:
        case ("everything",):
            return true()
        case ("not", tuple(inner)):
            expressed = _expression(inner, terms, bind)
            # With a null inside, a condition may be unknown, which NOT would leave unknown.
            return expressed.is_not(true()) if _may_be_unknown(inner, terms) else not_(expressed)
        case ("all", *parts):
            return and_(true(), *(_expression(part, terms, bind) for part in _tuples(parts)))
        case ("any", *parts):
            return or_(false(), *(_expression(part, terms, bind) for part in _tuples(parts)))
        case ("related", Relation() as relation, tuple(inner)):
            taken = step(relation, terms)
            return leads_somewhere(taken, _expression(inner, taken.terms, bind))
        case ("where", str(field), Operator() as operator, *more):
            return _where(field, operator, more, terms, bind)
        case _:
            raise AssertionError(form)


def _where(field: str, operator: Operator, more: list[Any], terms: Terms, bind: Bind) -> ColumnElement[bool]:
    column = terms.plain(field)
    if operator is Operator.IS_NULL:
        return column.is_(None) if more[0] else column.is_not(None)
    if more:
        return _of_nothing(operator, column)
    if operator in _ANY_CASE:
        return _text(_ANY_CASE[operator], terms.folded(field), terms, bind)
    if operator in _PARTS:
        return _text(operator, terms.exact(field), terms, bind)
    if terms.fields[field].kind is Kind.ARRAY:
        return _items(operator, column, bind)
    return _compared(field, operator, terms, bind)


def _compared(field: str, operator: Operator, terms: Terms, bind: Bind) -> ColumnElement[bool]:
    type_ = terms.type_of(field)
    if operator is Operator.BETWEEN:
        ordered, low, high = terms.ordered(field), bind(type_), bind(type_)
        return and_(ordered >= low, ordered <= high)
    if operator in _ORDERS:
        holds: ColumnElement[bool] = _ORDERS[operator](terms.ordered(field), bind(type_))
        return holds
    exact, is_nullable = terms.exact(field), terms.fields[field].nullable
    match operator:
        case Operator.EQUALS:
            return exact == bind(type_)
        case Operator.DIFFERS:
            return exact.is_distinct_from(bind(type_)) if is_nullable else exact != bind(type_)
        case Operator.IN:
            return exact.in_(bind(type_, expanding=True))
        case Operator.NOT_IN:
            among = exact.not_in(bind(type_, expanding=True))
            return or_(exact.is_(None), among) if is_nullable else among
        case _:
            raise AssertionError(operator)


def _of_nothing(operator: Operator, column: ColumnElement[Any]) -> ColumnElement[bool]:
    match operator:
        case Operator.NOT_IN:
            return true()
        case Operator.HAS_ALL:
            return column.is_not(None)
        case _:
            return false()


def _items(operator: Operator, column: ColumnElement[Any], bind: Bind) -> ColumnElement[bool]:
    type_: Any = column.type
    match operator:
        case Operator.HAS:
            return bind(type_.item_type) == func.any(column)
        case Operator.HAS_ANY:
            return column.op("&&", is_comparison=True)(bind(postgresql.ARRAY(type_.item_type)))
        case _:
            return column.op("@>", is_comparison=True)(bind(postgresql.ARRAY(type_.item_type)))


def _pattern(operator: Operator, text: str, terms: Terms) -> Iterator[Any]:
    """The values that `_text` has parameters for."""
    if terms.server.name == "sqlite":
        # The length as counted here: SQLite's own ends at the first NUL.
        if operator is Operator.STARTS_WITH:
            yield len(text)
        elif operator is Operator.ENDS_WITH:
            yield -len(text) or _AFTER_THE_END
        yield text
        return
    escaped = text
    for each in (_ESCAPE, "%", "_"):
        escaped = escaped.replace(each, _ESCAPE + each)
    before = "" if operator is Operator.STARTS_WITH else "%"
    after = "" if operator is Operator.ENDS_WITH else "%"
    yield before + escaped + after


def _text(operator: Operator, term: ColumnElement[Any], terms: Terms, bind: Bind) -> ColumnElement[bool]:
    if operator is Operator.EQUALS:
        return term == bind(String())
    if terms.server.name != "sqlite":
        # LIKE, because indexes know it.
        return term.like(bind(String()), escape=_ESCAPE)
    match operator:
        case Operator.CONTAINS:
            # LIKE ignores case on SQLite.
            return func.instr(term, bind(String())) > literal_column("0")
        case Operator.STARTS_WITH:
            return func.substr(term, literal_column("1"), bind(Integer())) == bind(String())
        case _:
            return func.substr(term, bind(Integer())) == bind(String())


def _may_be_unknown(form: Outline, terms: Terms) -> bool:
    match form:
        case ("where", str(field), *_):
            return terms.fields[field].nullable
        case ("related", *_):
            return False
        case (_, *parts):
            return any(_may_be_unknown(part, terms) for part in _tuples(parts))
        case _:
            return False


def _tuples(parts: list[Any]) -> list[Outline]:
    return parts
