"""What `DROP` statements do."""

import itertools
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader

_NAMED: Final = {
    "VIEW": ChangeKind.DROP_VIEW,
    "TYPE": ChangeKind.DROP_TYPE,
    "DOMAIN": ChangeKind.DROP_TYPE,
    "SEQUENCE": ChangeKind.DROP_SEQUENCE,
    "SCHEMA": ChangeKind.DROP_SCHEMA,
    "DATABASE": ChangeKind.DROP_SCHEMA,
}
_COMMANDS: Final = {
    **dict.fromkeys(("FUNCTION", "PROCEDURE", "AGGREGATE", "ROUTINE"), "drop_function"),
    "TRIGGER": "drop_trigger",
    "EXTENSION": "drop_extension",
}


def read_drop(statement: Reader) -> list[Change]:
    """Return the changes of a statement that begins with `DROP`."""
    statement.expect("DROP")
    _ = statement.take_any("TEMPORARY", "MATERIALIZED")
    if statement.take("TABLE"):
        facts, names = _names(statement)
        return [Change(kind=ChangeKind.DROP_TABLE, table=name, facts=facts) for name in names]
    if statement.take("INDEX"):
        return _indexes(statement)
    what = statement.take_any(*_NAMED)
    if what:
        facts, names = _names(statement)
        return [Change(kind=_NAMED[what], name=name, facts=facts) for name in names]
    what = statement.take_any(*_COMMANDS)
    if not what:
        raise NotUnderstoodError
    if_exists = statement.take("IF", "EXISTS")
    command = Facts(command=_COMMANDS[what], if_exists=if_exists, cascade="CASCADE" in statement.words)
    return [Change(kind=ChangeKind.RUN_SQL, name=statement.qualified_name(), facts=command)]


def _names(statement: Reader) -> tuple[Facts, tuple[str, ...]]:
    if_exists = statement.take("IF", "EXISTS")
    names = statement.names()
    facts = Facts(if_exists=if_exists, cascade=statement.take("CASCADE"))
    _ = statement.take("RESTRICT")
    if not statement.is_done:
        raise NotUnderstoodError
    return facts, names


def _indexes(statement: Reader) -> list[Change]:
    concurrently = statement.take("CONCURRENTLY")
    if_exists = statement.take("IF", "EXISTS")
    names = statement.names()
    table = statement.qualified_name() if statement.take("ON") else ""
    facts = Facts(concurrently=concurrently, if_exists=if_exists, cascade="CASCADE" in statement.words)
    algorithm = algorithm_of(statement)
    if algorithm:
        facts["algorithm"] = algorithm
    return [Change(kind=ChangeKind.DROP_INDEX, table=table, name=name, facts=facts) for name in names]


def algorithm_of(statement: Reader) -> str:
    """Return the blocking algorithm or lock of MySQL that the rest of *statement* asks for; empty for none."""
    words = [word for word in statement.words if word != "="]
    for keyword, value in itertools.pairwise(words):
        if (keyword, value) in {("ALGORITHM", "COPY"), ("LOCK", "SHARED"), ("LOCK", "EXCLUSIVE")}:
            return value.lower()
    return ""
