"""The probes of relational servers: what they look for, and how it is written down.

A probe names what it looks for by `schema` (missing for the default one), `table` and `name`. Beside that it holds what
was there when the plan was made, so that an object that was replaced is told from the one before it.
"""

import json
from collections.abc import Sequence
from typing import Any

from fastapi_easy.domain.migrations.step import Probe, ProbeValue

NOTHING = Probe()
"""Nothing can be seen from outside."""


def table_probe(schema: str | None, table: str, *, absent: bool = False) -> Probe:
    """Return a probe for a table that exists, or is gone."""
    return _probe("table", absent, schema=schema, table=table)


def comment_probe(schema: str | None, table: str, comment: str | None) -> Probe:
    """Return a probe for the comment of a table; empty for none."""
    return _probe("table", False, schema=schema, table=table, comment=comment or "")


def column_probe(
    schema: str | None, table: str, column: str, *, absent: bool = False, **aspects: ProbeValue
) -> Probe:
    """Return a probe for a column that exists, or is gone, or has certain properties.

    Args:
        schema: Of the table.

        table: That has the column.

        column: Which one.

        absent: It is to be gone.

        aspects: `nullable`, `has_default`, `comment`, `identity` and `generated` are to be as given;
            `type_before`, `default_before`, `definition_before`, `collation_before` are to be no more.
    """
    return _probe("column", absent, schema=schema, table=table, name=column, **aspects)


def index_probe(
    schema: str | None,
    table: str,
    index: str,
    *,
    columns: Sequence[str] = (),
    unique: bool | None = None,
    before: str | None = None,
    absent: bool = False,
) -> Probe:
    """Return a probe for an index that is there and valid, or gone.

    Args:
        schema: Of the table.

        table: That has the index.

        index: Which one.

        columns: Its columns, empty texts for expressions; none to leave them out of sight.

        unique: Whether its keys are; `None` to leave that out of sight.

        before: The definition of the index of that name when the plan was made; that one does not count as the new one,
            and is what has to be gone.

        absent: It is to be gone.
    """
    return _probe(
        "index",
        absent,
        schema=schema,
        table=table,
        name=index,
        columns=tuple(columns) or None,
        unique=unique,
        before=before,
    )


def constraint_probe(
    schema: str | None,
    table: str,
    constraint: str,
    *,
    kind: str | None = None,
    validated: bool | None = None,
    before: str | None = None,
    absent: bool = False,
) -> Probe:
    """Return a probe for a constraint.

    Args:
        schema: Of the table.

        table: That has the constraint.

        constraint: Which one.

        kind: `foreignkey`, `unique`, `check` or `primary`, which MySQL needs to know.

        validated: It is to be validated; `None` to leave that out of sight.

        before: The definition of the constraint of that name when the plan was made.

        absent: It is to be gone.
    """
    return _probe(
        "constraint",
        absent,
        schema=schema,
        table=table,
        name=constraint,
        kind=kind,
        validated=validated,
        before=before,
    )


def reference_probe(
    schema: str | None, table: str, constraint: str, column: tuple[str | None, str, str, str]
) -> Probe:
    """Return a probe for a foreign key that is back, after *column* has another definition than it had.

    Args:
        schema: Of its table.

        table: That it belongs to.

        constraint: Its name.

        column: Schema, table and name of a column, and its definition when the plan was made.
    """
    return _probe(
        "constraint",
        False,
        schema=schema,
        table=table,
        name=constraint,
        kind="foreignkey",
        column_schema=column[0],
        column_table=column[1],
        column_name=column[2],
        column_before=column[3],
    )


def type_probe(
    schema: str | None, name: str, *, labels: Sequence[str] | None = None, absent: bool = False
) -> Probe:
    """Return a probe for a type that exists, with exactly *labels* if they are given, or is gone."""
    return _probe("type", absent, schema=schema, name=name, labels=None if labels is None else tuple(labels))


def label_probe(schema: str | None, name: str, label: str) -> Probe:
    """Return a probe for one label of an enumeration."""
    return _probe("label", False, schema=schema, name=name, label=label)


def schema_probe(name: str, *, absent: bool = False) -> Probe:
    """Return a probe for a schema that exists, or is gone."""
    return _probe("schema", absent, name=name)


def rows_probe(schema: str | None, table: str, column: str, relation: str, condition: str) -> Probe:
    """Return a probe for a backfill: no row of *relation* meets *condition* any more."""
    return _probe(
        "rows", False, schema=schema, table=table, name=column, relation=relation, condition=condition
    )


def parts_probe(parts: Sequence[Probe]) -> Probe:
    """Return a probe for several things that are changed by one step."""
    if len(parts) == 1:
        return parts[0]
    written = [
        json.dumps({"kind": each.kind, "wanted": dict(each.wanted), "absent": each.absent}, sort_keys=True)
        for each in parts
    ]
    return _probe("parts", False, parts=tuple(written))


def read_parts(probe: Probe) -> list[Probe]:
    """Return what `parts_probe` put together."""
    texts: Any = probe.wanted["parts"]
    return [Probe(**json.loads(each)) for each in texts]


def _probe(kind: str, absent: bool, /, **wanted: ProbeValue) -> Probe:
    return Probe(kind=kind, wanted={k: v for k, v in wanted.items() if v is not None}, absent=absent)
