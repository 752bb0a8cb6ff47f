"""The changes that SQL texts make, as far as they can be read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.statements.alterations import read_alter
from fastapi_easy.domain.migrations.statements.creations import read_create
from fastapi_easy.domain.migrations.statements.data import read_data
from fastapi_easy.domain.migrations.statements.drops import read_drop
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader
from fastapi_easy.domain.migrations.statements.sessions import read_session
from fastapi_easy.domain.migrations.statements.tokens import Token, UnreadableError, tokens_of

_COMPOUND: Final = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE", "EVENT"})


def changes_in(sql: str, dialect: Dialect) -> list[Change]:
    """Return the changes that the statements of *sql* make, in their order.

    Each has the fact `statement`. What a statement does for which there is no kind is `RUN_SQL` with the fact
    `command`; one that cannot be read is `RUN_SQL` without it. Statements that change nothing give no change.
    """
    if dialect == "mongodb":
        return [_opaque(sql)]
    try:
        tokens = tokens_of(sql, dialect)
    except UnreadableError:
        return [_opaque(sql)]
    return [
        change for statement in _statements(tokens) for change in _changes_of(Reader(sql, statement, dialect))
    ]


def split_statements(sql: str, dialect: Dialect) -> list[str]:
    """Return the statements of *sql* as they are written, one each; what cannot be read stays in one piece."""
    try:
        tokens = tokens_of(sql, dialect)
    except UnreadableError:
        return [sql.strip()] if sql.strip() else []
    return [sql[each[0].start : each[-1].end] for each in _statements(tokens)]


def expanded(changes: Iterable[Change], dialect: Dialect) -> Iterator[Change]:
    """Yield *changes*, with those that their statements make in place of `RUN_SQL`."""
    for change in changes:
        text = change.facts.get("statement", "")
        if change.kind is not ChangeKind.RUN_SQL or "command" in change.facts or not text.strip():
            yield change
            continue
        for found in changes_in(text, dialect):
            facts = Facts(**found.facts)
            if "reversible" in change.facts:
                facts["reversible"] = change.facts["reversible"]
            if "declared_risk" in change.facts:
                facts["declared_risk"] = change.facts["declared_risk"]
            is_same = found.kind is ChangeKind.RUN_SQL and "command" not in facts
            named = (change.table, change.name) if is_same else (found.table, found.name)
            yield Change(kind=found.kind, table=named[0], name=named[1], facts=facts)


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for index, token in enumerate(tokens):
        if _is_compound(statement):
            # Where it ends, only the server knows: the rest is one.
            yield [*statement, *tokens[index:]]
            return
        if token.word == ";":
            if statement:
                yield statement
            statement = []
        else:
            statement.append(token)
    if statement:
        yield statement


def _is_compound(statement: Sequence[Token]) -> bool:
    words = [token.word for token in statement]
    return (
        len(words) > 1 and words[0] == "CREATE" and words[-1] == "BEGIN" and bool(_COMPOUND & set(words[:8]))
    )


def _changes_of(statement: Reader) -> list[Change]:
    text = statement.text
    try:
        found = _read(statement)
    except NotUnderstoodError:
        return [_opaque(text)]
    return [
        Change(
            kind=each.kind,
            table=each.table,
            name=each.name,
            facts=Facts(**{**each.facts, "statement": text}),
        )
        for each in found
    ]


def _read(statement: Reader) -> list[Change]:
    match statement.words[0]:
        case "CREATE":
            return read_create(statement)
        case "DROP":
            return read_drop(statement)
        case "ALTER" | "RENAME":
            return read_alter(statement)
        case "SELECT" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "TRUNCATE":
            return read_data(statement)
        case _:
            return read_session(statement)


def _opaque(text: str) -> Change:
    return Change(kind=ChangeKind.RUN_SQL, facts=Facts(statement=text.strip()))
