"""What a database looks like, in the server's own words: compared instead of asking the code under test."""

import re
from typing import Any

from sqlalchemy import Connection, text

POSTGRES = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, l.collname,
            col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {mine}""",
    "constraints": """
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE {mine}""",
    "indexes": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE {mine}""",
    "tables": "SELECT c.relname, c.relkind::text, obj_description(c.oid, 'pg_class') FROM pg_class c"
    " WHERE c.relkind IN ('r', 'p', 'S', 'v') AND {mine}",
    "types": """
        SELECT c.typname, (SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum
            WHERE enumtypid = c.oid)
        FROM pg_type c WHERE c.typtype IN ('e', 'd') AND c.typnamespace IN
            (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')""",
    "schemas": "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_'",
}
MINE = "c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"


def picture_of(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        return {
            name: sorted(map(repr, connection.execute(text(each.format(mine=MINE).replace(":", "\\:")))))
            for name, each in POSTGRES.items()
        }
    tables = connection.execute(text("SHOW TABLES")).scalars().all()
    return {each: sorted(lines(connection, each)) for each in tables}


def lines(connection: Connection, table: str) -> list[str]:
    """The lines of a table's definition, in no order: an added column is the last one."""
    definition = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
    return [re.sub(r" AUTO_INCREMENT=\d+", "", each.rstrip(",")) for each in definition.splitlines()]


def rows_of(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = "SHOW TABLES"
    if connection.dialect.name == "postgresql":
        names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    quote = connection.dialect.identifier_preparer.quote_identifier
    tables = connection.execute(text(names)).scalars().all()
    counts = {each: f"SELECT count(*) FROM {quote(each)}" for each in tables}
    return {each: connection.exec_driver_sql(count).scalar_one() for each, count in counts.items()}
