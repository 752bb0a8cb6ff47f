"""What `CREATE` statements do."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.columns import read_definition
from fastapi_easy.domain.migrations.statements.drops import algorithm_of
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader

_NAMED: Final = {
    "SCHEMA": ChangeKind.CREATE_SCHEMA,
    "SEQUENCE": ChangeKind.CREATE_SEQUENCE,
    "TYPE": ChangeKind.CREATE_TYPE,
    "DOMAIN": ChangeKind.CREATE_TYPE,
}
_COMMANDS: Final = {
    "EXTENSION": "create_extension",
    "FUNCTION": "create_function",
    "PROCEDURE": "create_function",
}
_OF_TABLES: Final = frozenset(
    {
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "FOREIGN",
        "CHECK",
        "EXCLUDE",
        "INDEX",
        "KEY",
        "LIKE",
        "FULLTEXT",
        "SPATIAL",
    }
)


def read_create(statement: Reader) -> list[Change]:
    """Return the changes of a statement that begins with `CREATE`."""
    statement.expect("CREATE")
    replaces = statement.take("OR", "REPLACE")
    is_unique = statement.take("UNIQUE")
    if is_unique or any(statement.sees(each) for each in ("INDEX", "FULLTEXT", "SPATIAL")):
        _ = statement.take_any("FULLTEXT", "SPATIAL")
        statement.expect("INDEX")
        return [_index(statement, is_unique=is_unique)]
    while statement.take_any("TEMPORARY", "TEMP", "UNLOGGED", "MATERIALIZED", "RECURSIVE"):
        pass
    if statement.take("TABLE"):
        return _table(statement, replaces=replaces)
    if statement.take("VIEW"):
        _ = statement.take("IF", "NOT", "EXISTS")
        facts = Facts(command="create_view", if_exists=replaces)
        return [Change(kind=ChangeKind.RUN_SQL, table=statement.qualified_name(), facts=facts)]
    what = statement.take_any(*_NAMED, *_COMMANDS)
    if not what:
        raise NotUnderstoodError
    if_exists = statement.take("IF", "NOT", "EXISTS") or replaces
    name = statement.qualified_name()
    if what in _NAMED:
        return [Change(kind=_NAMED[what], name=name, facts=Facts(if_exists=if_exists))]
    return [
        Change(kind=ChangeKind.RUN_SQL, name=name, facts=Facts(command=_COMMANDS[what], if_exists=if_exists))
    ]


def _index(statement: Reader, *, is_unique: bool) -> Change:
    facts = Facts(unique=is_unique, concurrently=statement.take("CONCURRENTLY"))
    facts["if_exists"] = statement.take("IF", "NOT", "EXISTS")
    name = "" if statement.sees("ON") else statement.qualified_name()
    if statement.take("USING"):
        facts["method"] = statement.name()
    statement.expect("ON")
    _ = statement.take("ONLY")
    table = statement.qualified_name()
    if statement.take("USING"):
        facts["method"] = statement.name()
    facts["columns"] = tuple(each.text.strip('"`') for each in statement.in_brackets().parts())
    algorithm = algorithm_of(statement)
    if algorithm:
        facts["algorithm"] = algorithm
    if statement.take("INCLUDE"):
        facts["include"] = statement.in_brackets().names()
    _ = statement.until("WHERE")
    if statement.take("WHERE"):
        facts["where"] = statement.text
    return Change(kind=ChangeKind.CREATE_INDEX, table=table, name=name, facts=facts)


def _table(statement: Reader, *, replaces: bool) -> list[Change]:
    if_exists = statement.take("IF", "NOT", "EXISTS")
    facts = Facts(if_exists=if_exists)
    if replaces:
        facts["replaces"] = True
    table = statement.qualified_name()
    if statement.sees("("):
        facts.update(_columns(statement.in_brackets()))
    created = Change(kind=ChangeKind.CREATE_TABLE, table=table, facts=facts)
    if not {"SELECT", "TABLE", "EXECUTE"} & set(statement.words):
        return [created]
    filled = Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command="insert", if_exists=if_exists))
    return [created, filled]


def _columns(body: Reader) -> Facts:
    names, types, refers = [], [], False
    for part in body.parts():
        if part.is_done or part.words[0] in _OF_TABLES:
            continue
        names.append(part.name())
        column = read_definition(part)
        types.append(column["type_after"])
        refers = refers or column.get("inline_references", False)
    facts = Facts(columns=tuple(names), column_types=tuple(types))
    if refers:
        facts["inline_references"] = True
    return facts
