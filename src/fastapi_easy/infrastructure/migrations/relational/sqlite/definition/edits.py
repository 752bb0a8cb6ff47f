"""Changes of one table, made in the text of its CREATE TABLE statement."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import (
    parse_column,
    parse_constraint,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import (
    ColumnText,
    ConstraintKind,
    ConstraintText,
    TableText,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    TokenKind,
    fold,
    meaningful,
    normal_form,
    quote,
    split_tokens,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal


def column_of(table: TableText, name: str) -> ColumnText:
    """Return the column called *name*.

    Raises:
        SqliteRefusal: There is none.
    """
    found = table.column(name)
    if found is None:
        raise SqliteRefusal(f"table {table.name} has no column {name}")
    return found


def add_column(table: TableText, text: str) -> TableText:
    """Return *table* with one more column."""
    return table.with_item(parse_column(text))


def drop_column(table: TableText, name: str) -> TableText:
    """Return *table* without a column, and without the constraints that name it."""
    table = table.without(column_of(table, name))
    for owner, constraint in list(table.constraints()):
        if constraint.kind == "generated":
            continue
        named = {fold(each) for each in constraint.columns} if owner is None else set()
        if fold(name) in named or (constraint.kind == "check" and mentions(constraint.expression, [name])):
            table = drop_constraint(table, constraint)
    return table


def set_type(column: ColumnText, rendered: str) -> ColumnText:
    """Return *column* with the type, and if that has one the collation, of *rendered*."""
    wanted = parse_column(f"x {rendered}")
    found = replace(column, type=wanted.type, type_gap=(column.type_gap or " ") if wanted.type else "")
    collation = wanted.clause("collate")
    return found if collation is None else set_collation(found, collation.expression)


def set_collation(column: ColumnText, name: str | None) -> ColumnText:
    """Return *column* with another collation, or none."""
    return _with_only(column, "collate", None if name is None else f"COLLATE {quote(name)}")


def set_default(column: ColumnText, text: str | None) -> ColumnText:
    """Return *column* with another default, or none."""
    return _with_only(column, "default", None if text is None else f"DEFAULT {text}")


def set_computed(column: ColumnText, text: str | None) -> ColumnText:
    """Return *column* computed otherwise, or no longer; what is computed has no default."""
    found = column if text is None else column.without("default")
    return _with_only(found, "generated", text)


def set_nullable(column: ColumnText, nullable: bool) -> ColumnText:
    """Return *column* with or without NOT NULL."""
    if nullable:
        return column.without("not null")
    if column.clause("not null") is not None:
        return column
    return column.without("null").with_clause(_clause("NOT NULL"))


def set_primary_key(table: TableText, columns: Iterable[str], name: str | None) -> TableText:
    """Return *table* with the primary key *columns*, or with none if they are none."""
    for _, constraint in list(table.constraints()):
        if constraint.kind == "primary key":
            table = drop_constraint(table, constraint)
    wanted = [column_of(table, each).spelled for each in columns]
    if not wanted:
        return table
    prefix = "" if name is None else f"CONSTRAINT {quote(name)} "
    return add_constraint(table, f"{prefix}PRIMARY KEY ({', '.join(wanted)})")


def primary_key(table: TableText) -> tuple[str, ...]:
    """Return the columns of the primary key."""
    return next((each.columns for _, each in table.constraints() if each.kind == "primary key"), ())


def add_constraint(table: TableText, text: str) -> TableText:
    """Return *table* with one more constraint; a foreign key that it has already is not added again."""
    wanted = parse_constraint(text)
    if wanted.kind == "references" and any(
        _points_alike(wanted, each) for _, each in table.constraints() if each.kind == "references"
    ):
        return table
    return table.with_item(wanted)


def drop_constraint(table: TableText, constraint: ConstraintText) -> TableText:
    """Return *table* without *constraint*, wherever it stands."""
    for item in table.items:
        if item is constraint:
            return table.without(item)
        if isinstance(item, ColumnText):
            clauses = [each.constraint for each in item.clauses]
            at = next((index for index, each in enumerate(clauses) if each is constraint), None)
            if at is not None:
                found = item.without_clause(constraint)
                if constraint.kind == "references":
                    found = found.without("deferrable")
                return table.replacing(item, found)
    return table


def find_constraint(table: TableText, kind: ConstraintKind, wanted: ConstraintText) -> ConstraintText:
    """Return the constraint of *table* that has the name of *wanted*, or is about the same when it has none.

    Raises:
        SqliteRefusal: There is none.
    """
    candidates = [each for _, each in table.constraints() if each.kind == kind]
    if wanted.name is not None:
        named = [
            each for each in candidates if each.name is not None and fold(each.name) == fold(wanted.name)
        ]
        if named:
            return named[0]
        candidates = [each for each in candidates if each.name is None]
    found = next((each for each in candidates if _is_about_the_same(each, wanted)), None)
    if found is None:
        raise SqliteRefusal(
            f"table {table.name} has no constraint {wanted.name or wanted.text or kind} that could be dropped"
        )
    return found


def mentions(text: str, names: Iterable[str]) -> bool:
    """Tell whether one of *names* occurs in the SQL *text* as a word or an identifier that is no call."""
    wanted = {fold(each) for each in names}
    tokens = meaningful(split_tokens(text))
    words = {each.word for each in tokens}
    if "CASE" in words:
        # `END` closes a CASE, and is no reserved word.
        wanted.discard("end")
    following = [each.text for each in tokens[1:]] + [""]
    return any(
        each.kind in {TokenKind.WORD, TokenKind.QUOTED} and fold(each.name) in wanted and after != "("
        for each, after in zip(tokens, following, strict=True)
    )


def _is_about_the_same(one: ConstraintText, other: ConstraintText) -> bool:
    if one.kind == "check":
        return bool(other.expression) and _expression(one.expression) == _expression(other.expression)
    if one.kind == "references":
        return _points_alike(one, other)
    return _folded(one.columns) == _folded(other.columns)


def _points_alike(one: ConstraintText, other: ConstraintText) -> bool:
    alike = _folded(one.columns) == _folded(other.columns) and fold(one.references) == fold(other.references)
    # Without columns it points to the primary key.
    return alike and (
        not one.referred or not other.referred or _folded(one.referred) == _folded(other.referred)
    )


def _expression(text: str) -> str:
    found = normal_form(text)
    while found.startswith("( ") and found.endswith(" )") and _closes_at_end(found):
        found = found[2:-2]
    return found


def _closes_at_end(text: str) -> bool:
    depths = list(_depths(text))
    return all(depth > 0 for depth in depths[:-1])


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for each in meaningful(split_tokens(text)):
        depth += {"(": 1, ")": -1}.get(each.word, 0)
        yield depth


def _folded(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold(each) for each in names)


def _with_only(column: ColumnText, kind: ConstraintKind, text: str | None) -> ColumnText:
    """Return *column* with *text* as its only clause of *kind*, in the place of the one it had."""
    old = column.clause(kind)
    if text is None or old is None:
        found = column.without(kind)
        return found if text is None else found.with_clause(_clause(text))
    new = _clause(text)
    clauses = tuple(
        replace(each, constraint=new) if each.constraint is old else each for each in column.clauses
    )
    found = replace(column, clauses=clauses)
    for each in column.clauses:
        if each.constraint.kind == kind and each.constraint is not old:
            found = found.without_clause(each.constraint)
    return found


def _clause(text: str) -> ConstraintText:
    return parse_column(f"x {text}").clauses[0].constraint
