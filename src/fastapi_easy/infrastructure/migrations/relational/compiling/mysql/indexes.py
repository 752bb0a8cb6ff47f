"""Indexes on MySQL and MariaDB: built in place, while readers and writers go on."""

import re
from collections.abc import Sequence
from typing import Final

from alembic.operations.ops import CreateIndexOp, DropIndexOp
from sqlalchemy import Column

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.dropped_index import created_again
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import (
    LONG,
    ONLINE,
    SHARED,
    MySQLSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import MySQLTable
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import index_probe

_CREATE: Final = re.compile(
    r"^CREATE (UNIQUE |FULLTEXT |SPATIAL )?INDEX (?P<name>.*?) ON (?P<rest>.*)$", re.DOTALL
)


def create_index(
    operation: CreateIndexOp,
    changes: tuple[Change, ...],
    situation: MySQLSituation,
    replaced: DropIndexOp | None = None,
    superseded: Sequence[str] = (),
) -> list[Placed]:
    """Return the step that creates an index.

    Args:
        operation: Which one.

        changes: What was detected.

        situation: What is known.

        replaced: The index of the same name that it takes the place of.

        superseded: Clauses that bring back what the server drops for it.
    """
    schema, table = operation.schema, str(operation.table_name)
    index = operation.to_index()
    name = situation.write.index_name(index)
    statement = situation.write.statement(operation)
    stored = situation.stored_table(schema, table)
    adding = f"ADD {index_line(statement, schema, table, situation)}"
    clauses = [adding] if replaced is None else [f"DROP INDEX {situation.quoted(name)}", adding]
    backward = _back(name, replaced, stored, situation)
    columns = tuple(str(each.name) if isinstance(each, Column) else "" for each in index.expressions)
    online = _is_online(adding, columns, stored, situation, schema=schema, table=table)
    step = Step(
        changes=changes,
        summary=f"create {'unique ' if operation.unique else ''}index {name} on {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, *clauses, *([ONLINE] if online else [])),),
        reverse=() if backward is None else (situation.alter(schema, table, *superseded, *backward),),
        reversibility=Reversibility.NONE if backward is None else Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=index_probe(
            schema,
            table,
            name,
            columns=columns,
            unique=bool(operation.unique),
            before=None if stored is None or situation.renamed else stored.keys.get(name),
        ),
        lock="" if online or situation.is_new(schema, table) else SHARED,
        statement_timeout=LONG,
    )
    return [Placed(Phase.INDEXES, step)]


def drop_index(
    operation: DropIndexOp, changes: tuple[Change, ...], situation: MySQLSituation, *, is_needed: bool
) -> list[Placed]:
    """Return the step that drops an index.

    Args:
        operation: Which one.

        changes: What was detected.

        situation: What is known.

        is_needed: A foreign key that stays needs it, until there is another one.
    """
    schema, table = operation.schema, str(operation.table_name)
    name = situation.write.index_name(operation.to_index())
    stored = situation.stored_table(schema, table)
    line = None if stored is None or situation.renamed else stored.keys.get(name)
    again = f"ADD {line}" if line is not None else _created_again(operation, situation)
    options = [ONLINE] if situation.is_online(schema, table) else []
    step = Step(
        changes=changes,
        summary=f"drop index {name} on {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"DROP INDEX {situation.quoted(name)}", *options),),
        reverse=() if again is None else (situation.alter(schema, table, again),),
        reversibility=Reversibility.NONE if again is None else Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=index_probe(schema, table, name, before=line, absent=True),
        statement_timeout=LONG,
    )
    return [Placed(Phase.LATE_INDEX_DROPS if is_needed else Phase.INDEX_DROPS, step)]


def index_line(statement: str, schema: str | None, table: str, situation: MySQLSituation) -> str:
    """Return a `CREATE INDEX` as it stands in a definition of its table."""
    found = _CREATE.match(statement)
    if found is None:
        raise ValueError(f"no CREATE INDEX: {statement}")
    rest = found["rest"].removeprefix(situation.write.table(schema, table)).strip()
    return f"{found[1] or ''}INDEX {found['name']} {rest}"


def _back(
    name: str, replaced: DropIndexOp | None, stored: MySQLTable | None, situation: MySQLSituation
) -> list[str] | None:
    drop = f"DROP INDEX {situation.quoted(name)}"
    if replaced is None:
        return [drop]
    line = None if stored is None or situation.renamed else stored.keys.get(name)
    again = f"ADD {line}" if line is not None else _created_again(replaced, situation)
    return None if again is None else [drop, again]


def _is_online(
    adding: str,
    columns: tuple[str, ...],
    stored: MySQLTable | None,
    situation: MySQLSituation,
    *,
    schema: str | None,
    table: str,
) -> bool:
    if not situation.is_online(schema, table) or adding.startswith(("ADD FULLTEXT", "ADD SPATIAL")):
        return False
    definitions = [] if stored is None else [stored.columns.get(each, "") for each in columns]
    return "" not in columns and not any("GENERATED ALWAYS" in each for each in definitions)


def _created_again(operation: DropIndexOp, situation: MySQLSituation) -> str | None:
    again = created_again(operation)
    if again is None:
        return None
    statement = situation.write.statement(again)
    return f"ADD {index_line(statement, operation.schema, str(operation.table_name), situation)}"
