"""Statements about the rows of a table, which every server understands."""

from typing import Final

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.rules.judging import COUNTED_ROWS
from fastapi_easy.domain.migrations.statements.tokens import TokenKind, tokens_of
from fastapi_easy.infrastructure.migrations.relational.statistics.lossy_queries import lossy_condition
from fastapi_easy.infrastructure.migrations.relational.statistics.place import Place
from fastapi_easy.infrastructure.migrations.relational.statistics.subject import Subject

COUNTED: Final = 10_001
"""Rows that are counted one by one; how many there are beyond that, the server estimates."""

ENOUGH: Final = COUNTED_ROWS
"""Rows that violate something which are counted at most."""

_BYTES: Final = ("blob", "binary", "bytea")
_SHORT_TEXTS: Final = ("tinytext", "text", "mediumtext")


class NoQuery(Exception):
    """There is no statement that answers the question."""


def rows_query(place: Place) -> str:
    """Return the statement that counts rows, as far as that is quick."""
    return _how_many(_select("1", place.sql, "LIMIT", COUNTED))


def number_query(subject: Subject, place: Place, column: str, referred: Place | None) -> str:
    """Return the statement whose one number answers *subject*.

    Args:
        subject: What is asked.

        place: The table.

        column: The name of the column, as it is stored.

        referred: The table that a foreign key points to.

    Raises:
        NoQuery: There is none.

        LookupError: A column is not there.
    """
    match subject.kind:
        case "nulls":
            return _count(place, f"{place.column(column)} IS NULL")
        case "all_null":
            some = _select("1", place.sql, "WHERE", place.column(column), "IS NOT NULL LIMIT 1")
            return _select("1 - count(*)", f"({some}) AS counted")
        case "max_value" | "min_value":
            return _select(f"{subject.kind[:3]}({place.column(column)})", place.sql)
        case "max_length":
            return _select(f"max({_length(subject, place, place.column(column))})", place.sql)
        case "duplicates":
            return _duplicates(subject, place)
        case "orphans":
            return _orphans(subject, place, referred)
        case "violations":
            return _violations(subject, place)
        case "lossy":
            return _count(place, _lossy(subject, place, column))
        case _:
            raise NoQuery(subject.kind)


def labels_query(place: Place, column: str) -> str:
    """Return the statement whose rows are the labels in use, and the type that PostgreSQL says they have."""
    name = place.column(column)
    value, kind = (
        (f"{name}::text", f"pg_typeof({name})::text") if place.server == "postgresql" else (name, "''")
    )
    return _select(f"DISTINCT {value}, {kind}", place.sql, "WHERE", name, "IS NOT NULL")


def _select(what: str, source: str, *rest: object) -> str:
    """Return a statement from parts in which every name is quoted."""
    return " ".join(map(str, ("SELECT", what, "FROM", source, *rest)))


def _how_many(rows: str) -> str:
    return _select("count(*)", f"({rows}) AS counted")


def _count(place: Place, condition: str) -> str:
    return _how_many(_select("1", place.sql, "WHERE", condition, "LIMIT", ENOUGH))


def _length(subject: Subject, place: Place, column: str) -> str:
    facts = subject.change.facts
    before, after = facts.get("type_before", "").lower(), facts.get("type_after", "").lower()
    if place.server == "sqlite":
        return f"length({column})"
    if any(each in before for each in _BYTES) or (place.server == "mysql" and after.startswith(_SHORT_TEXTS)):
        return f"octet_length({column})"
    return f"char_length({column}::text)" if place.server == "postgresql" else f"char_length({column})"


def _duplicates(subject: Subject, place: Place) -> str:
    facts = subject.change.facts
    columns = [place.column(each) for each in facts.get("columns", ())]
    if not columns:
        raise NoQuery(subject.kind)
    names = ", ".join(columns)
    if subject.change.kind is ChangeKind.ADD_PRIMARY_KEY:
        nulls = " OR ".join(f"{each} IS NULL" for each in columns)
        return _how_many(
            _select("1", place.sql, "GROUP BY", names, "HAVING count(*) > 1 OR", nulls, "LIMIT 1")
        )
    conditions = [f"{each} IS NOT NULL" for each in columns]
    partial = facts.get("where")
    if partial:
        conditions.append(f"({_checked(partial, place)})")
    where = " AND ".join(conditions)
    return _how_many(
        _select("1", place.sql, "WHERE", where, "GROUP BY", names, "HAVING count(*) > 1 LIMIT 1")
    )


def _orphans(subject: Subject, place: Place, referred: Place | None) -> str:
    facts = subject.change.facts
    columns, others = facts.get("columns", ()), facts.get("referred_columns", ())
    if referred is None or not columns or len(columns) != len(others):
        raise NoQuery(subject.kind)
    there = [f"child.{place.column(each)} IS NOT NULL" for each in columns]
    same = [
        f"parent.{referred.column(other)} = child.{place.column(each)}"
        for each, other in zip(columns, others, strict=True)
    ]
    parents = _select("1", f"{referred.sql} AS parent", "WHERE", " AND ".join(same))
    where = f"{' AND '.join(there)} AND NOT EXISTS ({parents})"
    return _how_many(_select("1", f"{place.sql} AS child", "WHERE", where, "LIMIT", ENOUGH))


def _violations(subject: Subject, place: Place) -> str:
    expression = subject.change.facts.get("expression", "").strip()
    if expression.upper().startswith("CHECK"):
        expression = expression[len("CHECK") :].strip()
        expression = expression.removesuffix("NOT VALID").strip().removesuffix("NO INHERIT").strip()
    if not expression or subject.change.kind is ChangeKind.ADD_EXCLUSION:
        raise NoQuery(subject.kind)
    return _count(place, f"NOT ({_checked(expression, place)})")


def _checked(expression: str, place: Place) -> str:
    """Return *expression* if every name in quotes is a column: SQLite takes others for texts."""
    if place.server == "sqlite":
        known = {each.casefold() for each in place.columns} | {place.name.casefold()}
        for token in tokens_of(expression, "sqlite"):
            if token.kind is TokenKind.NAME and token.value.casefold() not in known:
                raise LookupError(token.value)
    return expression


def _lossy(subject: Subject, place: Place, column: str) -> str:
    facts = subject.change.facts
    before, after = facts.get("type_before", ""), facts.get("type_after", "")
    condition = lossy_condition(place.column(column), before, after, place.server)
    if condition is None:
        raise NoQuery(subject.kind)
    return condition
