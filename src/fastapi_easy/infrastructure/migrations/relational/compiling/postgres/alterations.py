"""Changed columns on PostgreSQL: type, default, NULL and comment, each as what it locks and rewrites."""

import re
from dataclasses import replace
from typing import Any, Final

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.column_alteration import ColumnAlteration
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.missing_types import missing_types
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.not_null import (
    allow_null,
    filled_not_null,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import (
    ACCESS_EXCLUSIVE,
    LONG,
    SHARE_UPDATE_EXCLUSIVE,
    SHORT,
    PostgresSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.stored_tables import type_clause
from fastapi_easy.infrastructure.migrations.relational.probing.postgres_catalogue import PostgresColumn
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import NOTHING, column_probe

_CHARACTERS: Final = re.compile(
    r"(?:text|varchar|char|character varying|character)\b(?!.*\[\])", re.IGNORECASE
)
_CAST: Final = re.compile(r"""^('(?:[^']|'')*')::[\w\s".\[\](),]+$""")


def alter_column(altered: ColumnAlteration, situation: PostgresSituation) -> list[Placed]:
    """Return the steps that change a column."""
    stored = situation.stored_column(altered.schema, altered.table, altered.column)
    where = (altered.schema, altered.table, altered.column)
    placed: list[Placed] = []
    if altered.type_after is not None:
        placed.append(_type(altered, stored, situation))
    elif altered.default_after is not False:
        placed.append(_default(altered, stored, situation))
    if altered.nullable_after is True:
        placed += allow_null(*where, altered.nullable_changes, situation)
    if altered.nullable_after is False:
        placed += filled_not_null(*where, altered.nullable_changes, situation)
    if altered.comment_after is not False:
        placed.append(_comment(altered, stored, situation))
    return placed


def _type(altered: ColumnAlteration, stored: PostgresColumn | None, situation: PostgresSituation) -> Placed:
    schema, table, column = altered.schema, altered.table, altered.column
    write, quoted = situation.write, situation.write.quote(altered.column)
    changes = altered.type_changes
    if altered.default_after is not False:
        changes = (*changes, *(each for each in altered.default_changes if each not in changes))
    after = write.type(altered.type_after)
    before = _type_before(altered, situation)
    using = situation.using(schema, table, column) or altered.options.get("postgresql_using")
    needs_using = using is None and any(each.facts.get("needs_using") for each in changes)
    if using is not None:
        # Somebody has said how.
        changes = tuple(replace(each, facts={**each.facts, "needs_using": False}) for each in changes)
    is_castable = stored is None or situation.has_cast(stored.type, after)
    if needs_using and is_castable:
        using = f"{quoted}::{_without_collation(after)}"
    types = missing_types([altered.type_after], situation)
    default_before = _default_before(altered, stored, situation)
    default_after = (
        default_before if altered.default_after is False else _written(altered.default_after, situation)
    )
    back = None if before is None else _back(quoted, before, after, using)
    forward = _retyped(quoted, after, using)
    backward = None if before is None else _retyped(quoted, before, back)
    is_other_default = altered.default_after is not False
    if is_other_default or (using is not None and default_before is not None):
        forward = _with_default(quoted, forward, default_before, _portable(default_after))
    if backward is not None and (is_other_default or (back is not None and default_before is not None)):
        backward = _with_default(quoted, backward, default_after, default_before)
    step = Step(
        changes=changes,
        summary=f"change column {column} of {write.table(schema, table)} to {after}"
        + (f" using {using}" if using else "")
        + ("" if is_castable or using else ", for which there is no cast: say what to use"),
        statements=(*types.create, *(situation.alter(schema, table, each) for each in forward)),
        reverse=()
        if backward is None
        else (*(situation.alter(schema, table, each) for each in backward), *types.drop),
        reversibility=Reversibility.NONE if backward is None else Reversibility.FULL,
        probe=_type_probe(altered, stored),
        lock=ACCESS_EXCLUSIVE,
        rewrites=_rewrites(changes),
        statement_timeout=LONG,
    )
    return Placed(Phase.COLUMN_TYPES, step)


def _rewrites(changes: tuple[Change, ...]) -> bool:
    # Without the knowledge that it does not, it is taken to.
    return any(each.facts.get("rewrites", True) for each in changes)


def _type_probe(altered: ColumnAlteration, stored: PostgresColumn | None) -> Any:
    where = (altered.schema, altered.table, altered.column)
    if stored is None:
        return NOTHING
    if altered.type_before is not None and _only_collation(altered):
        return column_probe(*where, collation_before=stored.collation or "")
    return column_probe(*where, type_before=stored.type)


def _only_collation(altered: ColumnAlteration) -> bool:
    before, after = altered.type_before, altered.type_after
    return (
        type(before) is type(after)
        and getattr(before, "length", None) == getattr(after, "length", None)
        and (getattr(before, "collation", None) != getattr(after, "collation", None))
    )


def _type_before(altered: ColumnAlteration, situation: PostgresSituation) -> str | None:
    catalogue = situation.catalogue
    if catalogue is not None:
        stored = type_clause(catalogue, *situation.stored_name(altered.schema, altered.table, altered.column))
        if stored is not None:
            return stored
    return None if altered.type_before is None else situation.write.type(altered.type_before)


def _retyped(quoted: str, declared: str, using: str | None) -> list[str]:
    return [f"ALTER COLUMN {quoted} TYPE {declared}" + (f" USING {using}" if using else "")]


def _back(quoted: str, before: str, after: str, using: str | None) -> str | None:
    """Return what a column is computed from on its way back; `None` where the server converts by itself."""
    if _CHARACTERS.match(before):
        # Not as a cast to so many characters, which cuts what is longer without a word.
        return None if using is None else f"{quoted}::text"
    if using is None:
        # Everything becomes a text by itself, and hardly anything is made of one.
        return f"{quoted}::{_without_collation(before)}" if _CHARACTERS.match(after) else None
    return f"{quoted}::text::{_without_collation(before)}"


def _without_collation(declared: str) -> str:
    return declared.partition(" COLLATE ")[0]


def _with_default(quoted: str, clauses: list[str], before: str | None, after: str | None) -> list[str]:
    dropped = [] if before is None else [f"ALTER COLUMN {quoted} DROP DEFAULT"]
    return [*dropped, *clauses, *([] if after is None else [f"ALTER COLUMN {quoted} SET DEFAULT {after}"])]


def _portable(default: str | None) -> str | None:
    """Return a default without the cast to its former type."""
    found = None if default is None else _CAST.match(default)
    return default if found is None else found[1]


def _default_before(
    altered: ColumnAlteration, stored: PostgresColumn | None, situation: PostgresSituation
) -> str | None:
    if stored is not None:
        return stored.default
    return None if altered.default_before is False else _written(altered.default_before, situation)


def _written(default: Any, situation: PostgresSituation) -> str | None:
    return None if default is None else situation.write.default(default)


def _default(
    altered: ColumnAlteration, stored: PostgresColumn | None, situation: PostgresSituation
) -> Placed:
    schema, table, column = altered.schema, altered.table, altered.column
    after = _written(altered.default_after, situation)
    before = _default_before(altered, stored, situation)
    probe = column_probe(schema, table, column, has_default=after is not None)
    if before is not None and after is not None:
        known = None if stored is None else stored.default
        probe = NOTHING if known is None else column_probe(schema, table, column, default_before=known)
    step = Step(
        changes=altered.default_changes,
        summary=f"{'drop' if after is None else 'change'} the default of column {column}"
        f" of {situation.write.table(schema, table)}",
        statements=(situation.alter(schema, table, _set_default(column, after, situation)),),
        reverse=(situation.alter(schema, table, _set_default(column, before, situation)),),
        reversibility=Reversibility.FULL,
        probe=probe,
        lock=ACCESS_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return Placed(Phase.DEFAULTS, step)


def _set_default(column: str, default: str | None, situation: PostgresSituation) -> str:
    quoted = situation.write.quote(column)
    return f"ALTER COLUMN {quoted} " + ("DROP DEFAULT" if default is None else f"SET DEFAULT {default}")


def _comment(
    altered: ColumnAlteration, stored: PostgresColumn | None, situation: PostgresSituation
) -> Placed:
    schema, table, column = altered.schema, altered.table, altered.column
    on = f"{situation.write.table(schema, table)}.{situation.write.quote(column)}"
    before = altered.comment_before if stored is None else stored.comment

    def commented(comment: str | None) -> str:
        return f"COMMENT ON COLUMN {on} IS " + (
            "NULL" if comment is None else situation.write.literal(comment)
        )

    step = Step(
        changes=altered.comment_changes,
        summary=f"change the comment of column {on}",
        statements=(commented(altered.comment_after),),
        reverse=(commented(before),),
        reversibility=Reversibility.FULL,
        probe=column_probe(schema, table, column, comment=altered.comment_after or ""),
        lock=SHARE_UPDATE_EXCLUSIVE,
        statement_timeout=SHORT,
    )
    return Placed(Phase.TABLE_OPTIONS, step)
