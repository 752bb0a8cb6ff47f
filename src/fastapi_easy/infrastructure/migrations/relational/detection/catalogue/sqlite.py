"""What SQLite says of tables: its pragmas, and the text of each definition for what they leave out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    ColumnShape,
    IndexShape,
    KeyShape,
    ReferenceShape,
    SchemaShape,
    TableShape,
    UniqueShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import (
    closing,
    source,
    split,
    tokenize,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sqlite_definition import (
    SqliteDefinition,
    read_definition,
)

_OBJECTS: Final = (
    "SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master"
    " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_KINDS: Final = (
    "SELECT name FROM pragma_table_list WHERE schema = {literal} AND type IN ('virtual', 'shadow')"
)
_COLUMNS: Final = (
    'SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden'
    " FROM {schema}.sqlite_master m, pragma_table_xinfo(m.name, {literal}) x"
    " WHERE m.type = 'table' ORDER BY m.name, x.cid"
)
_INDEXES: Final = (
    'SELECT m.name, l.name, l."unique", l.origin, l.partial, i.name, i."desc", i.coll'
    " FROM {schema}.sqlite_master m, pragma_index_list(m.name, {literal}) l, pragma_index_xinfo(l.name, {literal}) i"
    " WHERE m.type = 'table' AND i.key ORDER BY m.name, l.seq, i.seqno"
)
_REFERENCES: Final = (
    'SELECT m.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete'
    " FROM {schema}.sqlite_master m, pragma_foreign_key_list(m.name, {literal}) f"
    " WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"
)
_TABLE_LIST_SINCE: Final = (3, 37)
_VIRTUAL, _STORED, _OF_VIRTUAL_TABLE = 2, 3, 1


def read_sqlite(
    connection: Connection, schemas: Collection[str | None], tables: Collection[tuple[str | None, str]] | None
) -> SchemaShape:
    """Read what is stored; the arguments are those of `read_postgres`."""
    stored: dict[str, TableShape] = {}
    others: dict[str, str] = {}
    triggers: list[str] = []
    for schema in dict.fromkeys(schemas):
        wanted = None if tables is None else {name for of, name in tables if of == schema}
        _read_schema(connection, schema, wanted, stored, others, triggers)
    return SchemaShape(tables=stored, others=others, triggers=tuple(sorted(triggers)))


def _read_schema(
    connection: Connection,
    schema: str | None,
    wanted: Collection[str] | None,
    stored: dict[str, TableShape],
    others: dict[str, str],
    triggers: list[str],
) -> None:
    def ask(sql: str) -> Any:
        name = schema or "main"
        literal, identifier = "'" + name.replace("'", "''") + "'", '"' + name.replace('"', '""') + '"'
        statement = sql.replace("{schema}", identifier).replace("{literal}", literal)
        return connection.exec_driver_sql(statement, execution_options={"no_parameters": True}).all()

    def full(name: str) -> str:
        return name if schema is None else f"{schema}.{name}"

    objects = ask(_OBJECTS)
    version = connection.dialect.server_version_info or _TABLE_LIST_SINCE
    not_ours = {each[0] for each in ask(_KINDS)} if tuple(version) >= _TABLE_LIST_SINCE else set()
    texts: dict[str, str] = {}
    for kind, name, table, sql in objects:
        match kind:
            case "view":
                others[full(name)] = "view"
            case "trigger":
                triggers.append(f"{full(table)}.{name}")
            case "table" if name in not_ours or str(sql).upper().startswith("CREATE VIRTUAL"):
                others[full(name)] = "virtual table"
            case "table" | "index":
                texts[name] = str(sql or "")
            case _:
                pass
    columns, indexes, references = (
        _grouped(ask(_COLUMNS)),
        _grouped(ask(_INDEXES)),
        _grouped(ask(_REFERENCES)),
    )
    for kind, name, _, _ in objects:
        if kind == "table" and full(name) not in others and (wanted is None or name in wanted):
            parts = columns.get(name, []), indexes.get(name, []), references.get(name, [])
            stored[full(name)] = _table(full(name), parts, texts, read_definition(texts[name]))


def _grouped(rows: Iterable[Sequence[Any]]) -> dict[str, list[Sequence[Any]]]:
    found: dict[str, list[Sequence[Any]]] = {}
    for each in rows:
        found.setdefault(each[0], []).append(each[1:])
    return found


def _table(
    name: str,
    parts: tuple[list[Sequence[Any]], list[Sequence[Any]], list[Sequence[Any]]],
    texts: Mapping[str, str],
    definition: SqliteDefinition,
) -> TableShape:
    columns, indexes, references = parts
    key = sorted((place, column) for column, _, _, _, place, _ in columns if place)
    named: dict[str, list[Sequence[Any]]] = {}
    for index, *rest in indexes:
        named.setdefault(index, []).append(rest)
    uniques, others = [], []
    for index, rows in named.items():
        unique, origin, partial = rows[0][:3]
        if origin == "u":
            of = tuple(each[3] for each in rows)
            uniques.append(UniqueShape(name=definition.names.get(("unique", of)), columns=of))
        elif origin == "c":
            others.append(
                _index(index, rows, texts[index], definition, is_unique=bool(unique), partial=bool(partial))
            )
    key_columns = tuple(column for _, column in key)
    return TableShape(
        name=name,
        columns={each[0]: _column(each, definition) for each in columns if each[5] != _OF_VIRTUAL_TABLE},
        key=KeyShape(name=definition.names.get(("key", key_columns)), columns=key_columns) if key else None,
        indexes=tuple(others),
        uniques=tuple(uniques),
        checks=definition.checks,
        references=tuple(_references(references, definition)),
    )


def _column(row: Sequence[Any], definition: SqliteDefinition) -> ColumnShape:
    name, type_, not_null, default, _, hidden = row
    return ColumnShape(
        name=name,
        type=" ".join(str(type_).split()).upper().replace("GENERATED ALWAYS", "").strip(),
        nullable=not not_null,
        default=None if default is None or str(default).upper() == "NULL" else str(default),
        computed=definition.computed.get(name, "") if hidden in {_VIRTUAL, _STORED} else None,
        persisted=hidden == _STORED,
        collation=definition.collations.get(name),
    )


def _index(
    name: str,
    rows: Sequence[Sequence[Any]],
    text: str,
    definition: SqliteDefinition,
    *,
    is_unique: bool,
    partial: bool,
) -> IndexShape:
    tokens = tokenize(text)
    on = next(place for place, token in enumerate(tokens) if token.word == "ON")
    opening = next(place for place in range(on, len(tokens)) if tokens[place].text == "(")
    end = closing(tokens, opening)
    written = [source(text, part) for part in split(tokens[opening + 1 : end])]
    elements, columns = [], []
    for place, (_, _, _, column, descending, collation) in enumerate(rows):
        if column is None:
            # An expression comes with its own DESC.
            elements.append(written[place])
            continue
        columns.append(column)
        usual = definition.collations.get(column, "BINARY").upper()
        elements.append(
            column
            + (f" COLLATE {collation}" if str(collation).upper() != usual else "")
            + (" DESC" if descending else "")
        )
    return IndexShape(
        name=name,
        elements=tuple(elements),
        columns=tuple(columns),
        unique=is_unique,
        where=source(text, tokens[end + 2 :]) if partial else None,
    )


def _references(rows: Sequence[Sequence[Any]], definition: SqliteDefinition) -> Iterable[ReferenceShape]:
    by_id: dict[int, list[Sequence[Any]]] = {}
    for each in rows:
        by_id.setdefault(each[0], []).append(each)
    for found in by_id.values():
        _, table, _, _, on_update, on_delete = found[0]
        columns = tuple(each[2] for each in found)
        yield ReferenceShape(
            name=definition.names.get(("reference", columns)),
            columns=columns,
            table=table,
            referred=tuple(each[3] for each in found if each[3] is not None),
            on_delete=None if on_delete == "NO ACTION" else on_delete,
            on_update=None if on_update == "NO ACTION" else on_update,
            options=definition.reference_options.get(columns, ()),
        )
