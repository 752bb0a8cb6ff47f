"""What `ALTER` and `RENAME` statements do."""

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.statements.reader import NotUnderstoodError, Reader
from fastapi_easy.domain.migrations.statements.table_alterations import read_alter_table


def read_alter(statement: Reader) -> list[Change]:
    """Return the changes of a statement that begins with `ALTER` or `RENAME`."""
    if statement.take("RENAME"):
        return _rename_tables(statement)
    statement.expect("ALTER")
    if statement.take("TABLE"):
        return read_alter_table(statement)
    if statement.take("TYPE"):
        return [_alter_type(statement)]
    if statement.take("SCHEMA"):
        name = statement.name()
        statement.expect("RENAME", "TO")
        return [Change(kind=ChangeKind.RENAME_SCHEMA, name=name, facts=Facts(new_name=statement.name()))]
    what = statement.take_any("INDEX", "SEQUENCE")
    if not what or "ATTACH" in statement.words or (what == "SEQUENCE" and "RENAME" in statement.words):
        raise NotUnderstoodError
    _ = statement.take("IF", "EXISTS")
    command = f"alter_{what.lower()}"
    return [Change(kind=ChangeKind.RUN_SQL, name=statement.qualified_name(), facts=Facts(command=command))]


def _rename_tables(statement: Reader) -> list[Change]:
    statement.expect("TABLE")
    _ = statement.take("IF", "EXISTS")
    renamed = []
    for part in statement.parts():
        table = part.qualified_name()
        part.expect("TO")
        facts = Facts(new_name=part.qualified_name())
        renamed.append(Change(kind=ChangeKind.RENAME_TABLE, table=table, facts=facts))
    return renamed


def _alter_type(statement: Reader) -> Change:
    name = statement.qualified_name()
    if statement.take("ADD", "VALUE"):
        if_exists = statement.take("IF", "NOT", "EXISTS")
        label = statement.name()
        facts = Facts(labels=(label,), if_exists=if_exists)
        return Change(kind=ChangeKind.ADD_ENUM_LABEL, name=f"{name}.{label}", facts=facts)
    if statement.take("RENAME", "VALUE"):
        label = statement.name()
        statement.expect("TO")
        facts = Facts(new_name=statement.name())
        return Change(kind=ChangeKind.RENAME_ENUM_LABEL, name=f"{name}.{label}", facts=facts)
    raise NotUnderstoodError
