"""Columns whose type changes while foreign keys hold them: those go before, and come back afterwards."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from alembic.operations.ops import CreateForeignKeyOp, DropConstraintOp
from sqlalchemy import text

from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import ColumnAlteration
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import (
    LONG,
    SHARED,
    MySQLSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.prepared import Work
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import constraint_probe, reference_probe

_HOLDERS: Final = """
    SELECT DISTINCT table_schema AS s, table_name AS t, constraint_name AS c, table_schema = database() AS here
    FROM information_schema.key_column_usage
    WHERE referenced_table_name IS NOT NULL AND (
        (table_schema = coalesce(:schema, database()) AND table_name = :table AND column_name = :column)
        OR (referenced_table_schema = coalesce(:schema, database()) AND referenced_table_name = :table
            AND referenced_column_name = :column))
    ORDER BY 1, 2, 3
"""


def held_columns(work: list[Work], situation: MySQLSituation) -> list[Placed]:
    """Return the steps that take foreign keys away for as long as the types of their columns change."""
    others = set(_named(work))
    found: dict[tuple[str | None, str, str], list[ColumnAlteration]] = {}
    for each in work:
        if isinstance(each.what, ColumnAlteration) and each.what.type_after is not None:
            for holder in _holders(each.what, situation):
                if holder not in others:
                    found.setdefault(holder, []).append(each.what)
    return [placed for holder, altered in found.items() for placed in _around(holder, altered, situation)]


def _named(work: list[Work]) -> Iterator[tuple[str | None, str, str]]:
    for each in work:
        match each.what:
            case DropConstraintOp() as operation:
                yield (operation.schema, str(operation.table_name), str(operation.constraint_name))
            case CreateForeignKeyOp() as operation:
                yield (
                    operation.kw.get("source_schema"),
                    str(operation.source_table),
                    str(operation.constraint_name),
                )
            case _:
                pass


def _holders(altered: ColumnAlteration, situation: MySQLSituation) -> Iterator[tuple[str | None, str, str]]:
    if situation.connection is None:
        return
    schema, table, column = situation.stored_name(altered.schema, altered.table, altered.column)
    parameters = {"schema": schema, "table": table, "column": column}
    rows: Any = situation.connection.execute(text(_HOLDERS), parameters).mappings()
    for row in rows:
        holder: Mapping[str, Any] = row
        if (holder["s"], holder["t"]) in situation.dropped_tables or (
            (None, holder["t"]) in situation.dropped_tables and holder["here"]
        ):
            continue
        yield (None if holder["here"] else holder["s"], holder["t"], holder["c"])


def _around(
    holder: tuple[str | None, str, str], altered: list[ColumnAlteration], situation: MySQLSituation
) -> list[Placed]:
    schema, table, name = holder
    changes = tuple(change for each in altered for change in each.type_changes)
    first = altered[0]
    changed = (first.schema, first.table, first.column, _definition(first, situation))
    stored = situation.stored_table(schema, table)
    if stored is None or name not in stored.references:
        return []
    drop = situation.alter(schema, table, f"DROP FOREIGN KEY {situation.quoted(name)}")
    add = situation.alter(schema, table, f"ADD {stored.references[name]}")
    on = situation.write.table(schema, table)
    taken = Step(
        changes=changes,
        summary=f"drop constraint {name} of {on} while the type of its columns changes",
        statements=(drop,),
        reverse=(add,),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=constraint_probe(schema, table, name, kind="foreignkey", absent=True),
        statement_timeout=LONG,
    )
    given = Step(
        changes=changes,
        summary=f"add constraint {name} to {on} again",
        statements=(add,),
        reverse=(drop,),
        reversibility=Reversibility.FULL,
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        # It looks as it did when the plan was made: only the columns say whether it has come back.
        probe=reference_probe(schema, table, name, changed),
        lock=SHARED,
        statement_timeout=LONG,
    )
    return [Placed(Phase.FOREIGN_KEY_DROPS, taken), Placed(Phase.FOREIGN_KEYS, given)]


def _definition(altered: ColumnAlteration, situation: MySQLSituation) -> str:
    return situation.stored_column(altered.schema, altered.table, altered.column) or ""
