"""The statements that put a wall of row-level security around the rows of a table, and the check that it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import IdentifierPreparer

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.relational.row_security.setting import TENANT_SETTING

POLICY: Final = "fastapi_easy_tenant"
"""The name of the policy on each table."""

_SETTING: Final = f"nullif(current_setting('{TENANT_SETTING}', true), '')"
_UUID: Final = "'^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$'"
_BIGINT: Final = "-9223372036854775808 AND 9223372036854775807"

_QUESTION: Final = text(
    """
    SELECT role.rolsuper OR role.rolbypassrls AS passes, role.rolname AS role,
           class.relrowsecurity AS enabled,
           class.relforcerowsecurity OR class.relowner <> role.oid AS binds,
           (SELECT count(*) FROM pg_policy AS policy WHERE policy.polrelid = class.oid AND policy.polname = :policy
               AND pg_get_expr(policy.polqual, class.oid) LIKE :setting) AS own,
           (SELECT string_agg(policy.polname, ', ') FROM pg_policy AS policy WHERE policy.polrelid = class.oid
               AND policy.polpermissive AND policy.polname <> :policy) AS others
    FROM pg_roles AS role LEFT JOIN pg_class AS class ON class.oid = to_regclass(:table)
    WHERE role.rolname = current_user
    """
)


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall around the rows of one table.

    Attributes:
        resource: The name of the resource whose entities they are.

        table: The table.

        column: Its column that says to which tenant a row belongs.

        kind: What the values of that column are.
    """

    resource: str
    table: Table
    column: Column[Any]
    kind: Kind

    @property
    def name(self) -> str:
        """The table as it is named in SQL."""
        return _PREPARER.format_table(self.table)

    @property
    def statements(self) -> Sequence[str]:
        """What builds the wall, or builds it anew; also for the owner of the table."""
        table, condition = (
            self.name,
            f"{_PREPARER.format_column(self.column)} = (SELECT {_tenant_as(self.kind)})",
        )
        return (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS {POLICY} ON {table}",
            f"CREATE POLICY {POLICY} ON {table} USING ({condition})",
        )


_PREPARER: Final[IdentifierPreparer] = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]


def find_gaps(connection: Connection, walls: Sequence[Wall]) -> list[str]:
    """Return why the role of *connection* is not held by each of *walls*, each a sentence with its mend."""
    gaps = []
    for wall in walls:
        found = connection.execute(
            _QUESTION, {"policy": POLICY, "setting": f"%{TENANT_SETTING}%", "table": wall.name}
        ).one()
        if found.passes:
            gaps.append(
                f"row_security: the role {found.role!r} is a superuser, or has BYPASSRLS, whom no row-level security "
                "holds: connect as another role, and let this one own the tables"
            )
            break
        if not (found.enabled and found.binds and found.own):
            gaps.append(
                f"{wall.resource}: table {wall.name} has no row-level security for tenants that holds the role "
                f"{found.role!r}: let its owner run what `fastapi-easy tenants row-security` prints"
            )
        elif found.others:
            gaps.append(
                f"{wall.resource}: table {wall.name} has other policies, {found.others}, which let more rows through: "
                "make them restrictive, or drop them"
            )
    return gaps


def _tenant_as(kind: Kind) -> str:
    """Return the tenant of the transaction as a value of *kind*; null when it is none."""
    match kind:
        case Kind.INTEGER:
            return (
                f"CASE WHEN {_SETTING} !~ '^-?[0-9]{{1,19}}$' THEN NULL WHEN {_SETTING}::numeric NOT BETWEEN {_BIGINT}"
                f" THEN NULL ELSE {_SETTING}::bigint END"
            )
        case Kind.UUID:
            return f"CASE WHEN {_SETTING} ~* {_UUID} THEN {_SETTING}::uuid END"
        case Kind.TEXT:
            return _SETTING
        case _:
            raise AssertionError(f"no tenant is a {kind}: the declaration refuses it")
