"""Columns on PostgreSQL that are computed, numbered or collated otherwise."""

from typing import Any

from alembic.operations.ops import AddColumnOp
from sqlalchemy import Column, Identity

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.added_column import (
    is_numbered,
    plain_column,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.naming import shortened
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.dependents import dependents
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.stored_tables import (
    added_again,
    identity_clause,
    type_clause,
)
from fastapi_easy.infrastructure.migrations.relational.operations import ReplaceColumnOp
from fastapi_easy.infrastructure.migrations.relational.probing.postgres_catalogue import PostgresColumn
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import NOTHING, column_probe


def replace_column(
    operation: ReplaceColumnOp, changes: tuple[Change, ...], situation: PostgresSituation
) -> list[Placed]:
    """Return the step that changes what a column is computed from, numbered by or compared with.

    Raises:
        ValueError: The operation names something else.
    """
    stored = situation.stored_column(operation.schema, operation.table, str(operation.before.name))
    match operation.what:
        case "computed":
            step = _computed(operation, changes, situation, stored)
        case "identity":
            step = _identity(operation, changes, situation, stored)
        case "collation":
            step = _collation(operation, changes, situation, stored)
        case other:
            raise ValueError(f"a column is computed, identity or collation, not {other}")
    return [Placed(Phase.COLUMN_TYPES, step)]


def _computed(
    operation: ReplaceColumnOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    stored: PostgresColumn | None,
) -> Step:
    before, after = operation.before, operation.after
    schema, table, column = operation.schema, operation.table, str(before.name)
    quoted, on = situation.write.quote(column), situation.write.table(operation.schema, operation.table)
    drop = situation.alter(schema, table, f"DROP COLUMN {quoted}")
    around = dependents(schema, table, column, situation, expressions_only=False)
    back = _stored_again(operation, situation)
    is_virtual = stored is not None and stored.generated == "v"
    if after.computed is None and not is_virtual:
        # The values stay, and so do indexes.
        statements = [situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP EXPRESSION")]
        if after.server_default is not None:
            default = situation.write.default(after.server_default)
            statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} SET DEFAULT {default}"))
    else:
        statements = [*around.drop, drop, *_added(after, operation, situation), *around.create]
    kept = "" if stored is None else stored.generated
    aspects: dict[str, Any] = {"generated": "" if after.computed is None else _letter(after, situation)}
    if after.computed is not None and before.computed is not None and aspects["generated"] == kept:
        aspects = {"default_before": "" if stored is None else stored.default or ""}
    loses = before.computed is None
    rewrites = after.computed is not None and situation.write.is_stored(after)
    return Step(
        changes=changes,
        summary=f"change what column {column} of {on} is computed from",
        statements=tuple(statements),
        reverse=(*around.drop, drop, *back, *around.create),
        reversibility=Reversibility.SCHEMA_ONLY if loses else Reversibility.FULL,
        probe=column_probe(schema, table, column, **aspects),
        destructive=loses,
        lock=ACCESS_EXCLUSIVE,
        rewrites=rewrites,
        statement_timeout=LONG,
    )


def _letter(column: Column[Any], situation: PostgresSituation) -> str:
    return "s" if situation.write.is_stored(column) else "v"


def _added(column: Column[Any], operation: ReplaceColumnOp, situation: PostgresSituation) -> tuple[str, ...]:
    adding = AddColumnOp(operation.table, plain_column(column), schema=operation.schema)
    return situation.write.statements(adding)


def _stored_again(operation: ReplaceColumnOp, situation: PostgresSituation) -> tuple[str, ...]:
    catalogue = situation.catalogue
    column = str(operation.before.name)
    found = (
        ()
        if catalogue is None
        else added_again(catalogue, situation.write, operation.schema, operation.table, column)
    )
    return found or _added(operation.before, operation, situation)


def _identity(
    operation: ReplaceColumnOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    stored: PostgresColumn | None,
) -> Step:
    schema, table, column = operation.schema, operation.table, str(operation.before.name)
    write, quoted = situation.write, situation.write.quote(str(operation.before.name))
    after: Identity | None = operation.after.identity
    statements = [*_without_number(operation, situation, stored)]
    is_serial = any(is_numbered(operation.after, each) for each in changes)
    if is_serial:
        statements += _serial(operation, situation)
    elif after is not None:
        statements += _numbered(operation, situation, _identity_text(after, operation, situation))
    elif operation.after.server_default is not None:
        default = write.default(operation.after.server_default)
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} SET DEFAULT {default}"))
    aspects: dict[str, Any] = {"identity": "" if after is None else ("a" if after.always else "d")}
    if is_serial and stored is not None and not stored.identity:
        aspects = {"has_default": True}
    probe = column_probe(schema, table, column, **aspects)
    if stored is not None and "identity" in aspects and stored.identity == aspects["identity"]:
        # Only its options differ, which nothing shows from outside.
        probe = NOTHING
    return Step(
        changes=changes,
        summary=f"change how the server numbers column {column} of {write.table(schema, table)}",
        statements=tuple(statements),
        reverse=_numbered_as_before(operation, situation, stored, is_serial=is_serial),
        reversibility=Reversibility.FULL,
        probe=probe,
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )


def _without_number(
    operation: ReplaceColumnOp, situation: PostgresSituation, stored: PostgresColumn | None
) -> list[str]:
    schema, table, quoted = (
        operation.schema,
        operation.table,
        situation.write.quote(str(operation.before.name)),
    )
    if (stored is not None and stored.identity) or operation.before.identity is not None:
        return [situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP IDENTITY")]
    statements = [situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP DEFAULT")]
    if stored is not None and stored.sequence is not None:
        statements.append(f"DROP SEQUENCE {stored.sequence}")
    if operation.before.nullable and operation.after.identity is not None:
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} SET NOT NULL"))
    return statements


def _identity_text(after: Identity, operation: ReplaceColumnOp, situation: PostgresSituation) -> str:
    alone = Column(operation.before.name, operation.after.type, plain_identity(after), nullable=False)
    written = situation.write.column(alone)
    start = written.index("GENERATED ")
    return written[start:].removesuffix(" NOT NULL")


def plain_identity(identity: Identity) -> Identity:
    """Return a copy of *identity* that no column has yet."""
    names = ("always", "start", "increment", "minvalue", "maxvalue", "cycle", "cache")
    return Identity(**{each: getattr(identity, each) for each in names})


def _numbered(operation: ReplaceColumnOp, situation: PostgresSituation, clause: str) -> list[str]:
    schema, table, column = operation.schema, operation.table, str(operation.before.name)
    write = situation.write
    quoted, on = write.quote(column), write.table(schema, table)
    sequence = f"pg_get_serial_sequence({write.literal(on)}, {write.literal(column)})"
    # The numbers go on after those that are taken.
    going_on = f"SELECT setval({sequence}, max({quoted})) FROM {on} HAVING max({quoted}) IS NOT NULL"  # noqa: S608
    return [situation.alter(schema, table, f"ALTER COLUMN {quoted} ADD {clause}"), going_on]


def _sequence_of(operation: ReplaceColumnOp, situation: PostgresSituation) -> str:
    return situation.write.table(
        operation.schema, shortened(operation.table, str(operation.before.name), "seq")
    )


def _serial(operation: ReplaceColumnOp, situation: PostgresSituation) -> list[str]:
    schema, table, column = operation.schema, operation.table, str(operation.before.name)
    write, sequence = situation.write, _sequence_of(operation, situation)
    quoted, on, named = write.quote(column), write.table(schema, table), write.literal(sequence)
    going_on = f"SELECT setval({named}, max({quoted})) FROM {on} HAVING max({quoted}) IS NOT NULL"  # noqa: S608
    return [
        f"CREATE SEQUENCE {sequence} AS {_integer(operation, situation)} OWNED BY {on}.{quoted}",
        going_on,
        situation.alter(schema, table, f"ALTER COLUMN {quoted} SET DEFAULT nextval({named})"),
    ]


def _integer(operation: ReplaceColumnOp, situation: PostgresSituation) -> str:
    written = situation.write.type(operation.after.type).lower()
    return written if written in {"smallint", "integer", "bigint"} else "bigint"


def _numbered_as_before(
    operation: ReplaceColumnOp,
    situation: PostgresSituation,
    stored: PostgresColumn | None,
    *,
    is_serial: bool,
) -> tuple[str, ...]:
    schema, table, column = operation.schema, operation.table, str(operation.before.name)
    write, quoted = situation.write, situation.write.quote(str(operation.before.name))
    statements: list[str] = []
    if is_serial:
        sequence = _sequence_of(operation, situation)
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP DEFAULT"))
        statements.append(f"DROP SEQUENCE {sequence}")
    elif operation.after.identity is not None:
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP IDENTITY"))
    elif operation.after.server_default is not None:
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP DEFAULT"))
    catalogue = situation.catalogue
    clause = None if catalogue is None else identity_clause(catalogue, schema, table, column)
    if clause is not None:
        return (*statements, *_numbered(operation, situation, clause))
    if operation.before.identity is not None:
        text = _identity_text(operation.before.identity, operation, situation)
        return (*statements, *_numbered(operation, situation, text))
    if stored is not None and stored.sequence is not None:
        on, sequence = write.table(schema, table), write.literal(stored.sequence)
        going_on = f"SELECT setval({sequence}, max({quoted})) FROM {on} HAVING max({quoted}) IS NOT NULL"  # noqa: S608
        statements += [
            f"CREATE SEQUENCE {stored.sequence} AS {stored.type}",
            f"ALTER SEQUENCE {stored.sequence} OWNED BY {on}.{quoted}",
            going_on,
        ]
    if stored is not None and stored.default is not None:
        statements.append(
            situation.alter(schema, table, f"ALTER COLUMN {quoted} SET DEFAULT {stored.default}")
        )
    if operation.before.nullable and operation.after.identity is not None:
        statements.append(situation.alter(schema, table, f"ALTER COLUMN {quoted} DROP NOT NULL"))
    return tuple(statements)


def _collation(
    operation: ReplaceColumnOp,
    changes: tuple[Change, ...],
    situation: PostgresSituation,
    stored: PostgresColumn | None,
) -> Step:
    schema, table, column = operation.schema, operation.table, str(operation.before.name)
    write, quoted = situation.write, situation.write.quote(str(operation.before.name))
    catalogue = situation.catalogue
    before = None if catalogue is None else type_clause(catalogue, schema, table, column)
    after = write.type(operation.after.type)
    where = (schema, table, column)
    probe = NOTHING if stored is None else column_probe(*where, collation_before=stored.collation or "")
    back = before or write.type(operation.before.type)
    return Step(
        changes=changes,
        summary=f"change the collation of column {column} of {write.table(schema, table)}",
        statements=(situation.alter(schema, table, f"ALTER COLUMN {quoted} TYPE {after}"),),
        reverse=(situation.alter(schema, table, f"ALTER COLUMN {quoted} TYPE {back}"),),
        reversibility=Reversibility.FULL,
        probe=probe,
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=LONG,
    )
