"""Which tables are the system's own."""

from typing import Final

from sqlalchemy import Connection, Table, inspect

from fastapi_easy.domain.outbox.tables import INBOX
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import AUDIT_NAMES, AUDIT_TABLES
from fastapi_easy.infrastructure.relational.system_tables.fence_table import FENCE
from fastapi_easy.infrastructure.relational.system_tables.generations_table import GENERATIONS_TABLE
from fastapi_easy.infrastructure.relational.system_tables.idempotency_table import CALLS
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.infrastructure.relational.system_tables.lease_tables import LEASE_NAMES, lease_tables
from fastapi_easy.infrastructure.relational.system_tables.ledger_tables import LEDGER_NAMES

UNCOMPARED: Final = LEDGER_NAMES | {"alembic_version"}
"""The tables that no comparison looks at: the ledger, and that of Alembic."""

_FIRST_NEEDED: Final = (FENCE, CALLS, GENERATIONS_TABLE, table_of(INBOX))

UNTRACKED: Final = UNCOMPARED | LEASE_NAMES | AUDIT_NAMES | {each.name for each in _FIRST_NEEDED}
"""The tables that no fingerprint is made of: those above, and those that are created when they are first needed."""

_PREFIX: Final = "fe_"


def is_own(table: str) -> bool:
    """Return whether *table* belongs to the system: one that is not in use at the moment is kept as well."""
    bare = table.rpartition(".")[2]
    return bare in UNCOMPARED or bare.startswith(_PREFIX)


def existing_own_tables(connection: Connection) -> list[Table]:
    """Return the tables that are created when they are first needed, as they should be, if they exist."""
    stored = set(inspect(connection).get_table_names())
    tables = [*_FIRST_NEEDED, *lease_tables().sorted_tables, *AUDIT_TABLES.sorted_tables]
    return [each for each in tables if each.name in stored]
