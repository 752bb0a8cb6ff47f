"""Several clauses as one `ALTER TABLE`, of which either all or none take effect."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.situation import (
    LONG,
    SHARED,
    SHORT,
    MySQLSituation,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.ordering import Phase, Placed
from fastapi_easy.infrastructure.migrations.relational.probing.wanted import parts_probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A part of an `ALTER TABLE`.

    Attributes:
        phase: When; clauses of one phase and table are one statement.

        schema, table: What is altered.

        changes: What was detected.

        forward: The clause.

        backward: What undoes it; `None` when nothing does.

        probe: What is to be seen when it took effect.

        summary: What it does, for people.

        reversibility: What `backward` brings back.

        destructive: It is meant to delete data.

        rewrites: It copies the table, and writers wait meanwhile.

        place: Among clauses on the way back: columns come back in the order in which they were.
    """

    phase: Phase
    schema: str | None
    table: str
    changes: tuple[Change, ...]
    forward: str
    backward: str | None
    probe: Probe
    summary: str
    reversibility: Reversibility = Reversibility.FULL
    destructive: bool = False
    rewrites: bool = False
    place: int = 0


def altered_at_once(clauses: Sequence[Clause], situation: MySQLSituation) -> list[Placed]:
    """Return one step for the clauses of each table and phase."""
    groups: dict[tuple[Phase, str | None, str], list[Clause]] = {}
    for each in clauses:
        groups.setdefault((each.phase, each.schema, each.table), []).append(each)
    return [Placed(phase, _step(group, situation)) for (phase, _, _), group in groups.items()]


def _step(clauses: list[Clause], situation: MySQLSituation) -> Step:
    schema, table = clauses[0].schema, clauses[0].table
    undone = list(reversed(clauses))
    backward = [each.backward for each in sorted(undone, key=lambda each: each.place)]
    known = [each for each in backward if each]
    lost = any(each is None for each in backward)
    rewrites = any(each.rewrites for each in clauses)
    changes: list[Change] = []
    for each in clauses:
        changes += [one for one in each.changes if one not in changes]
    return Step(
        changes=tuple(changes),
        summary=f"alter table {situation.write.table(schema, table)}: {', '.join(each.summary for each in clauses)}",
        statements=(situation.alter(schema, table, *(each.forward for each in clauses)),),
        reverse=() if lost else (situation.alter(schema, table, *known),),
        reversibility=Reversibility.NONE if lost else _least(clauses),
        mode=StepMode.AUTOCOMMIT,
        reverse_mode=StepMode.AUTOCOMMIT,
        probe=parts_probe([each.probe for each in clauses]),
        destructive=any(each.destructive for each in clauses),
        lock=SHARED if rewrites else "",
        rewrites=rewrites,
        # Whether a server can do without copying rows depends on its version, and on the table.
        statement_timeout=SHORT if clauses[0].phase is Phase.RENAMES else LONG,
    )


def _least(clauses: Sequence[Clause]) -> Reversibility:
    found = {each.reversibility for each in clauses}
    return Reversibility.SCHEMA_ONLY if Reversibility.SCHEMA_ONLY in found else Reversibility.FULL
