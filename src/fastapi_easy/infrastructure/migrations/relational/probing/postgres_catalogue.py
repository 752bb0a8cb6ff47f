"""What PostgreSQL's catalogue says of single objects, in the server's own spelling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_RELATION = """
    SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND c.relname = CAST(:name AS name)
"""
_COLUMN = f"""
    SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS "default", CAST(a.attidentity AS text) AS identity,
        CAST(a.attgenerated AS text) AS generated, pg_catalog.col_description(a.attrelid, a.attnum) AS comment,
        CASE WHEN a.attcollation <> t.typcollation THEN
            (SELECT quote_ident(o.collname) FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation)
        END AS collation,
        pg_catalog.pg_get_serial_sequence(
            quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) AS sequence
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid IN ({_RELATION}) AND a.attname = CAST(:column AS name) AND NOT a.attisdropped
"""  # noqa: S608 - constants
_INDEX = """
    SELECT i.indisvalid AND i.indisready AS valid, i.indisunique AS "unique",
        pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, t.relname AS "table",
        ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, true)
            FROM generate_series(1, i.indnkeyatts) k) AS columns
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND c.relname = CAST(:name AS name)
"""
_CONSTRAINT = f"""
    SELECT CAST(contype AS text) AS kind, convalidated AS validated, pg_catalog.pg_get_constraintdef(oid) AS definition
    FROM pg_catalog.pg_constraint
    WHERE conrelid IN ({_RELATION}) AND conname = CAST(:constraint AS name)
"""  # noqa: S608 - constants
_LABELS = """
    SELECT CAST(t.typtype AS text), ARRAY(SELECT CAST(enumlabel AS text) FROM pg_catalog.pg_enum
        WHERE enumtypid = t.oid ORDER BY enumsortorder)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND t.typname = CAST(:name AS name)
        AND t.typtype IN ('e', 'd')
"""
_CAST = """
    SELECT s.typcategory IN ('S', 'A', 'E', 'U') OR t.typcategory IN ('S', 'A') OR s.oid = t.oid
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_cast WHERE castsource = s.oid AND casttarget = t.oid)
    FROM pg_catalog.pg_type s, pg_catalog.pg_type t
    WHERE s.oid = to_regtype(CAST(:before AS text)) AND t.oid = to_regtype(CAST(:after AS text))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresColumn:
    """A stored column.

    Attributes:
        type: With its arguments.

        nullable: Whether it takes NULL.

        default: The expression of its default, or of what it is computed from; `None` for none.

        identity: `a` for always, `d` for by default, or empty.

        generated: `s` for stored, `v` for virtual, or empty.

        comment: `None` for none.

        collation: Quoted; `None` when it is that of the type.

        sequence: The sequence it owns, quoted, with its schema.
    """

    type: str
    nullable: bool
    default: str | None
    identity: str
    generated: str
    comment: str | None
    collation: str | None
    sequence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresIndex:
    """A stored index.

    Attributes:
        valid: It was built to its end.

        unique: Its keys are.

        definition: The whole `CREATE INDEX`.

        table: The name of its table.

        columns: Its columns and expressions.
    """

    valid: bool
    unique: bool
    definition: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresConstraint:
    """A stored constraint.

    Attributes:
        kind: `c`, `f`, `p`, `u` or `x`.

        validated: Every row keeps to it.

        definition: What follows its name in `ADD CONSTRAINT`.
    """

    kind: str
    validated: bool
    definition: str


@dataclass(frozen=True, slots=True)
class PostgresCatalogue:
    """Reads PostgreSQL's catalogue.

    Args:
        connection: What is asked; nothing is written.
    """

    connection: Connection

    def column(self, schema: str | None, table: str, column: str) -> PostgresColumn | None:
        """Return a column; `None` if there is none of that name."""
        row = self.row(_COLUMN, schema=schema, name=table, column=column)
        return None if row is None else PostgresColumn(**row)

    def index(self, schema: str | None, name: str) -> PostgresIndex | None:
        """Return an index; `None` if there is none of that name."""
        row = self.row(_INDEX, schema=schema, name=name)
        return None if row is None else PostgresIndex(**{**row, "columns": tuple(row["columns"])})

    def constraint(self, schema: str | None, table: str, name: str) -> PostgresConstraint | None:
        """Return a constraint of *table*; `None` if there is none of that name."""
        row = self.row(_CONSTRAINT, schema=schema, name=table, constraint=name)
        return None if row is None else PostgresConstraint(**row)

    def labels(self, schema: str | None, name: str) -> tuple[str, ...] | None:
        """Return the labels of an enumeration, in their order; none for a domain, and `None` if there is no type."""
        found = self.connection.execute(text(_LABELS), {"schema": schema, "name": name}).first()
        return None if found is None else tuple(found[1])

    def relation_kind(self, schema: str | None, name: str) -> str | None:
        """Return `r` for a table, `p` for a partitioned one, `S` for a sequence, `v` for a view; `None` for nothing."""
        found: str | None = self.scalar(
            f"SELECT CAST(relkind AS text) FROM pg_catalog.pg_class WHERE oid IN ({_RELATION})",  # noqa: S608
            schema=schema,
            name=name,
        )
        return found

    def has_schema(self, name: str) -> bool:
        """Tell whether there is a schema of that name."""
        found = self.scalar(
            "SELECT CAST(nspname AS text) FROM pg_catalog.pg_namespace WHERE nspname = CAST(:name AS name)",
            name=name,
        )
        return found is not None

    def table_comment(self, schema: str | None, table: str) -> str | None:
        """Return the comment of a table; `None` for none."""
        found: str | None = self.scalar(
            "SELECT pg_catalog.obj_description(oid, 'pg_class')"  # noqa: S608 - a constant
            f" FROM pg_catalog.pg_class WHERE oid IN ({_RELATION})",
            schema=schema,
            name=table,
        )
        return found

    def has_cast(self, before: str, after: str) -> bool:
        """Tell whether `CAST` converts one type to another, as far as that is known of types that exist."""
        found = self.scalar(_CAST, before=before.partition("(")[0], after=after.partition("(")[0])
        return found is not False

    def row(self, statement: str, **parameters: Any) -> Mapping[str, Any] | None:
        """Return the first row of *statement*; `None` for none."""
        found = self.connection.execute(text(statement), parameters).mappings().first()
        return None if found is None else dict(found)

    def rows(self, statement: str, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        """Return every row of *statement*."""
        return [dict(each) for each in self.connection.execute(text(statement), parameters).mappings()]

    def scalar(self, statement: str, **parameters: Any) -> Any:
        """Return the first value of *statement*; `None` for none."""
        return self.connection.execute(text(statement), parameters).scalar()
