"""The stored schema in short, and the checksum of the declared one."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.reading import read_schema
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    OF_EXTENSION,
    CheckShape,
    ReferenceShape,
    SchemaShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.guessed import guess_shape
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    enumerations_of,
    full_name,
    name_of,
)
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import expression_form
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.sqlite.text_index import text_indexes_of
from fastapi_easy.infrastructure.relational.system_tables.own_tables import UNTRACKED, is_own

_VERSIONS: Final = {
    "postgresql": "SELECT current_setting('server_version')",
    "mysql": "SELECT version()",
    "sqlite": "SELECT sqlite_version()",
}


_FIELD_NAMES: Final[dict[type[Any], tuple[str, ...] | None]] = {}
"""Of the classes of shapes, which are few."""


def describe(
    connection: Connection, own_tables: Collection[str] = (), schemas: Collection[str | None] = ()
) -> StoredSchema:
    """Describe what is stored in the default schema, and in *schemas*.

    Args:
        connection: To the database.

        own_tables: The names of tables that are left out, beside those of the ledger.

        schemas: Others that are declared.
    """
    dialect = connection.dialect
    left_out = UNTRACKED | frozenset(own_tables)
    stored = _without(read_schema(connection, schemas, None), left_out)
    version = connection.exec_driver_sql(_VERSIONS[server_name_of(dialect.name)]).scalar_one()
    return StoredSchema(
        # Locks and journals get theirs when they are needed first: that is no drift.
        fingerprint=fingerprint(_without(stored, _own_names(stored))),
        server_version=str(version),
        version=tuple(each for each in dialect.server_version_info or () if isinstance(each, int)),
        is_mariadb=bool(getattr(dialect, "is_mariadb", False)),
        is_empty=all(is_own(each) for each in stored.tables)
        and all(kind == OF_EXTENSION for kind in stored.others.values()),
        unfinished=tuple(sorted(_unfinished(stored))),
    )


def fingerprint(stored: SchemaShape) -> str:
    """Return the SHA-256 of *stored*.

    The order of tables, columns and constraints makes no difference, nor do casts to text: PostgreSQL adds some when it
    changes the type of a column, and keeps them when the change is undone.
    """
    return _digest(
        {
            "tables": {name: _canonical(shape) for name, shape in stored.tables.items()},
            "enumerations": stored.enumerations,
            "others": stored.others,
            "triggers": sorted(stored.triggers),
            "partitions": sorted(stored.partitions),
        }
    )


def declared_checksum(declared: DeclaredTables, dialect: Dialect) -> str:
    """Return the SHA-256 of the declared schema: the same in every process, and another when anything changes.

    Args:
        declared: The schema.

        dialect: Of the database it is for.
    """
    tables = {
        name_of(table, dialect): _canonical(guess_shape(name_of(table, dialect), table, dialect).shape)
        for table in declared.metadata.tables.values()
    }
    enumerations = {
        full_name(each.schema, str(each.name), dialect): tuple(each.enums)
        for _, _, each in enumerations_of(declared.metadata, dialect)
    }
    words = {
        each.name: each.creation
        for table in declared.metadata.tables.values()
        for each in text_indexes_of(table)
    }
    content: dict[str, Any] = {"tables": tables, "enumerations": enumerations}
    return _digest(content | {"text_indexes": words} if words else content)


def _own_names(stored: SchemaShape) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in stored.tables if is_own(name))


def _without(stored: SchemaShape, names: Collection[str]) -> SchemaShape:
    tables = {name: shape for name, shape in stored.tables.items() if name.rpartition(".")[2] not in names}
    triggers = tuple(
        each for each in stored.triggers if each.rpartition(".")[0].rpartition(".")[2] not in names
    )
    return dataclasses.replace(stored, tables=tables, triggers=triggers)


def _canonical(shape: TableShape) -> Mapping[str, Any]:
    found: dict[str, Any] = _plain(shape)
    del found["is_exact"]
    for check in (*found["checks"], *found["exclusions"]):
        check["expression"] = expression_form(check["expression"])
    for index in found["indexes"]:
        index["where"] = None if index["where"] is None else expression_form(index["where"])
    for part in ("indexes", "uniques", "checks", "exclusions", "references"):
        found[part] = sorted(found[part], key=lambda each: json.dumps(each, sort_keys=True))
    return found


def _plain(value: Any) -> Any:
    """Return *value* in what JSON knows, as `dataclasses.asdict`, which copies every text too."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    cls: type[Any] = type(value)
    if cls not in _FIELD_NAMES:
        _FIELD_NAMES[cls] = _field_names(cls)
    names = _FIELD_NAMES[cls]
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}


def _field_names(cls: type[Any]) -> tuple[str, ...] | None:
    return tuple(each.name for each in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else None


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _unfinished(stored: SchemaShape) -> Iterator[str]:
    for name, table in stored.tables.items():
        for index in table.indexes:
            if not index.valid:
                yield (
                    f"the index {index.name} of {name} is invalid: building it has failed, and nobody uses it;"
                    " drop it and build it again"
                )
        constraints: tuple[CheckShape | ReferenceShape, ...] = (*table.checks, *table.references)
        for constraint in constraints:
            if not constraint.valid:
                yield (
                    f"the constraint {constraint.name} of {name} has not been validated: rows that were there before"
                    " it may violate it; validate it"
                )
