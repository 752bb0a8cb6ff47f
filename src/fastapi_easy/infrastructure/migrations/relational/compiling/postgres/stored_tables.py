"""Stored tables and columns as the statements that create them again, as the catalogue spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi_easy.infrastructure.migrations.relational.compiling.rendering import Renderer
from fastapi_easy.infrastructure.migrations.relational.probing.postgres_catalogue import (
    PostgresCatalogue,
    PostgresColumn,
)

_OID = """(SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND c.relname = CAST(:name AS name)
        AND c.relkind IN ('r', 'p'))"""
_COLUMNS = f"""
    SELECT CAST(attname AS text) AS name FROM pg_catalog.pg_attribute
    WHERE attrelid = {_OID} AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""  # noqa: S608 - constants
_CONSTRAINTS = f"""
    SELECT CAST(conname AS text) AS name, pg_catalog.pg_get_constraintdef(oid) AS definition, convalidated AS validated
    FROM pg_catalog.pg_constraint WHERE conrelid = {_OID} AND contype IN ('p', 'u', 'c', 'x', 'f')
    ORDER BY contype = 'f', contype, conname
"""  # noqa: S608 - constants
_INDEXES = f"""
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS definition FROM pg_catalog.pg_index i
    WHERE i.indrelid = {_OID} AND i.indisvalid
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
    ORDER BY 1
"""  # noqa: S608 - constants
_SEQUENCE = """
    SELECT seqstart AS start, seqincrement AS increment, seqmin AS minimum, seqmax AS maximum, seqcache AS cache,
        seqcycle AS cycle, pg_catalog.format_type(seqtypid, NULL) AS type
    FROM pg_catalog.pg_sequence WHERE seqrelid = CAST(CAST(:sequence AS text) AS regclass)
"""


def created_again(
    catalogue: PostgresCatalogue,
    write: Renderer,
    schema: str | None,
    table: str,
    left_out: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the statements that create a stored table again, empty; none if there is no such table.

    Args:
        catalogue: Where it is.

        write: Writes names.

        schema: Of the table.

        table: Which one.

        left_out: Names of constraints that are created by others.
    """
    names = [each["name"] for each in catalogue.rows(_COLUMNS, schema=schema, name=table)]
    if not names:
        return ()
    on = write.table(schema, table)
    found = [(each, catalogue.column(schema, table, each)) for each in names]
    columns = [_Column(catalogue, write, each, on, name) for name, each in found if each is not None]
    constraints = [
        each
        for each in catalogue.rows(_CONSTRAINTS, schema=schema, name=table)
        if each["name"] not in left_out
    ]
    lines = [each.definition(nullable=None) for each in columns]
    lines += [_constraint(each, write) for each in constraints if each["validated"]]
    body = ",\n    ".join(lines)
    statements = [statement for each in columns for statement in each.before]
    statements.append(f"CREATE TABLE {on} (\n    {body}\n)")
    statements += [
        f"ALTER TABLE {on} ADD {_constraint(each, write)}" for each in constraints if not each["validated"]
    ]
    statements += [each["definition"] for each in catalogue.rows(_INDEXES, schema=schema, name=table)]
    if (comment := catalogue.table_comment(schema, table)) is not None:
        statements.append(f"COMMENT ON TABLE {on} IS {write.literal(comment)}")
    statements += [statement for each in columns for statement in each.after]
    return tuple(statements)


def added_again(
    catalogue: PostgresCatalogue, write: Renderer, schema: str | None, table: str, column: str
) -> tuple[str, ...]:
    """Return the statements that add a stored column again; none if there is no such column.

    It takes NULL where the rows that exist by then would have nothing to put into it.
    """
    found = catalogue.column(schema, table, column)
    if found is None:
        return ()
    on = write.table(schema, table)
    stored = _Column(catalogue, write, found, on, column)
    adding = f"ALTER TABLE {on} ADD COLUMN {stored.definition(nullable=not stored.fills)}"
    return (*stored.before, adding, *stored.after)


def type_clause(catalogue: PostgresCatalogue, schema: str | None, table: str, column: str) -> str | None:
    """Return the stored type of a column with its collation; `None` if there is no such column."""
    stored = catalogue.column(schema, table, column)
    if stored is None:
        return None
    return stored.type + (f" COLLATE {stored.collation}" if stored.collation else "")


class _Column:
    def __init__(
        self, catalogue: PostgresCatalogue, write: Renderer, found: PostgresColumn, on: str, column: str
    ) -> None:
        self._stored = found
        self._name = write.quote(column)
        self._options = ""
        self.before: list[str] = []
        self.after: list[str] = []
        on = f"{on}.{self._name}"
        if found.sequence is not None:
            parameters = _sequence_options(catalogue, found.sequence)
            if found.identity:
                self._options = f" ({parameters['options']})"
            else:
                self.before = [
                    f"CREATE SEQUENCE {found.sequence} AS {parameters['type']} {parameters['options']}"
                ]
                self.after = [f"ALTER SEQUENCE {found.sequence} OWNED BY {on}"]
        if found.comment is not None:
            self.after.append(f"COMMENT ON COLUMN {on} IS {write.literal(found.comment)}")

    @property
    def fills(self) -> bool:
        """Whether rows that exist get a value by themselves."""
        return bool(self._stored.default is not None or self._stored.identity)

    def definition(self, *, nullable: bool | None) -> str:
        """Return the definition of the column; `None` leaves NULL as it is stored."""
        stored = self._stored
        parts = [self._name, stored.type]
        if stored.collation:
            parts.append(f"COLLATE {stored.collation}")
        if stored.generated:
            parts.append(f"GENERATED ALWAYS AS ({stored.default}) {_GENERATED[stored.generated]}")
        elif stored.identity:
            parts.append(f"GENERATED {_IDENTITIES[stored.identity]} AS IDENTITY{self._options}")
        elif stored.default is not None:
            parts.append(f"DEFAULT {stored.default}")
        if not stored.nullable and not nullable:
            parts.append("NOT NULL")
        return " ".join(parts)


_GENERATED: Mapping[str, str] = {"s": "STORED", "v": "VIRTUAL"}
_IDENTITIES: Mapping[str, str] = {"a": "ALWAYS", "d": "BY DEFAULT"}


def identity_clause(catalogue: PostgresCatalogue, schema: str | None, table: str, column: str) -> str | None:
    """Return the stored identity of a column as it stands in its definition; `None` if it has none."""
    stored = catalogue.column(schema, table, column)
    if stored is None or not stored.identity or stored.sequence is None:
        return None
    options = _sequence_options(catalogue, stored.sequence)["options"]
    return f"GENERATED {_IDENTITIES[stored.identity]} AS IDENTITY ({options})"


def _sequence_options(catalogue: PostgresCatalogue, sequence: str) -> Mapping[str, Any]:
    found = catalogue.row(_SEQUENCE, sequence=sequence) or {}
    options = (
        f"START WITH {found['start']} INCREMENT BY {found['increment']} MINVALUE {found['minimum']}"
        f" MAXVALUE {found['maximum']} CACHE {found['cache']} {'CYCLE' if found['cycle'] else 'NO CYCLE'}"
    )
    return {"type": found["type"], "options": options}


def _constraint(row: Mapping[str, Any], write: Renderer) -> str:
    return f"CONSTRAINT {write.quote(row['name'])} {row['definition']}"
