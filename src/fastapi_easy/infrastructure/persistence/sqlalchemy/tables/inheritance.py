"""SQLAlchemy's joined inheritance: the tables that entities of a class are spread over."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BinaryExpression, BooleanClauseList, Column, ColumnElement, Table
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.operators import and_, eq

from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable, TablePart


def parts_of(mapper: Mapper[Any]) -> tuple[TablePart, ...]:
    """Return the tables that each entity of a class is stored in, that of the root class first."""
    names = names_of(mapper)
    return tuple(
        TablePart(table=table, attributes={each: names[each] for each in table.columns if each in names})
        for table in _tables_of(mapper)
    )


def derived_tables_of(mapper: Mapper[Any]) -> tuple[DerivedTable, ...]:
    """Return the tables that hold more of entities of derived classes, those first that refer to others."""
    key: tuple[Any, ...] = tuple(mapper.primary_key)
    found = []
    for each in mapper.self_and_descendants:
        if each is mapper or each.single or each.concrete or not isinstance(each.local_table, Table):
            continue
        # Each level refers to the one above, whose columns of the key are found by then.
        names = names_of(each)
        own = {names[column]: column for column in each.local_table.primary_key.columns if column in names}
        wanted = [names[column] for column in key]
        if all(name in own for name in wanted):
            kinds = frozenset(one.polymorphic_identity for one in each.self_and_descendants)
            table = each.local_table
            found.append(DerivedTable(table=table, key=tuple(own[name] for name in wanted), kinds=kinds))
    return tuple(reversed(found))


def names_of(mapper: Mapper[Any]) -> dict[Column[Any], str]:
    """Return the attribute that each column of a class is mapped to, in whichever of its tables.

    A column that repeats the key of the class above stands for the same attribute, whatever it is called.
    """
    lineage = _lineage(mapper)
    names: dict[Column[Any], str] = {}
    for each in lineage:
        names |= {column: name for name, column in each.columns.items()}
    for each in lineage[1:]:
        names |= {lower: names[upper] for lower, upper in _pairs(each) if upper in names}
    return names


def repeated_keys(mapper: Mapper[Any]) -> Iterator[tuple[str, str]]:
    """Yield the attributes that only repeat a part of the key under another name, each with that part."""
    if mapper.inherits is None or mapper.concrete:
        return
    names = names_of(mapper)
    for each in _lineage(mapper)[1:]:
        for name, column in each.columns.items():
            if names[column] != name:
                yield name, names[column]


def refusal_of(mapper: Mapper[Any]) -> str | None:
    """Return why the tables of a class cannot be those of a resource; `None` when they can."""
    for each in _lineage(mapper)[1:]:
        table, upper = each.local_table, each.inherits
        if each.single or not isinstance(table, Table) or upper is None:
            continue
        above, pairs = upper.class_.__name__, list(_pairs(each))
        own = {lower for lower, _ in pairs}
        names = names_of(upper)
        whole: tuple[Any, ...] = tuple(mapper.primary_key)
        key = {names.get(column) for column in whole}
        if own != set(table.primary_key.columns) or {names.get(other) for _, other in pairs} != key:
            return (
                f"{each.class_.__name__} is stored in the table {table.name} beside that of {above}, and its primary"
                f" key is not its foreign key to {above}, which is not supported: let them be the same columns, or"
                f" declare a class with a relationship to {above}"
            )
    return None


def is_in_several_tables(mapper: Mapper[Any]) -> bool:
    """Return whether each entity of a class is stored in more than one table."""
    return len(_tables_of(mapper)) > 1


def _tables_of(mapper: Mapper[Any]) -> list[Table]:
    tables = [each.local_table for each in _lineage(mapper) if not each.single]
    return [each for each in tables if isinstance(each, Table)]


def _lineage(mapper: Mapper[Any]) -> list[Mapper[Any]]:
    """Return the class and those above it whose tables it shares, the uppermost first."""
    above = [mapper]
    while above[-1].inherits is not None and not above[-1].concrete:
        above.append(above[-1].inherits)
    return above[::-1]


def _pairs(mapper: Mapper[Any]) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """Yield the columns of the table that a class adds and those above that they are equal to."""
    if mapper.single or mapper.inherit_condition is None:
        return
    for one, other in _equalities(mapper.inherit_condition):
        if one.table is mapper.local_table:
            yield one, other
        elif other.table is mapper.local_table:
            yield other, one


def _equalities(condition: ColumnElement[bool]) -> Iterator[tuple[Column[Any], Column[Any]]]:
    if isinstance(condition, BooleanClauseList) and condition.operator is and_:
        for each in condition.clauses:
            yield from _equalities(each)
    if isinstance(condition, BinaryExpression) and condition.operator is eq:
        one, other = condition.left, condition.right
        if isinstance(one, Column) and isinstance(other, Column):
            yield one, other
