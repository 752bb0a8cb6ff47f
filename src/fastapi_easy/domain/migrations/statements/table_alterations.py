"""What the actions of `ALTER TABLE` do."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.columns import read_definition
from fastapi_easy.domain.migrations.statements.constraints import read_constraint
from fastapi_easy.domain.migrations.statements.drops import algorithm_of
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader

_HARMLESS_OF_COLUMNS: Final = ("STATISTICS", "STORAGE", "COMPRESSION")
_OPTIONS: Final = frozenset({"ENGINE", "CONVERT", "CHARACTER", "CHARSET", "COLLATE", "ROW_FORMAT", "DEFAULT"})


def read_alter_table(statement: Reader) -> list[Change]:
    """Return the changes of what stands behind `ALTER TABLE`."""
    if_exists = statement.take("IF", "EXISTS")
    _ = statement.take("ONLY")
    table = statement.qualified_name()
    algorithm = algorithm_of(statement)
    changes = [change for part in statement.parts() for change in _action(table, part)]
    more = Facts(algorithm=algorithm) if algorithm else Facts()
    if if_exists:
        more["if_exists"] = True
    return [
        Change(kind=each.kind, table=each.table, name=each.name, facts=Facts(**{**more, **each.facts}))
        for each in changes
    ]


def _action(table: str, action: Reader) -> list[Change]:
    verb = action.take_any(
        "ADD", "DROP", "ALTER", "MODIFY", "CHANGE", "RENAME", "VALIDATE", "DETACH", "SET", "TRUNCATE"
    )
    match verb:
        case "ADD" | "DROP" | "ALTER" | "MODIFY" | "CHANGE" | "RENAME" | "SET":
            return _READERS[verb](table, action)
        case "VALIDATE":
            action.expect("CONSTRAINT")
            return [Change(kind=ChangeKind.VALIDATE_CONSTRAINT, table=table, name=action.name())]
        case "DETACH":
            facts = Facts(command="detach_partition", concurrently="CONCURRENTLY" in action.words)
            return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=facts)]
        case "TRUNCATE":
            action.expect("PARTITION")
            return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command="truncate"))]
        case _:
            return _option(table, action)


def _add(table: str, action: Reader) -> list[Change]:
    if any(action.sees(each) for each in ("INDEX", "KEY", "FULLTEXT", "SPATIAL")):
        _ = action.take_any("FULLTEXT", "SPATIAL")
        _ = action.take_any("INDEX", "KEY")
        name = "" if action.sees("(") else action.name()
        columns = tuple(each.name() for each in action.in_brackets().parts())
        facts = Facts(columns=columns, unique=False)
        return [Change(kind=ChangeKind.CREATE_INDEX, table=table, name=name, facts=facts)]
    constraint = read_constraint(table, action)
    if constraint is not None:
        return [constraint]
    _ = action.take("COLUMN")
    if_exists = action.take("IF", "NOT", "EXISTS")
    if action.sees("("):
        return [_add_column(table, part, if_exists=False) for part in action.in_brackets().parts()]
    return [_add_column(table, action, if_exists=if_exists)]


def _add_column(table: str, action: Reader, *, if_exists: bool) -> Change:
    name = action.name()
    facts = read_definition(action)
    facts["if_exists"] = if_exists
    return Change(kind=ChangeKind.ADD_COLUMN, table=table, name=name, facts=facts)


def _drop(table: str, action: Reader) -> list[Change]:
    if action.take("PRIMARY", "KEY"):
        return [Change(kind=ChangeKind.DROP_PRIMARY_KEY, table=table)]
    if action.take("PARTITION"):
        return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command="truncate"))]
    kinds = {
        "CONSTRAINT": ChangeKind.DROP_CHECK,
        "CHECK": ChangeKind.DROP_CHECK,
        "INDEX": ChangeKind.DROP_INDEX,
        "KEY": ChangeKind.DROP_INDEX,
    }
    kind = ChangeKind.DROP_FOREIGN_KEY if action.take("FOREIGN", "KEY") else None
    kind = kind or kinds.get(action.take_any(*kinds), ChangeKind.DROP_COLUMN)
    if kind is ChangeKind.DROP_COLUMN:
        _ = action.take("COLUMN")
    if_exists = action.take("IF", "EXISTS")
    name = action.name()
    facts = Facts(if_exists=if_exists, cascade=action.take("CASCADE"))
    _ = action.take("RESTRICT")
    if not action.is_done:
        raise NotUnderstoodError
    return [Change(kind=kind, table=table, name=name, facts=facts)]


def _alter_column(table: str, action: Reader) -> list[Change]:
    _ = action.take("COLUMN")
    name = action.name()
    if action.take("TYPE") or action.take("SET", "DATA", "TYPE"):
        after = action.until("USING", "COLLATE").text
        facts = Facts(type_after=after)
        return [Change(kind=ChangeKind.CHANGE_TYPE, table=table, name=name, facts=facts)]
    if action.take("SET", "NOT", "NULL"):
        return [Change(kind=ChangeKind.SET_NOT_NULL, table=table, name=name)]
    if action.take("DROP", "NOT", "NULL"):
        return [Change(kind=ChangeKind.DROP_NOT_NULL, table=table, name=name)]
    if action.take("SET", "DEFAULT"):
        facts = Facts(default=action.text)
        return [Change(kind=ChangeKind.CHANGE_DEFAULT, table=table, name=name, facts=facts)]
    if action.take("DROP", "DEFAULT"):
        facts = Facts(default=None)
        return [Change(kind=ChangeKind.CHANGE_DEFAULT, table=table, name=name, facts=facts)]
    if action.take("DROP", "EXPRESSION"):
        return [Change(kind=ChangeKind.CHANGE_COMPUTED, table=table, name=name, facts=Facts(computed=None))]
    if action.take("DROP", "IDENTITY") or action.take("ADD", "GENERATED") or action.take("SET", "GENERATED"):
        return [Change(kind=ChangeKind.CHANGE_IDENTITY, table=table, name=name)]
    if action.take("SET") and (action.take_any(*_HARMLESS_OF_COLUMNS) or action.sees("(")):
        return []
    raise NotUnderstoodError


def _modify(table: str, action: Reader) -> list[Change]:
    _ = action.take("COLUMN")
    return _redefine(table, action.name(), action)


def _redefine(table: str, name: str, action: Reader) -> list[Change]:
    facts = read_definition(action)
    changed = Facts(type_after=facts["type_after"], default=facts.get("default"))
    changes = [Change(kind=ChangeKind.CHANGE_TYPE, table=table, name=name, facts=changed)]
    if not facts["nullable"]:
        changes.append(Change(kind=ChangeKind.SET_NOT_NULL, table=table, name=name))
    return changes


def _change(table: str, action: Reader) -> list[Change]:
    _ = action.take("COLUMN")
    before, after = action.name(), action.name()
    renamed = Change(kind=ChangeKind.RENAME_COLUMN, table=table, name=before, facts=Facts(new_name=after))
    return [*([renamed] if before != after else []), *_redefine(table, after, action)]


def _rename(table: str, action: Reader) -> list[Change]:
    if action.take_any("CONSTRAINT", "INDEX", "KEY"):
        return []
    if action.take_any("TO", "AS"):
        facts = Facts(new_name=action.qualified_name())
        return [Change(kind=ChangeKind.RENAME_TABLE, table=table, facts=facts)]
    _ = action.take("COLUMN")
    name = action.name()
    if action.is_done:
        return [Change(kind=ChangeKind.RENAME_TABLE, table=table, facts=Facts(new_name=name))]
    action.expect("TO")
    return [
        Change(kind=ChangeKind.RENAME_COLUMN, table=table, name=name, facts=Facts(new_name=action.name()))
    ]


def _set(table: str, action: Reader) -> list[Change]:
    if action.take_any("UNLOGGED", "LOGGED"):
        return [Change(kind=ChangeKind.RUN_SQL, table=table, facts=Facts(command="set_unlogged"))]
    if action.take("SCHEMA"):
        facts = Facts(new_name=f"{action.name()}.{table.rpartition('.')[2]}")
        return [Change(kind=ChangeKind.RENAME_TABLE, table=table, facts=facts)]
    if action.sees("("):
        return []
    raise NotUnderstoodError


def _option(table: str, action: Reader) -> list[Change]:
    word = action.words[0] if action.words else ""
    if word in {"ALGORITHM", "LOCK", "AUTO_INCREMENT", "OWNER", "WAIT", "NOWAIT"}:
        return []
    if word == "COMMENT":
        return [Change(kind=ChangeKind.CHANGE_COMMENT, table=table)]
    if word in _OPTIONS:
        return [Change(kind=ChangeKind.CHANGE_TABLE_OPTIONS, table=table)]
    raise NotUnderstoodError


_READERS: Final[Mapping[str, Callable[[str, Reader], list[Change]]]] = {
    "ADD": _add,
    "DROP": _drop,
    "ALTER": _alter_column,
    "MODIFY": _modify,
    "CHANGE": _change,
    "RENAME": _rename,
    "SET": _set,
}
