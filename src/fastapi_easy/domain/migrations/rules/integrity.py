"""Rules about what was enforced and is not any more, and about what earlier attempts have left."""

import re
from collections.abc import Iterator
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import POSTGRESQL, SQL, columns_of, is_by_hand

_INTEGRITY: Final = frozenset({Consequence.INTEGRITY})
_ADDED_AGAIN: Final = {
    ChangeKind.DROP_FOREIGN_KEY: frozenset({ChangeKind.ADD_FOREIGN_KEY}),
    ChangeKind.DROP_UNIQUE: frozenset({ChangeKind.ADD_UNIQUE, ChangeKind.CREATE_INDEX}),
    ChangeKind.DROP_INDEX: frozenset({ChangeKind.ADD_UNIQUE, ChangeKind.CREATE_INDEX}),
    ChangeKind.DROP_PRIMARY_KEY: frozenset({ChangeKind.ADD_PRIMARY_KEY}),
}
_REACHING: Final = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
_LEFT_OVER: Final = re.compile(r"the (?P<what>index|constraint) (?P<name>\S+) of (?P<table>\S+) ")


def _goes_too(change: Change, circumstances: Circumstances) -> bool:
    """Return whether the table, or a column of what is dropped, is dropped by the plan as well."""
    columns = change.facts.get("columns", ())
    return any(
        each.table == change.table
        and (
            each.kind is ChangeKind.DROP_TABLE
            or (each.kind is ChangeKind.DROP_COLUMN and each.name in columns)
        )
        for each in circumstances.changes
    )


def _is_back(change: Change, circumstances: Circumstances) -> bool:
    """Return whether the plan enforces the same again."""
    columns = set(change.facts.get("columns", ()))
    return any(
        each.kind in _ADDED_AGAIN.get(change.kind, ())
        and each.table == change.table
        and columns
        and set(columns_of(each)) <= columns
        and (each.kind is not ChangeKind.CREATE_INDEX or each.facts.get("unique", False))
        and each.facts.get("references") == change.facts.get("references")
        for each in circumstances.changes
    )


def _foreign_key(change: Change, circumstances: Circumstances) -> Verdict | None:
    if _goes_too(change, circumstances) or _is_back(change, circumstances):
        return None
    message = f"Rows of {change.table} may refer to what is not there any more."
    return Verdict(risk=Risk.CAUTION, message=message)


def _unique_or_check(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.DROP_INDEX and not change.facts.get("unique", is_by_hand(change)):
        return None
    if _goes_too(change, circumstances) or _is_back(change, circumstances):
        return None
    message = f"{change.table} takes rows that {change.name or 'it'} has rejected; with such rows there is no way back."
    return Verdict(risk=Risk.CAUTION, message=message)


def _action(change: Change, circumstances: Circumstances) -> Verdict | None:
    after = (change.facts.get("on_delete") or "").upper()
    if after not in _REACHING:
        return None
    if "on_delete_before" in change.facts:
        before = (change.facts["on_delete_before"] or "").upper()
    else:
        dropped = [
            each
            for each in circumstances.changes
            if each.kind is ChangeKind.DROP_FOREIGN_KEY
            and each.table == change.table
            and columns_of(each) == columns_of(change)
        ]
        if not dropped:
            return None
        before = (dropped[0].facts.get("on_delete") or "").upper()
    if before == after:
        return None
    other = change.facts.get("references", "the other table")
    does = {"CASCADE": "deletes rows", "SET NULL": "empties columns"}.get(after, "changes rows")
    return Verdict(risk=Risk.CAUTION, message=f"A DELETE in {other} {does} of {change.table} from now on.")


def _nothing(_: Change, __: Circumstances) -> None:
    return None


def _invalid_indexes(circumstances: Circumstances) -> Iterator[tuple[str, Verdict]]:
    yield from _left_over(circumstances, is_index=True)


def _unvalidated_constraints(circumstances: Circumstances) -> Iterator[tuple[str, Verdict]]:
    yield from _left_over(circumstances, is_index=False)


def _left_over(circumstances: Circumstances, *, is_index: bool) -> Iterator[tuple[str, Verdict]]:
    for sentence in circumstances.unfinished:
        found = _LEFT_OVER.match(sentence)
        if (found is not None and found["what"] == "index") is is_index:
            object_ = f"{found['table']}.{found['name']}" if found else "database"
            yield object_, Verdict(risk=Risk.CAUTION, message=sentence, evidence="found in the database")


INTEGRITY: Final = (
    Rule(
        id="IN101",
        title="foreign key dropped",
        risk=Risk.CAUTION,
        consequences=_INTEGRITY,
        kinds=frozenset({ChangeKind.DROP_FOREIGN_KEY}),
        dialects=SQL,
        why="Nothing keeps rows from referring to what is not there.",
        alternative="Keep it; or let the program check.",
        judge=_foreign_key,
        decided="from the plan: not when its column or table goes too, or when it is added again",
    ),
    Rule(
        id="IN102",
        title="unique constraint, key or check dropped",
        risk=Risk.CAUTION,
        consequences=_INTEGRITY,
        kinds=frozenset(
            {
                *(ChangeKind.DROP_UNIQUE, ChangeKind.DROP_CHECK, ChangeKind.DROP_INDEX),
                ChangeKind.DROP_PRIMARY_KEY,
            }
        ),
        dialects=SQL | {"mongodb"},
        why="Rows that were rejected are taken, and once there are some, it cannot be added again.",
        alternative="Keep it; or let the program check.",
        judge=_unique_or_check,
        decided="from the plan: not when its column or table goes too, or when it is added again",
    ),
    Rule(
        id="IN103",
        title="action of a foreign key changed",
        risk=Risk.CAUTION,
        consequences=_INTEGRITY | {Consequence.LOSS},
        kinds=frozenset({ChangeKind.ADD_FOREIGN_KEY}),
        dialects=SQL,
        why="From now on a DELETE in one table reaches rows of another.",
        alternative="Be sure that it is meant.",
        judge=_action,
    ),
    Rule(
        id="IN104",
        title="invalid index found",
        risk=Risk.CAUTION,
        consequences=_INTEGRITY | {Consequence.OPERATION},
        kinds=frozenset(),
        dialects=POSTGRESQL,
        why=(
            "A concurrent build that failed leaves it: it costs every write, answers no query, enforces nothing, and "
            "`IF NOT EXISTS` takes it for the index."
        ),
        alternative="`DROP INDEX CONCURRENTLY`, and build it again.",
        judge=_nothing,
        judge_plan=_invalid_indexes,
        decided="by what is found in the database",
    ),
    Rule(
        id="IN105",
        title="constraint found that was not validated",
        risk=Risk.CAUTION,
        consequences=_INTEGRITY | {Consequence.OPERATION},
        kinds=frozenset(),
        dialects=POSTGRESQL,
        why="A change is half finished: new rows are checked, older ones may violate it.",
        alternative="`ALTER TABLE … VALIDATE CONSTRAINT …`.",
        judge=_nothing,
        judge_plan=_unvalidated_constraints,
        decided="by what is found in the database",
    ),
)
