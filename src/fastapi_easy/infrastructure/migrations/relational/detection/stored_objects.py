"""SQLAlchemy's objects for what is stored: what operations need to be undone."""

from collections.abc import Mapping
from typing import Any

from alembic.operations.ops import (
    CreateCheckConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateUniqueConstraintOp,
    DropConstraintOp,
    DropIndexOp,
)
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.sql.elements import TextClause

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    ColumnShape,
    IndexShape,
    ReferenceShape,
    TableShape,
    UniqueShape,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.server import ServerName


def column_without_rules(declared: Column[Any]) -> Column[Any]:
    """Return *declared* without its keys and unique rules, which operations of their own create."""
    parts = [each for each in (declared.computed, declared.identity) if each is not None]
    default = None if parts else declared.server_default
    return Column(
        declared.name,
        declared.type,
        *(_copy(each) for each in parts),
        nullable=declared.nullable,
        server_default=getattr(default, "arg", None),
        autoincrement=declared.autoincrement is True or declared.identity is not None,
        comment=declared.comment,
    )


def _copy(part: Computed | Identity) -> Computed | Identity:
    if isinstance(part, Computed):
        return Computed(part.sqltext, persisted=part.persisted)
    return Identity(
        always=bool(part.always),
        start=part.start,
        increment=part.increment,
        minvalue=part.minvalue,
        maxvalue=part.maxvalue,
        cycle=part.cycle,
        cache=part.cache,
    )


def column_from(shape: ColumnShape, stored_type: ColumnType, server: ServerName) -> Column[Any]:
    """Return a column like *shape*, of the type *stored_type*.

    `info["numbering"]` says how its rows are numbered.
    """
    parts: list[Any] = []
    if shape.computed is not None:
        parts.append(Computed(text(escaped(shape.computed)), persisted=shape.persisted))
    elif shape.numbering in {"always", "by default"}:
        words = shape.numbering_options.split()
        options = {key: int(value) for key, value in zip(words[::2], words[1::2], strict=False)}
        parts.append(
            Identity(
                always=shape.numbering == "always",
                start=options.get("start"),
                increment=options.get("increment"),
                cycle="cycle" in words or None,
            )
        )
    return Column(
        shape.name,
        stored_type,
        *parts,
        nullable=shape.nullable,
        server_default=stored_default(shape, server) if not parts else None,
        autoincrement=shape.numbering not in {None, "sequence"},
        comment=shape.comment,
        info={"numbering": shape.numbering} if shape.numbering else {},
    )


def stored_default(shape: ColumnShape, server: ServerName) -> TextClause | None:
    """Return the default of *shape*; `None` for none, and where the server numbers the rows."""
    if shape.default is None or shape.numbering == "serial":
        return None
    written = shape.default
    if server == "sqlite" and not written.startswith(("(", "'", '"')) and not _is_plain(written):
        written = f"({written})"
    return text(escaped(written))


def _is_plain(default: str) -> bool:
    return default.lstrip("+-").replace(".", "", 1).isalnum() or default.upper().startswith("CURRENT_")


def escaped(expression: str) -> str:
    """Return *expression* so that `text` takes no colon in it for a parameter."""
    return expression.replace(":", r"\:").replace(r"\:\:", "::")


def table_from(
    shape: TableShape,
    name: str,
    schema: str | None,
    types: Mapping[str, ColumnType],
    server: ServerName,
) -> Table:
    """Return a table like *shape*; `info["indexes"]` are the operations that create its indexes."""
    parts: list[Any] = [column_from(each, types[each.name], server) for each in shape.columns.values()]
    if shape.key is not None:
        parts.append(PrimaryKeyConstraint(*shape.key.columns, name=shape.key.name))
    parts += [
        UniqueConstraint(*each.columns, name=each.name, **_unique_options(each)) for each in shape.uniques
    ]
    parts += [CheckConstraint(text(escaped(each.expression)), name=each.name) for each in shape.checks]
    parts += [
        ForeignKeyConstraint(
            list(each.columns),
            [f"{each.table}.{column}" for column in each.referred] or [each.table],
            name=each.name,
            ondelete=each.on_delete,
            onupdate=each.on_update,
            **_deferral(each.options),
        )
        for each in shape.references
        if each.referred
    ]
    table = Table(name, MetaData(), *parts, schema=schema, comment=shape.comment)
    table.info["indexes"] = tuple(create_index(each, name, schema, server) for each in shape.indexes)
    return table


def create_index(index: IndexShape, table: str, schema: str | None, server: ServerName) -> CreateIndexOp:
    """Return what creates *index*."""
    elements: list[Any] = [
        each if each in index.columns else text(escaped(_quoted(each, index, server)))
        for each in index.elements
    ]
    prefix = {"postgresql": "postgresql", "sqlite": "sqlite", "mysql": "mysql"}[server]
    options: dict[str, Any] = {}
    if index.where is not None:
        options[f"{prefix}_where"] = text(escaped(index.where))
    if index.method and server == "mysql":
        options["mysql_prefix" if index.method in {"fulltext", "spatial"} else "mysql_using"] = index.method
    elif index.method:
        options["postgresql_using"] = index.method
    if index.include:
        options["postgresql_include"] = list(index.include)
    storage = dict(each.split("=", 1) for each in index.options if "=" in each)
    if storage:
        options["postgresql_with"] = storage
    if "nulls not distinct" in index.options:
        options["postgresql_nulls_not_distinct"] = True
    return CreateIndexOp(index.name, table, elements, schema=schema, unique=index.unique, **options)


def _quoted(element: str, index: IndexShape, server: ServerName) -> str:
    """Return *element*, a column with options or an expression, as SQL."""
    mark = "`" if server == "mysql" else '"'
    for column in index.columns:
        if element.startswith((f"{column} ", f"{column}(")):
            return f"{mark}{column.replace(mark, mark * 2)}{mark}" + element[len(column) :]
    is_wrapped = element.startswith("(") or server == "sqlite" or " " not in element
    return element if is_wrapped and "(" in element else f"({element})"


def drop_index(index: IndexShape, table: str, schema: str | None, server: ServerName) -> DropIndexOp:
    """Return what drops *index*."""
    return DropIndexOp(index.name, table, schema=schema, _reverse=create_index(index, table, schema, server))


def drop_unique(unique: UniqueShape, table: str, schema: str | None) -> DropConstraintOp:
    """Return what drops *unique*."""
    reverse = CreateUniqueConstraintOp(
        unique.name, table, list(unique.columns), schema=schema, **_unique_options(unique)
    )
    return DropConstraintOp(unique.name, table, "unique", schema=schema, _reverse=reverse)


def drop_check(check: CheckShape, table: str, schema: str | None) -> DropConstraintOp:
    """Return what drops *check*."""
    reverse = CreateCheckConstraintOp(check.name, table, text(escaped(check.expression)), schema=schema)
    return DropConstraintOp(check.name, table, "check", schema=schema, _reverse=reverse)


def drop_reference(reference: ReferenceShape, table: str, schema: str | None) -> DropConstraintOp:
    """Return what drops *reference*."""
    target_schema, _, target = reference.table.rpartition(".")
    reverse = CreateForeignKeyOp(
        reference.name,
        table,
        target,
        list(reference.columns),
        list(reference.referred),
        source_schema=schema,
        referent_schema=target_schema or None,
        ondelete=reference.on_delete,
        onupdate=reference.on_update,
        **_deferral(reference.options),
    )
    return DropConstraintOp(reference.name, table, "foreignkey", schema=schema, _reverse=reverse)


def _unique_options(unique: UniqueShape) -> dict[str, Any]:
    options = _deferral(unique.options)
    if "nulls not distinct" in unique.options:
        options["postgresql_nulls_not_distinct"] = True
    return options


def _deferral(options: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "deferrable" in options:
        found["deferrable"] = True
    if "initially deferred" in options:
        found["initially"] = "DEFERRED"
    if "match full" in options:
        found["match"] = "FULL"
    return found
