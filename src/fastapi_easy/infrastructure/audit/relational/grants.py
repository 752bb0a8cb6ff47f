"""The SQL with which the owner of the tables of an audit trail lets others use them."""

from collections.abc import Sequence

from fastapi_easy.domain.audit.sealing import COLUMNS
from fastapi_easy.infrastructure.audit.relational.protection import trigger_statements
from fastapi_easy.infrastructure.relational.server import ServerName
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import (
    CHECKPOINTS,
    ENTRIES,
    HEADS,
    SUBJECTS,
)


def grant_statements(server: ServerName, role: str, archiver: str | None = None) -> Sequence[str]:
    """Return what the owner of the tables runs, after a start with `CREATE` rights has created them.

    Args:
        server: Which server it is; nothing has to be granted in a file.

        role: The user of the application, as it is written in SQL.

        archiver: The user that removes what was archived; `None` for nobody.
    """
    triggers = [statement for each in trigger_statements(server).values() for statement in each]
    if server == "sqlite":
        return triggers
    names = ", ".join(table.name for table in (ENTRIES, HEADS, CHECKPOINTS, SUBJECTS))
    # On MySQL a revoke of what was never granted is an error.
    revokes = [f"REVOKE ALL ON {names} FROM PUBLIC, {role}"] if server == "postgresql" else []
    removable = ", ".join(
        f'"{name}"' if server == "postgresql" else f"`{name}`" for name in ("body", *COLUMNS)
    )
    grants = [
        f"GRANT SELECT, INSERT ON {ENTRIES.name} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE ON {HEADS.name} TO {role}",
        f"GRANT SELECT, INSERT ON {CHECKPOINTS.name} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE ON {SUBJECTS.name} TO {role}",
    ]
    if archiver is not None:
        grants += [
            f"GRANT SELECT, UPDATE ({removable}) ON {ENTRIES.name} TO {archiver}",
            f"GRANT SELECT ON {HEADS.name} TO {archiver}",
            f"GRANT SELECT ON {CHECKPOINTS.name} TO {archiver}",
        ]
    return [*triggers, *revokes, *grants]
