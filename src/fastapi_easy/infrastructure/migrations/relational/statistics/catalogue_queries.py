"""What the catalogues of the servers answer."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.statements.tokens import UnreadableError, tokens_of
from fastapi_easy.infrastructure.migrations.relational.statistics.data_queries import NoQuery
from fastapi_easy.infrastructure.migrations.relational.statistics.place import Place
from fastapi_easy.infrastructure.migrations.relational.statistics.subject import Subject
from fastapi_easy.infrastructure.relational.server import ServerName

_ESTIMATE: Final = {
    "postgresql": (
        "SELECT CAST(sum(greatest(c.reltuples, 0)) AS bigint) FROM pg_class c WHERE c.oid = :oid OR c.oid IN"
        " (SELECT relid FROM pg_partition_tree(:oid) WHERE isleaf)"
    ),
    "mysql": (
        "SELECT table_rows FROM information_schema.tables WHERE table_schema = :schema AND table_name = :name"
    ),
}
_SIZE: Final = {
    "postgresql": (
        "SELECT CAST(greatest(pg_total_relation_size(CAST(:oid AS oid)),"
        " (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(CAST(:oid AS oid)))) AS bigint)"
    ),
    "mysql": (
        "SELECT data_length + index_length FROM information_schema.tables"
        " WHERE table_schema = :schema AND table_name = :name"
    ),
    "sqlite": (
        "SELECT sum(pgsize) FROM dbstat WHERE aggregate AND name IN"
        " (SELECT name FROM sqlite_master WHERE tbl_name = :name)"
    ),
}
_TRIGGERS: Final = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = :oid AND NOT tgisinternal ORDER BY 1",
    "mysql": (
        "SELECT trigger_name FROM information_schema.triggers"
        " WHERE event_object_schema = :schema AND event_object_table = :name ORDER BY 1"
    ),
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(:name) ORDER BY 1",
}
_CHECKS: Final = {
    "postgresql": (
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = :oid AND contype = 'c' AND convalidated ORDER BY conname"
    ),
    "mysql": (
        "SELECT c.check_clause FROM information_schema.check_constraints c"
        " JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema"
        " AND t.constraint_name = c.constraint_name"
        " WHERE t.table_schema = :schema AND t.table_name = :name ORDER BY c.constraint_name"
    ),
}
_CHARSET: Final = (
    "SELECT character_set_name FROM information_schema.columns"
    " WHERE table_schema = :schema AND table_name = :name AND column_name = :column"
)
_VIEWS: Final = {
    "mysql": "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = :schema",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')",
}
_COLUMN_DEPENDENTS: Final = (
    "SELECT DISTINCT coalesce(v.oid::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid))"
    " FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
    " LEFT JOIN pg_class v ON v.oid = r.ev_class"
    " LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid"
    " WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {oid} AND d.refobjsubid = {number}"
    " AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass,"
    " 'pg_attrdef'::regclass) AND v.oid IS DISTINCT FROM {oid}"
    " AND NOT (a.oid IS NOT NULL AND a.adrelid = {oid} AND a.adnum = {number}) ORDER BY 1"
)
_RELATION_DEPENDENTS: Final = (
    "SELECT DISTINCT coalesce(v.oid::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid))"
    " FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
    " LEFT JOIN pg_class v ON v.oid = r.ev_class"
    " WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {oid} AND d.deptype = 'n'"
    " AND v.oid IS DISTINCT FROM {oid} ORDER BY 1"
)
_TYPE_DEPENDENTS: Final = (
    "SELECT DISTINCT CASE WHEN d.classid = 'pg_class'::regclass AND d.objsubid > 0"
    " THEN c.oid::regclass::text || '.' || a.attname ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END"
    " FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid"
    " LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid"
    " WHERE d.refclassid = 'pg_type'::regclass AND d.deptype = 'n'"
    " AND (t.oid = {oid} OR t.oid = (SELECT typarray FROM pg_type WHERE oid = {oid})) ORDER BY 1"
)


def number_from_catalogue(connection: Connection, kind: str, place: Place) -> int | None:
    """Return the estimate, or the size, that the server has of the table; `None` for none.

    Raises:
        NoQuery: The server has none.
    """
    statements = _SIZE if kind == "size" else _ESTIMATE
    if place.server not in statements:
        raise NoQuery(kind)
    answer = connection.execute(
        text(statements[place.server]), _parameters(statements[place.server], place)
    ).scalar()
    return None if answer is None else int(answer)


def texts_from_catalogue(
    connection: Connection, subject: Subject, place: Place, column: str
) -> tuple[str, ...] | str:
    """Return the texts that the catalogue has of a table or column.

    Raises:
        NoQuery: The server has none.
    """
    match subject.kind:
        case "triggers":
            return _texts(connection, _TRIGGERS, place)
        case "validated_checks":
            return _texts(connection, _CHECKS, place)
        case "indexes":
            return _indexes(connection, place, column)
        case "charset" if place.server == "mysql":
            parameters = {"schema": place.schema, "name": place.name, "column": column}
            found = connection.execute(text(_CHARSET), parameters).scalar()
            if found is None:
                raise NoQuery(subject.kind)
            return str(found)
        case "dependents":
            _ = place.column(column)
            return _dependents_of_column(connection, place, column)
        case _:
            raise NoQuery(subject.kind)


def dependents_of_object(
    connection: Connection, subject: Subject, server: ServerName, place: Place | None
) -> tuple[str, ...]:
    """Return what depends on a view, sequence or type.

    Args:
        connection: To the database.

        subject: Whose change names it.

        server: The kind of server.

        place: The view or sequence; `None` for a type.

    Raises:
        NoQuery: Nobody can tell.
    """
    kind = subject.change.kind
    if kind is ChangeKind.DROP_TYPE and server == "postgresql":
        found = connection.execute(
            text("SELECT CAST(to_regtype(CAST(:name AS text)) AS oid)"), {"name": _spelled(subject.column)}
        ).scalar_one()
        if found is None:
            # A step before creates it.
            raise NoQuery(kind)
        return _strings(connection.exec_driver_sql(_TYPE_DEPENDENTS.format(oid=int(found))).scalars())
    if place is None or kind not in {ChangeKind.DROP_VIEW, ChangeKind.DROP_SEQUENCE}:
        raise NoQuery(kind)
    if server == "postgresql":
        return _strings(connection.exec_driver_sql(_RELATION_DEPENDENTS.format(oid=place.oid)).scalars())
    return _mentioning(connection, place, (place.name,))


def _spelled(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _dependents_of_column(connection: Connection, place: Place, column: str) -> tuple[str, ...]:
    if place.server != "postgresql":
        return _mentioning(connection, place, (place.name, column))
    found = connection.execute(
        text("SELECT attnum FROM pg_attribute WHERE attrelid = :oid AND attname = :column"),
        {"oid": place.oid, "column": column},
    ).scalar_one()
    statement = _COLUMN_DEPENDENTS.format(oid=place.oid, number=int(found))
    return _strings(connection.exec_driver_sql(statement).scalars())


def _mentioning(connection: Connection, place: Place, names: Sequence[str]) -> tuple[str, ...]:
    """Return the views whose text names all of *names*."""
    wanted = {each.casefold() for each in names}
    statement = _VIEWS[place.server]
    rows = connection.execute(text(statement), _parameters(statement, place)).all()
    found = [
        str(name)
        for name, sql in rows
        if str(name) != place.name and wanted <= _named(str(sql), place.server)
    ]
    return tuple(sorted(found))


def _named(sql: str, server: ServerName) -> set[str]:
    try:
        return {token.value.casefold() for token in tokens_of(sql, server)}
    except UnreadableError as error:
        raise NoQuery(sql) from error


def _indexes(connection: Connection, place: Place, column: str) -> tuple[str, ...]:
    inspector = inspect(connection)
    schema = None if place.server == "sqlite" else place.schema
    indexes = inspector.get_indexes(place.name, schema=schema)
    uniques = inspector.get_unique_constraints(place.name, schema=schema)
    found = [(each["name"], each["column_names"]) for each in indexes]
    found += [(each["name"], list(each["column_names"])) for each in uniques]
    return tuple(sorted({name for name, columns in found if name and column in columns}))


def _texts(connection: Connection, statements: dict[str, str], place: Place) -> tuple[str, ...]:
    if place.server not in statements:
        raise NoQuery(place.server)
    statement = statements[place.server]
    return _strings(connection.execute(text(statement), _parameters(statement, place)).scalars())


def _parameters(statement: str, place: Place) -> dict[str, Any]:
    parameters = {"oid": place.oid, "schema": place.schema, "name": place.name}
    return {key: each for key, each in parameters.items() if f":{key}" in statement}


def _strings(found: Any) -> tuple[str, ...]:
    return tuple(map(str, found))
