"""What statements do about transactions, settings, locks and maintenance."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader
from fastapi_easy.domain.migrations.statements.tokens import TokenKind

_TRANSACTIONS: Final = {
    **dict.fromkeys(("BEGIN", "START"), "begin"),
    **dict.fromkeys(("COMMIT", "END"), "commit"),
    **dict.fromkeys(("ROLLBACK", "ABORT"), "rollback"),
}
_TIMEOUTS: Final = {
    "LOCK_TIMEOUT": "set_lock_timeout",
    "LOCK_WAIT_TIMEOUT": "set_lock_timeout",
    "INNODB_LOCK_WAIT_TIMEOUT": "set_lock_timeout",
    "STATEMENT_TIMEOUT": "set_statement_timeout",
    "MAX_STATEMENT_TIME": "set_statement_timeout",
    "MAX_EXECUTION_TIME": "set_statement_timeout",
}
_HARMLESS_SETTINGS: Final = frozenset({"NAMES", "CLIENT_ENCODING", "APPLICATION_NAME", "CLIENT_MIN_MESSAGES"})
_HARMLESS_PRAGMAS: Final = frozenset(
    {
        "FOREIGN_KEY_CHECK",
        "INTEGRITY_CHECK",
        "QUICK_CHECK",
        "OPTIMIZE",
        "TABLE_INFO",
        "TABLE_LIST",
        "INDEX_LIST",
    }
)


def read_session(statement: Reader) -> list[Change]:
    """Return the changes of a statement about transactions, settings, locks or maintenance."""
    verb = statement.words[0]
    _ = statement.take(verb)
    if verb in _TRANSACTIONS:
        is_partial = verb == "ROLLBACK" and "TO" in statement.words
        return [] if is_partial else [_command(_TRANSACTIONS[verb])]
    match verb:
        case "SAVEPOINT" | "RELEASE" | "SHOW" | "DESCRIBE" | "ANALYZE" | "GRANT":
            return []
        case "EXPLAIN":
            return _explain(statement)
        case "SET":
            return _set(statement)
        case "PRAGMA":
            return _pragma(statement)
        case "COMMENT":
            return _comment(statement)
        case _:
            return _maintenance(verb, statement)


def _maintenance(verb: str, statement: Reader) -> list[Change]:
    words = statement.words
    concurrently = "CONCURRENTLY" in words
    match verb:
        case "LOCK" if statement.dialect == "postgresql":
            _ = statement.take("TABLE")
            _ = statement.take("ONLY")
            return [_command("lock_table", table=name) for name in statement.names()]
        case "REINDEX":
            while statement.take_any("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM", "CONCURRENTLY"):
                pass
            if statement.sees("("):
                _ = statement.in_brackets()
            while statement.take_any("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM", "CONCURRENTLY"):
                pass
            facts = Facts(command="reindex", concurrently=concurrently)
            name = "" if statement.is_done else statement.qualified_name()
            is_table = "TABLE" in words
            return [
                Change(
                    kind=ChangeKind.RUN_SQL,
                    table=name if is_table else "",
                    name="" if is_table else name,
                    facts=facts,
                )
            ]
        case "VACUUM":
            command = "vacuum_full" if "FULL" in words else "vacuum"
            return [_command(command, table=_last_name(statement))]
        case "CLUSTER":
            return [_command("cluster", table="" if statement.is_done else statement.qualified_name())]
        case "REFRESH":
            statement.expect("MATERIALIZED", "VIEW")
            _ = statement.take("CONCURRENTLY")
            view = statement.qualified_name()
            facts = Facts(command="refresh_view", concurrently=concurrently)
            return [Change(kind=ChangeKind.RUN_SQL, table=view, facts=facts)]
        case _:
            raise NotUnderstoodError


def _command(command: str, *, table: str = "") -> Change:
    return Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command=command))


def _last_name(statement: Reader) -> str:
    while statement.take_any("FULL", "FREEZE", "VERBOSE", "ANALYZE"):
        pass
    if statement.sees("("):
        _ = statement.in_brackets()
    return "" if statement.is_done else statement.qualified_name()


def _explain(statement: Reader) -> list[Change]:
    if "ANALYZE" in statement.words:
        raise NotUnderstoodError
    return []


def _set(statement: Reader) -> list[Change]:
    commands = []
    for part in statement.parts():
        _ = part.take_any("LOCAL", "SESSION", "GLOBAL")
        while part.take("@"):
            pass
        if part.take("SESSION"):
            part.expect(".")
        name = part.name().upper()
        if name in _HARMLESS_SETTINGS:
            continue
        _ = part.take_any("=", "TO")
        if name == "SQL_MODE":
            commands.append(_command("set_sql_mode"))
        elif name in _TIMEOUTS:
            off = _is_off(part)
            commands.append(_command(f"{_TIMEOUTS[name]}_off" if off else _TIMEOUTS[name]))
        else:
            raise NotUnderstoodError
    return commands


def _is_off(value: Reader) -> bool:
    tokens = value.rest
    if not tokens or tokens[0].word == "DEFAULT":
        return True
    number = tokens[0].value.strip() if tokens[0].kind in {TokenKind.NUMBER, TokenKind.STRING} else "0"
    return not number.strip("0smin hd.")


def _pragma(statement: Reader) -> list[Change]:
    name = statement.qualified_name().rpartition(".")[2].upper()
    if name not in _HARMLESS_PRAGMAS or "=" in statement.words:
        raise NotUnderstoodError
    return []


def _comment(statement: Reader) -> list[Change]:
    statement.expect("ON")
    if statement.take("TABLE"):
        return [Change(kind=ChangeKind.CHANGE_COMMENT, table=statement.qualified_name())]
    if statement.take("COLUMN"):
        table, _, column = statement.qualified_name().rpartition(".")
        return [Change(kind=ChangeKind.CHANGE_COMMENT, table=table, name=column)]
    return []
