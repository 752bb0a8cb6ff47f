"""What hangs on a column and would go with it, or stand in its way: indexes and constraints."""

from dataclasses import dataclass

from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import PostgresSituation

_OID = """(SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(:schema AS name), current_schema()) AND c.relname = CAST(:name AS name)
        AND c.relkind IN ('r', 'p'))"""
_CONSTRAINTS = f"""
    SELECT DISTINCT CAST(k.conname AS text) AS name, pg_catalog.pg_get_constraintdef(k.oid) AS definition,
        k.contype = 'f' AS is_reference
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attname = CAST(:column AS name)
    WHERE k.conrelid = {_OID} AND k.contype IN ('p', 'u', 'c', 'x', 'f') AND a.attnum = ANY (k.conkey)
        AND (NOT CAST(:expressions_only AS boolean) OR k.contype IN ('c', 'x'))
    ORDER BY is_reference, name
"""  # noqa: S608 - constants
_INDEXES = f"""
    SELECT DISTINCT CAST(x.relname AS text) AS name, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attname = CAST(:column AS name)
    WHERE i.indrelid = {_OID}
        AND (a.attnum = ANY (CAST(i.indkey AS smallint[])) OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
            WHERE d.objid = i.indexrelid AND d.classid = CAST('pg_class' AS regclass) AND d.refobjid = i.indrelid
                AND d.refclassid = CAST('pg_class' AS regclass) AND d.refobjsubid = a.attnum))
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
        AND (NOT CAST(:expressions_only AS boolean) OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
    ORDER BY 1
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Dependents:
    """Statements around those that take a column away for a moment.

    Attributes:
        drop: In front.

        create: Afterwards.
    """

    drop: tuple[str, ...] = ()
    create: tuple[str, ...] = ()


def dependents(
    schema: str | None,
    table: str,
    column: str,
    situation: PostgresSituation,
    *,
    expressions_only: bool = True,
) -> Dependents:
    """Return what is dropped before a column is replaced, or gets another type, and created again afterwards.

    Args:
        schema: Of the table.

        table: That has the column.

        column: Which one.

        situation: What is known.

        expressions_only: Leave out what PostgreSQL adapts to another type by itself.
    """
    catalogue = situation.catalogue
    if catalogue is None:
        return Dependents()
    write = situation.write
    parameters = {"schema": schema, "name": table, "column": column, "expressions_only": expressions_only}
    constraints = catalogue.rows(_CONSTRAINTS, **parameters)
    indexes = catalogue.rows(_INDEXES, **parameters)
    on = write.table(schema, table)
    return Dependents(
        drop=(
            *(
                f"ALTER TABLE {on} DROP CONSTRAINT {write.quote(each['name'])}"
                for each in reversed(constraints)
            ),
            *(f"DROP INDEX {write.table(schema, each['name'])}" for each in indexes),
        ),
        create=(
            *(each["definition"] for each in indexes),
            *(
                f"ALTER TABLE {on} ADD CONSTRAINT {write.quote(each['name'])} {each['definition']}"
                for each in constraints
            ),
        ),
    )
