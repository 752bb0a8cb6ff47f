"""Other primary keys on MySQL and MariaDB, in one statement with the columns that have to change with them."""

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.one_alter import Clause
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import MySQLSituation
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase
from fastapi_easy.infrastructure.migrations.relational.operations import ChangePrimaryKeyOp
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import constraint_probe


def change_primary_key(
    operation: ChangePrimaryKeyOp, changes: tuple[Change, ...], situation: MySQLSituation
) -> list[Clause]:
    """Return the clauses that give a table another primary key."""
    schema, table = operation.schema, operation.table
    stored = situation.stored_table(schema, table)
    line = None if stored is None or situation.renamed else stored.primary_key or None
    before = f"ADD {line}" if line else f"ADD PRIMARY KEY ({_listed(operation.before, situation)})"
    after = f"ADD PRIMARY KEY ({_listed(operation.after, situation)})"
    drop = "DROP PRIMARY KEY"
    forward = [*([drop] if operation.before else []), *([after] if operation.after else [])]
    backward = [*([drop] if operation.after else []), *([before] if operation.before else [])]
    return [
        Clause(
            phase=Phase.COLUMN_TYPES,
            schema=schema,
            table=table,
            changes=changes,
            forward=", ".join(forward),
            backward=", ".join(backward),
            probe=constraint_probe(
                schema, table, "PRIMARY", kind="primary", before=line, absent=not operation.after
            ),
            summary=f"change the primary key to {', '.join(operation.after) or 'none'}",
            rewrites=True,
            place=1_000_000,
        )
    ]


def _listed(columns: tuple[str, ...], situation: MySQLSituation) -> str:
    return ", ".join(map(situation.quoted, columns))
