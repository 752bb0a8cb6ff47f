"""Indexes and unique constraints: which of those that are declared are stored, under whatever name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from alembic.operations.ops import AddConstraintOp, CreateIndexOp
from sqlalchemy import Index
from sqlalchemy.schema import Constraint

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    IndexShape,
    ReferenceShape,
    UniqueShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.constraint_names import named
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import (
    expression_form,
    is_same_expression,
)
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair
from fastapi_easy.infrastructure.migrations.relational.detection.stored_objects import drop_index, drop_unique
from fastapi_easy.infrastructure.migrations.relational.operations import Detected

Rule: TypeAlias = IndexShape | UniqueShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What is to be done about the parts of one kind.

    Attributes:
        dropped: Places among the stored ones.

        added: Places among the declared ones.
    """

    dropped: tuple[int, ...]
    added: tuple[int, ...]


def match(stored: Sequence[Any], declared: Sequence[Any], is_same: Callable[[Any, Any], bool]) -> Matched:
    """Find which parts are stored as declared: those of the same name first, then those that only differ in it.

    Args:
        stored: With a `name`.

        declared: With a `name`, or none.

        is_same: Compares without names.
    """
    left = dict(enumerate(stored))
    open_ = dict(enumerate(declared))
    names = {each.name for each in declared if each.name}
    for by_name in (True, False):
        for at, wanted in tuple(open_.items()):
            # One that has the name of another cannot stay beside that.
            candidates = (
                place
                for place, there in left.items()
                if (there.name == wanted.name if by_name else there.name not in names)
            )
            found = next((place for place in candidates if is_same(left[place], wanted)), None)
            if found is not None:
                del left[found], open_[at]
    return Matched(dropped=tuple(left), added=tuple(open_))


def compare_rules(pair: TablePair) -> Iterator[Detected]:
    """Yield what has to be done to the indexes and unique constraints of *pair*."""
    shape = pair.declared.shape
    stored: list[Rule] = [*pair.stored.indexes, *pair.stored.uniques]
    declared: list[Rule] = [*shape.indexes, *shape.uniques]
    items = [*pair.declared.indexes, *pair.declared.uniques]
    matched = match(stored, declared, lambda there, wanted: _is_same(there, wanted, pair))
    for place in matched.dropped:
        rule = stored[place]
        if isinstance(rule, UniqueShape):
            yield _dropped_unique(pair, rule)
        elif not _belongs_to_reference(rule, pair):
            yield dropped_index(pair, rule)
    for place in matched.added:
        yield _added(pair, declared[place], items[place])


def dropped_index(pair: TablePair, index: IndexShape) -> Detected:
    """Return what drops *index* of *pair*."""
    facts: dict[str, Any] = {} if index.where is None else {"where": index.where}
    supported = next((each for each in pair.stored.references if _is_support(index, each, pair)), None)
    if pair.server == "mysql" and supported is not None:
        facts["supports_foreign_key"] = str(supported.name)
    change = pair.change(
        ChangeKind.DROP_INDEX,
        index.name,
        columns=index.elements,
        unique=index.unique,
        method=index.method or "btree",
        **facts,
    )
    return Detected(change=change, operation=drop_index(index, pair.table, pair.schema, pair.server))


def created_index(pair_change: Callable[..., Any], shape: IndexShape, index: Index, **facts: Any) -> Detected:
    """Return what creates *index*.

    Args:
        pair_change: Makes a change of its table.

        shape: What the server makes of it.

        index: As it is declared.

        facts: More of them.
    """
    others = [each for each in shape.elements if "(" in each]
    change = pair_change(
        ChangeKind.CREATE_INDEX,
        shape.name,
        columns=shape.elements,
        unique=shape.unique,
        where=shape.where,
        method=shape.method or "btree",
        include=shape.include,
        **({"expression": ", ".join(others)} if others else {}),
        **facts,
    )
    return Detected(change=change, operation=CreateIndexOp.from_index(index))


def _added(pair: TablePair, rule: Rule, item: Index | Constraint) -> Detected:
    columns = set(rule.columns)
    facts = {"new_table": False, "new_columns": bool(columns) and columns <= pair.new_columns}
    if isinstance(item, Index) and isinstance(rule, IndexShape):
        return created_index(pair.change, rule, item, **facts)
    name = rule.name or named(pair, "key", rule.columns)
    operation: Any = AddConstraintOp.from_constraint(item)  # type: ignore[arg-type] # no index any more
    operation.constraint_name = name
    change = pair.change(
        ChangeKind.ADD_UNIQUE, name, columns=tuple(rule.columns), constraint_name=name, unique=True, **facts
    )
    return Detected(change=change, operation=operation)


def _dropped_unique(pair: TablePair, unique: UniqueShape) -> Detected:
    change = pair.change(
        ChangeKind.DROP_UNIQUE,
        unique.name or "",
        columns=unique.columns,
        constraint_name=unique.name,
        unique=True,
    )
    return Detected(change=change, operation=drop_unique(unique, pair.table, pair.schema))


def _is_same(there: Rule, wanted: Rule, pair: TablePair) -> bool:
    if isinstance(there, UniqueShape) and isinstance(wanted, UniqueShape):
        return there.columns == wanted.columns and there.options == wanted.options
    if isinstance(there, IndexShape) and isinstance(wanted, IndexShape):
        return _is_same_index(there, wanted, pair)
    index, unique = (there, wanted) if isinstance(there, IndexShape) else (wanted, there)
    return isinstance(index, IndexShape) and isinstance(unique, UniqueShape) and _enforces(index, unique)


def _enforces(index: IndexShape, unique: UniqueShape) -> bool:
    """Return whether the index does what the constraint does: which of them it is makes no difference."""
    plain = index.unique and index.valid and index.where is None and not index.method and not index.include
    options = tuple(each for each in index.options if "=" not in each)
    return plain and index.elements == unique.columns and options == unique.options


def _is_same_index(there: IndexShape, wanted: IndexShape, pair: TablePair) -> bool:
    if (there.unique, there.method, there.include) != (wanted.unique, wanted.method, wanted.include):
        return False
    if not there.valid or len(there.elements) != len(wanted.elements):
        return False
    asked = {each for each in wanted.options if "=" in each}
    flags = [{each for each in index.options if "=" not in each} for index in (there, wanted)]
    if flags[0] != flags[1] or (asked and asked != {each for each in there.options if "=" in each}):
        return False
    loosely = pair.is_loose
    if not is_same_expression(there.where, wanted.where, loosely=loosely):
        return False
    return all(
        one == other
        or ("(" in one and is_same_expression(one, other, loosely=loosely))
        or _is_spelled_like(one, other)
        for one, other in zip(there.elements, wanted.elements, strict=True)
    )


def _is_spelled_like(one: str, other: str) -> bool:
    return " " in one and expression_form(one.removesuffix(" ASC")) == expression_form(
        other.removesuffix(" ASC")
    )


def _belongs_to_reference(index: IndexShape, pair: TablePair) -> bool:
    """Return whether MySQL has made *index* for a foreign key that stays."""
    return (
        pair.server == "mysql"
        and not index.unique
        and any(each.columns == index.columns == index.elements for each in pair.declared.shape.references)
    )


def _is_support(index: IndexShape, reference: ReferenceShape, pair: TablePair) -> bool:
    size = len(reference.columns)
    others = [each.columns[:size] for each in pair.stored.indexes if each is not index]
    if pair.stored.key is not None:
        others.append(pair.stored.key.columns[:size])
    return index.columns[:size] == reference.columns and reference.columns not in others
