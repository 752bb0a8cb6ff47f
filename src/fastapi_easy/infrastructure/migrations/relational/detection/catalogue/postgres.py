"""What the catalogue of PostgreSQL says of tables, in one statement."""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    OF_EXTENSION,
    CheckShape,
    ColumnShape,
    IndexShape,
    KeyShape,
    Numbering,
    ReferenceShape,
    SchemaShape,
    TableShape,
    UniqueShape,
)

IN_TEMPORARY_SCHEMA: Final = "n.oid = pg_my_temp_schema()"
"""The tables that this connection has made for itself."""

_STATEMENT: Final = """
WITH relation AS (
  SELECT c.oid::int8 AS id, c.relname AS name, n.nspname AS schema, c.relkind AS kind, c.relispartition AS part,
    obj_description(c.oid, 'pg_class') AS comment,
    EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
      AND e.deptype = 'e') AS extension
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ({schemas})
), wanted AS (
  SELECT id::oid AS oid FROM relation r WHERE kind IN ('r', 'p') AND NOT extension AND ({tables})
), columns AS (
  SELECT a.attrelid::int8 AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable, pg_get_expr(d.adbin, d.adrelid) AS default, a.attgenerated AS generated,
    a.attidentity AS identity, col_description(a.attrelid, a.attnum) AS comment,
    CASE WHEN a.attcollation <> t.typcollation THEN co.collname END AS collation,
    coalesce(e.typname, ie.typname) AS enumeration, coalesce(en.nspname, ien.nspname) AS enumeration_schema,
    s.kind AS owned, s.options
  FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e ON e.oid = t.oid AND e.typtype = 'e' LEFT JOIN pg_namespace en ON en.oid = e.typnamespace
    LEFT JOIN pg_type ie ON ie.oid = t.typelem AND ie.typtype = 'e'
    LEFT JOIN pg_namespace ien ON ien.oid = ie.typnamespace
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN LATERAL (
      SELECT p.deptype AS kind, concat_ws(' ', 'start', q.seqstart, 'increment', q.seqincrement, 'min', q.seqmin, 'max',
        q.seqmax, 'cache', q.seqcache, CASE WHEN q.seqcycle THEN 'cycle' END) AS options
      FROM pg_depend p JOIN pg_sequence q ON q.seqrelid = p.objid
      WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid
        AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i') LIMIT 1
    ) s ON true
  ORDER BY a.attrelid, a.attnum
), constraints AS (
  SELECT k.conrelid::int8 AS table, k.conname AS name, k.contype AS kind, k.convalidated AS valid,
    k.condeferrable AS deferrable, k.condeferred AS deferred, k.confdeltype AS on_delete, k.confupdtype AS on_update,
    k.confmatchtype AS match, pg_get_expr(k.conbin, k.conrelid) AS expression, f.relname AS referred_table,
    fn.nspname AS referred_schema,
    CASE WHEN k.contype = 'x' THEN pg_get_constraintdef(k.oid) END AS definition,
    (SELECT array_agg(a.attname ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY u (attnum, n)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) AS columns,
    (SELECT array_agg(a.attname ORDER BY u.n) FROM unnest(k.confkey) WITH ORDINALITY u (attnum, n)
      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum) AS referred,
    (SELECT to_jsonb(i) ->> 'indnullsnotdistinct' FROM pg_index i WHERE i.indexrelid = k.conindid) AS not_distinct
  FROM wanted w JOIN pg_constraint k ON k.conrelid = w.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x')
    LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
), indexes AS (
  SELECT i.indrelid::int8 AS table, ic.relname AS name, i.indisunique AS unique, i.indisvalid AS valid,
    m.amname AS method, pg_get_expr(i.indpred, i.indrelid) AS where, ic.reloptions AS options,
    to_jsonb(i) ->> 'indnullsnotdistinct' AS not_distinct, i.indnkeyatts AS keys,
    (SELECT json_agg(json_build_object('column', a.attname, 'text', pg_get_indexdef(i.indexrelid, g.n, true),
        'descending', i.indoption[g.n - 1] & 1 = 1, 'nulls_first', i.indoption[g.n - 1] & 2 = 2,
        'operators', CASE WHEN NOT o.opcdefault THEN o.opcname END,
        'collation', CASE WHEN lc.oid <> coalesce(a.attcollation, 100::oid) THEN lc.collname END) ORDER BY g.n)
      FROM generate_series(1, i.indnatts::int) g (n)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g.n - 1]
        LEFT JOIN pg_opclass o ON o.oid = i.indclass[g.n - 1]
        LEFT JOIN pg_collation lc ON lc.oid = i.indcollation[g.n - 1]) AS elements
  FROM wanted w JOIN pg_index i ON i.indrelid = w.oid JOIN pg_class ic ON ic.oid = i.indexrelid
    JOIN pg_am m ON m.oid = ic.relam
  WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
    AND k.contype IN ('p', 'u', 'x'))
), enumerations AS (
  SELECT n.nspname AS schema, t.typname AS name, array_agg(l.enumlabel ORDER BY l.enumsortorder) AS labels,
    (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(un.nspname, u.relname)), '[]')
      FROM pg_attribute a JOIN pg_class u ON u.oid = a.attrelid AND u.relkind IN ('r', 'p')
        JOIN pg_namespace un ON un.oid = u.relnamespace
      WHERE a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped) AS users
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum l ON l.enumtypid = t.oid
  WHERE ({schemas}) GROUP BY n.nspname, t.typname, t.oid, t.typarray
), triggers AS (
  SELECT r.schema, r.name AS table, g.tgname AS name
  FROM relation r JOIN pg_trigger g ON g.tgrelid = r.id::oid WHERE NOT g.tgisinternal AND NOT r.extension
)
SELECT json_build_object(
  'schema', current_schema(),
  'relations', (SELECT coalesce(json_agg(x), '[]') FROM relation x),
  'columns', (SELECT coalesce(json_agg(x), '[]') FROM columns x),
  'constraints', (SELECT coalesce(json_agg(x), '[]') FROM constraints x),
  'indexes', (SELECT coalesce(json_agg(x), '[]') FROM indexes x),
  'enumerations', (SELECT coalesce(json_agg(x), '[]') FROM enumerations x),
  'triggers', (SELECT coalesce(json_agg(x), '[]') FROM triggers x)
)::text
"""

_KINDS: Final = {"v": "view", "m": "materialized view", "f": "foreign table"}
_ACTIONS: Final = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_NUMBERINGS: Final[dict[str, Numbering]] = {"a": "always", "d": "by default"}


def read_postgres(
    connection: Connection, schemas: Collection[str | None], tables: Collection[tuple[str | None, str]] | None
) -> SchemaShape:
    """Read what is stored.

    Args:
        connection: To PostgreSQL.

        schemas: Which ones; `None` stands for the default one.

        tables: Schema and name of those whose columns are wanted; `None` for all.
    """
    named = ", ".join(_schema(each) for each in schemas)
    if tables is None:
        wanted = "true"
    else:
        pairs = ", ".join(f"({_schema(schema)}, {quote(name)})" for schema, name in tables)
        wanted = f"(r.schema, r.name) IN ({pairs})" if pairs else "false"
    return _read(connection, f"n.nspname IN ({named})", wanted)


def read_temporary(connection: Connection) -> SchemaShape:
    """Read the temporary tables of *connection*; their names come without a schema."""
    return _read(connection, IN_TEMPORARY_SCHEMA, "true", temporary=True)


def quote(text: str) -> str:
    """Return *text* as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _schema(name: str | None) -> str:
    return "current_schema()" if name is None else quote(name)


def _read(connection: Connection, schemas: str, tables: str, *, temporary: bool = False) -> SchemaShape:
    # Names may hold a percent sign, which is not for the driver.
    found = connection.exec_driver_sql(
        _STATEMENT.replace("{schemas}", schemas).replace("{tables}", tables),
        execution_options={"no_parameters": True},
    ).scalar_one()
    rows = json.loads(found)
    default = rows["schema"]

    def full(schema: str, name: str) -> str:
        return name if temporary or schema == default else f"{schema}.{name}"

    names = {each["id"]: full(each["schema"], each["name"]) for each in rows["relations"]}
    comments = {each["id"]: each["comment"] for each in rows["relations"]}
    kinds = {names[each["id"]]: _kind(each) for each in rows["relations"]}
    tables_by_id: dict[int, dict[str, ColumnShape]] = {}
    for row in rows["columns"]:
        tables_by_id.setdefault(row["table"], {})[row["name"]] = _column(row, full)
    constraints, indexes = _by_table(rows["constraints"]), _by_table(rows["indexes"])
    return SchemaShape(
        tables={
            names[identity]: _table(
                names[identity],
                columns,
                constraints.get(identity, []),
                indexes.get(identity, []),
                comments[identity],
                full,
            )
            for identity, columns in tables_by_id.items()
        },
        enumerations={
            full(each["schema"], each["name"]): tuple(each["labels"]) for each in rows["enumerations"]
        },
        enumeration_users={
            full(each["schema"], each["name"]): frozenset(full(*user) for user in each["users"])
            for each in rows["enumerations"]
        },
        others={name: kind for name, kind in kinds.items() if kind is not None},
        triggers=tuple(
            sorted(f"{full(each['schema'], each['table'])}.{each['name']}" for each in rows["triggers"])
        ),
        partitions=frozenset(names[each["id"]] for each in rows["relations"] if each["part"]),
    )


def _kind(relation: dict[str, Any]) -> str | None:
    if relation["extension"]:
        return OF_EXTENSION
    return _KINDS.get(relation["kind"], None if relation["kind"] in "rp" else "relation")


def _by_table(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for each in rows:
        found.setdefault(each["table"], []).append(each)
    return found


def _column(row: dict[str, Any], full: Callable[[str, str], str]) -> ColumnShape:
    is_computed = bool(row["generated"].strip())
    default, numbering, options = row["default"], _NUMBERINGS.get(row["identity"].strip()), ""
    if numbering is not None:
        options = row["options"] or ""
    elif default is not None and default.startswith("nextval(") and not is_computed:
        numbering = "serial" if row["owned"] == "a" else "sequence"
    return ColumnShape(
        name=row["name"],
        type=row["type"],
        nullable=row["nullable"],
        default=None if is_computed else default,
        computed=default if is_computed else None,
        persisted=row["generated"] == "s",
        numbering=numbering,
        numbering_options=options,
        collation=row["collation"],
        comment=row["comment"],
        enumeration=full(row["enumeration_schema"], row["enumeration"]) if row["enumeration"] else None,
    )


def _table(
    name: str,
    columns: dict[str, ColumnShape],
    constraints: list[dict[str, Any]],
    indexes: list[dict[str, Any]],
    comment: str | None,
    full: Callable[[str, str], str],
) -> TableShape:
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for each in constraints:
        of_kind.setdefault(each["kind"], []).append(each)
    key = next(iter(of_kind.get("p", [])), None)
    return TableShape(
        name=name,
        columns=columns,
        key=None if key is None else KeyShape(name=key["name"], columns=tuple(key["columns"])),
        indexes=tuple(_index(each) for each in indexes),
        uniques=tuple(
            UniqueShape(name=each["name"], columns=tuple(each["columns"]), options=_options(each))
            for each in of_kind.get("u", [])
        ),
        checks=tuple(
            CheckShape(name=each["name"], expression=each["expression"], valid=each["valid"])
            for each in of_kind.get("c", [])
        ),
        exclusions=tuple(
            CheckShape(name=each["name"], expression=each["definition"]) for each in of_kind.get("x", [])
        ),
        references=tuple(_reference(each, full) for each in of_kind.get("f", [])),
        comment=comment,
    )


def _options(row: dict[str, Any]) -> tuple[str, ...]:
    found = []
    if row["deferrable"]:
        found.append("deferrable")
    if row["deferred"]:
        found.append("initially deferred")
    if row["not_distinct"] == "true":
        found.append("nulls not distinct")
    if row["match"] == "f":
        found.append("match full")
    return tuple(found)


def _reference(row: dict[str, Any], full: Callable[[str, str], str]) -> ReferenceShape:
    return ReferenceShape(
        name=row["name"],
        columns=tuple(row["columns"]),
        table=full(row["referred_schema"], row["referred_table"]),
        referred=tuple(row["referred"]),
        on_delete=_ACTIONS.get(row["on_delete"]),
        on_update=_ACTIONS.get(row["on_update"]),
        options=_options(row),
        valid=row["valid"],
    )


def _index(row: dict[str, Any]) -> IndexShape:
    keys, carried = row["elements"][: row["keys"]], row["elements"][row["keys"] :]
    options = [*(row["options"] or ()), *(("nulls not distinct",) if row["not_distinct"] == "true" else ())]
    return IndexShape(
        name=row["name"],
        elements=tuple(_element(each) for each in keys),
        columns=tuple(each["column"] for each in keys if each["column"] is not None),
        unique=row["unique"],
        where=row["where"],
        method="" if row["method"] == "btree" else row["method"],
        include=tuple(each["column"] for each in carried),
        options=tuple(sorted(options)),
        valid=row["valid"],
    )


def _element(part: dict[str, Any]) -> str:
    text = part["column"] if part["column"] is not None else part["text"]
    words = [text]
    if part["collation"]:
        words.append(f'COLLATE "{part["collation"]}"')
    if part["operators"]:
        words.append(part["operators"])
    if part["descending"]:
        words.append("DESC")
    if part["nulls_first"] != part["descending"]:
        words.append("NULLS FIRST" if part["nulls_first"] else "NULLS LAST")
    return " ".join(words)
