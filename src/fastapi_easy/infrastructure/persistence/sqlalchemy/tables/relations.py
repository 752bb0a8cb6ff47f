"""SQLAlchemy's `relationship()` → `Link`."""

import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BinaryExpression, BooleanClauseList, Column, ColumnElement, Table, UnaryExpression
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.sql.operators import and_, asc_op, desc_op, eq

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.resources.relation import Link, Through
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.inheritance import names_of

_MAPPER: Final = re.compile(r"Mapper\[(\w+)\(")
"""Which class a message is about."""


def links_of(mapper: Mapper[Any]) -> dict[str, Link]:
    """Return the relations of a class that compare columns for equality and nothing else, by name.

    All others are left out, and so is what begins with an underscore.

    Raises:
        DeclarationError: SQLAlchemy itself cannot make out a relationship of the class.
    """
    try:
        relationships = tuple(mapper.relationships)
    except SQLAlchemyError as error:
        # One wrong relationship bars every class, and each says so in words of its own around the same reason.
        reason = str(error).rpartition("Original exception was: ")[2].rstrip(".")
        wrong = _MAPPER.search(reason)
        of = mapper.class_.__name__ if wrong is None else wrong[1]
        cannot = f"SQLAlchemy cannot configure the relationships of {of}: {reason}"
        mend = "fix them, and import the modules that declare their targets"
        raise DeclarationError([f"{cannot}; {mend}"]) from error
    named = {each.key: _link(mapper, each) for each in relationships if not each.key.startswith("_")}
    return {name: link for name, link in named.items() if link is not None}


def _link(mapper: Mapper[Any], relationship: RelationshipProperty[Any]) -> Link | None:
    target = relationship.mapper
    if relationship.secondary is not None:
        return _link_through(mapper, relationship)
    if _comparisons(relationship.primaryjoin) != len(relationship.local_remote_pairs):
        return None
    here = _fields(mapper, (local for local, _ in relationship.local_remote_pairs))
    there = _fields(target, (remote for _, remote in relationship.local_remote_pairs))
    if here is None or there is None:
        return None
    many = bool(relationship.uselist)
    return Link(target=target.class_, many=many, local=here, remote=there, order=_order(relationship))


def _link_through(mapper: Mapper[Any], relationship: RelationshipProperty[Any]) -> Link | None:
    target, between = relationship.mapper, relationship.secondary
    before, behind = relationship.synchronize_pairs, relationship.secondary_synchronize_pairs or ()
    if not isinstance(between, Table) or not relationship.uselist or relationship.secondaryjoin is None:
        return None
    if _comparisons(relationship.primaryjoin) != len(before):
        return None
    if _comparisons(relationship.secondaryjoin) != len(behind):
        return None
    here, there = _fields(mapper, (own for own, _ in before)), _fields(target, (own for own, _ in behind))
    if here is None or there is None:
        return None
    # The resource of a class is found by the names of its columns.
    has_plain_names = all(column.key == column.name for _, column in (*before, *behind))
    through = Through(
        table=between,
        name=between.fullname if has_plain_names else None,
        local=tuple(str(column.key) for _, column in before),
        remote=tuple(str(column.key) for _, column in behind),
    )
    order = _order(relationship)
    return Link(target=target.class_, many=True, local=here, remote=there, through=through, order=order)


def _order(relationship: RelationshipProperty[Any]) -> tuple[str, ...]:
    """Return the fields that the class sorts by; none where it sorts by anything else than columns."""
    names = names_of(relationship.mapper)
    order = []
    for term in relationship.order_by or ():
        is_down = isinstance(term, UnaryExpression) and term.modifier is desc_op
        is_plain = not isinstance(term, UnaryExpression) or term.modifier in {desc_op, asc_op}
        column: Any = term.element if isinstance(term, UnaryExpression) else term
        # What SQLAlchemy keeps is a copy, which counts as the same in a dictionary.
        found = names.get(column) if isinstance(column, Column) else None
        if found is None or not is_plain:
            return ()
        order.append(f"-{found}" if is_down else found)
    return tuple(order)


def _comparisons(condition: ColumnElement[bool]) -> int | None:
    """Count the pairs of columns that *condition* compares for equality; `None` when it asks for anything else."""
    pairs = _pairs(condition)
    return None if pairs is None else len(pairs)


def _pairs(condition: ColumnElement[bool]) -> set[frozenset[Any]] | None:
    if isinstance(condition, BooleanClauseList) and condition.operator is and_:
        # A class in several tables that refers to itself is compared twice, once for each table with its key.
        parts = [_pairs(each) for each in condition.clauses]
        found = [each for each in parts if each is not None]
        return set[frozenset[Any]]().union(*found) if len(found) == len(parts) else None
    if not isinstance(condition, BinaryExpression) or condition.operator is not eq:
        return None
    compared = condition.left, condition.right
    return {frozenset(compared)} if all(isinstance(each, Column) for each in compared) else None


def _fields(mapper: Mapper[Any], columns: Iterable[Any]) -> tuple[str, ...] | None:
    """Return the attributes that *columns* are mapped to; `None` when one of them is not."""
    names = names_of(mapper)
    fields = [names.get(column) for column in columns]
    return None if None in fields else tuple(name for name in fields if name is not None)
