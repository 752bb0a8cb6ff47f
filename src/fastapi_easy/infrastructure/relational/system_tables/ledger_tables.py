"""The tables of the ledger of migrations.

Lists are JSON texts. Times are UTC. Every row of a run is written in a transaction that has read the epoch first.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, Text, inspect
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.schema import SchemaItem

from fastapi_easy.infrastructure.relational.column_types import ColumnType, UtcDateTime

_MYSQL: Final = ("mysql", "mariadb")
_BYTEWISE: Final = "utf8mb4_bin"
_tables: Final = MetaData()


def _short(length: int) -> ColumnType:
    return String(length).with_variant(VARCHAR(length, collation=_BYTEWISE), *_MYSQL)


def _long() -> ColumnType:
    return Text().with_variant(LONGTEXT(collation=_BYTEWISE), *_MYSQL)


def _table(name: str, *columns: SchemaItem) -> Table:
    return Table(name, _tables, *columns, mysql_engine="InnoDB")


def _needed(name: str, column_type: ColumnType) -> Column[Any]:
    return Column(name, column_type, nullable=False)


RUN: Final = _table(
    "fe_migration_run",
    Column("run_id", _short(64), primary_key=True),
    # The order in which runs have begun: several may begin at one moment of a coarse clock.
    Column("number", BigInteger, nullable=False, unique=True),
    _needed("plan_id", _short(64)),
    _needed("plan_checksum", _short(64)),
    _needed("parent", _short(64)),
    # The parent while the run is applied, else null: of two runs after the same plan one is refused by the database.
    Column("applied_after", _short(64), unique=True),
    _needed("source", _short(32)),
    _needed("revisions", _long()),
    _needed("state", _short(32)),
    _needed("epoch", BigInteger()),
    _needed("owner", _long()),
    _needed("app_version", _long()),
    _needed("approvals", _long()),
    _needed("declared", _short(64)),
    _needed("schema_before", _short(64)),
    _needed("schema_after", _short(64)),
    _needed("started_at", UtcDateTime(timezone=True)),
    Column("finished_at", UtcDateTime(timezone=True)),
    _needed("plan_document", _long()),
    _needed("error", _long()),
)

STEP: Final = _table(
    "fe_migration_step",
    Column("run_id", _short(64), primary_key=True),
    Column("ix", Integer, primary_key=True, autoincrement=False),
    _needed("kind", _short(64)),
    _needed("object", _long()),
    _needed("summary", _long()),
    _needed("statements", _long()),
    _needed("reverse_statements", _long()),
    _needed("checksum", _short(64)),
    _needed("reversibility", _short(32)),
    _needed("mode", _short(32)),
    _needed("reverse_mode", _short(32)),
    _needed("risk", _short(32)),
    # What becomes of tables: who has created one may drop it.
    _needed("table_changes", _long()),
    _needed("state", _short(32)),
    _needed("attempts", Integer()),
    _needed("progress", _long()),
    Column("started_at", UtcDateTime(timezone=True)),
    Column("finished_at", UtcDateTime(timezone=True)),
    _needed("error", _long()),
)

STATE: Final = _table(
    "fe_migration_state",
    Column("id", Integer, primary_key=True, autoincrement=False),
    _needed("epoch", BigInteger()),
    _needed("head", _short(64)),
    _needed("declared", _short(64)),
    _needed("fingerprint", _short(64)),
)
"""One row, with `id` 1."""

LEDGER_NAMES: Final = frozenset({RUN.name, STEP.name, STATE.name})


def has_ledger(connection: Connection) -> bool:
    """Return whether the ledger is complete: the table of the state is created last."""
    return _has_table(connection, STATE)


def make_ledger(connection: Connection) -> None:
    """Create the tables of the ledger that are missing, after an attempt that was cut off too."""
    for table in (RUN, STEP, STATE):
        if not _has_table(connection, table):
            table.create(connection)


def _has_table(connection: Connection, table: Table) -> bool:
    # Where tables are created: PostgreSQL would find that of another program, in a schema further down the path.
    schema = connection.dialect.default_schema_name if connection.dialect.name == "postgresql" else None
    return inspect(connection).has_table(table.name, schema=schema)
