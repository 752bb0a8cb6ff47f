"""What statements do that read or change rows."""

import itertools
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader
from fastapi_easy.domain.migrations.statements.tokens import TokenKind

_CHANGING: Final = frozenset({"DELETE", "INSERT", "UPDATE", "TRUNCATE", "DROP", "ALTER", "CREATE", "MERGE"})
_BEFORE_UPDATE: Final = frozenset({"FOR", "DO", "KEY", "ON"})
_HARMLESS_FUNCTIONS: Final = frozenset(
    {
        *(
            "COUNT",
            "MIN",
            "MAX",
            "SUM",
            "AVG",
            "COALESCE",
            "NULLIF",
            "LOWER",
            "UPPER",
            "LENGTH",
            "TRIM",
            "CONCAT",
        ),
        *(
            "CAST",
            "EXISTS",
            "IN",
            "ANY",
            "ALL",
            "NOT",
            "AND",
            "OR",
            "WHERE",
            "VALUES",
            "SELECT",
            "FROM",
            "AS",
            "ON",
        ),
        *(
            "NOW",
            "CURRENT_TIMESTAMP",
            "VERSION",
            "ROUND",
            "ABS",
            "SUBSTR",
            "SUBSTRING",
            "CURRENT_SCHEMA",
            "DATABASE",
        ),
        *(
            "IS",
            "UNION",
            "OVER",
            "BY",
            "EXTRACT",
            "DATE",
            "GREATEST",
            "LEAST",
            "CASE",
            "WHEN",
            "THEN",
            "ELSE",
            "USING",
        ),
        *(
            "DISTINCT",
            "HAVING",
            "LIKE",
            "BETWEEN",
            "JOIN",
            "LIMIT",
            "EXCEPT",
            "INTERSECT",
            "FILTER",
            "LATERAL",
        ),
    }
)


def read_data(statement: Reader) -> list[Change]:
    """Return the changes of a statement that reads or changes rows."""
    verb = statement.take_any("SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE", "TRUNCATE")
    _reject_hidden(statement)
    match verb:
        case "TRUNCATE":
            return _truncate(statement)
        case "DELETE":
            return _delete(statement)
        case "UPDATE":
            return _update(statement)
        case "INSERT":
            return _insert(statement)
        case "REPLACE":
            _ = statement.take("INTO")
            return [Change(kind=ChangeKind.BACKFILL, table=statement.qualified_name())]
        case _:
            return _select(statement)


def _reject_hidden(statement: Reader) -> None:
    """Refuse what has another statement within, such as a common table expression that deletes."""
    before = ""
    for word in statement.words:
        if word in _CHANGING and before not in _BEFORE_UPDATE:
            raise NotUnderstoodError
        before = word


def _select(statement: Reader) -> list[Change]:
    rest = statement.rest
    if "INTO" in statement.words:
        raise NotUnderstoodError
    for token, following in itertools.pairwise(rest):
        calls = following.word == "(" and token.kind in {TokenKind.WORD, TokenKind.NAME}
        if calls and token.word not in _HARMLESS_FUNCTIONS:
            raise NotUnderstoodError
    return []


def _truncate(statement: Reader) -> list[Change]:
    _ = statement.take("TABLE")
    _ = statement.take("ONLY")
    names = statement.names()
    facts = Facts(command="truncate", cascade="CASCADE" in statement.words)
    return [Change(kind=ChangeKind.RUN_SQL, table=name, facts=facts) for name in names]


def _delete(statement: Reader) -> list[Change]:
    while statement.take_any("LOW_PRIORITY", "QUICK", "IGNORE"):
        pass
    if not statement.take("FROM"):
        raise NotUnderstoodError
    _ = statement.take("ONLY")
    table = statement.qualified_name()
    _ = statement.until("WHERE")
    command = "delete_where" if statement.take("WHERE") and _names_a_column(statement) else "delete"
    return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command=command))]


def _names_a_column(condition: Reader) -> bool:
    constants = {"TRUE", "NOT", "NULL", "IS", "AND", "OR", "FALSE"}
    return any(
        token.kind is TokenKind.NAME or (token.kind is TokenKind.WORD and token.word not in constants)
        for token in condition.rest
    )


def _update(statement: Reader) -> list[Change]:
    while statement.take_any("LOW_PRIORITY", "IGNORE", "ONLY"):
        pass
    if statement.take("OR"):
        _ = statement.name()
    table = statement.qualified_name()
    _ = statement.until("SET")
    statement.expect("SET")
    assignments = statement.until("WHERE", "FROM", "RETURNING", "ORDER", "LIMIT")
    filled = [column for part in assignments.parts() if (column := _filled_column(part))]
    if statement.take("WHERE"):
        only_nulls = [column for column in filled if _is_null_test(statement, column)]
        filled = only_nulls
    elif not statement.is_done and not statement.sees("RETURNING"):
        filled = []
    return [Change(kind=ChangeKind.BACKFILL, table=table, facts=Facts(columns=tuple(filled)))]


def _filled_column(assignment: Reader) -> str:
    """Return the column that gets a value; empty when it may be null."""
    if assignment.sees("("):
        return ""
    column = assignment.qualified_name().rpartition(".")[2]
    assignment.expect("=")
    tokens = assignment.rest
    is_literal = len(tokens) == 1 and tokens[0].kind in {TokenKind.STRING, TokenKind.NUMBER}
    known = len(tokens) >= 1 and tokens[0].word in {
        "TRUE",
        "FALSE",
        "NOW",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
    }
    return column if is_literal or known else ""


def _is_null_test(condition: Reader, column: str) -> bool:
    copy = Reader("", condition.rest, condition.dialect)
    try:
        return copy.qualified_name().rpartition(".")[2] == column and copy.words == ["IS", "NULL"]
    except NotUnderstoodError:
        return False


def _insert(statement: Reader) -> list[Change]:
    ignores = statement.take("IGNORE")
    if statement.take("OR"):
        how = statement.take_any("IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK")
        if how == "REPLACE":
            _ = statement.take("INTO")
            return [Change(kind=ChangeKind.BACKFILL, table=statement.qualified_name())]
        ignores = ignores or how == "IGNORE"
    _ = statement.take("INTO")
    table = statement.qualified_name()
    words = " ".join(word for word in statement.words if word)
    if ("ON CONFLICT" in words and "DO UPDATE" in words) or "ON DUPLICATE KEY UPDATE" in words:
        return [Change(kind=ChangeKind.BACKFILL, table=table)]
    repeatable = ignores or "DO NOTHING" in words or "NOT EXISTS" in words
    return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command="insert", if_exists=repeatable))]
