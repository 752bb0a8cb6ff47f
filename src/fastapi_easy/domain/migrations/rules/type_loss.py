"""Rules about values that do not survive a change of their type."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    MYSQL,
    POSTGRESQL,
    SQL,
    SQLITE,
    count_of,
    evidence_of_rows,
    is_empty,
    texts_of,
)
from fastapi_easy.domain.migrations.rules.questions import column_question, labels_questions, table_question
from fastapi_easy.domain.migrations.rules.type_changes import TypeChange, compare_types, removed_labels

_TYPE_KINDS: Final = frozenset({ChangeKind.CHANGE_TYPE})
_CHARACTERS: Final = frozenset({"text", "char"})
_LIMITED: Final = frozenset({"text", "char", "binary"})


def type_change_of(change: Change, circumstances: Circumstances) -> TypeChange | None:
    """Return what a change of type does; `None` when it does not say from what to what."""
    before, after = change.facts.get("type_before"), change.facts.get("type_after")
    return compare_types(before, after, circumstances.dialect) if before and after else None


def _narrowing(change: Change, circumstances: Circumstances) -> Verdict | None:
    types = type_change_of(change, circumstances)
    if types is not None and (not types.narrows or _goes_through_text(types, circumstances)):
        return None
    narrows = types.narrows if types is not None else "nobody knows what it was and what it becomes"
    message = f"{change.object}: {narrows}."
    if is_empty(change, circumstances):
        return None
    if circumstances.dialect == "sqlite" and types is not None and types.before.family in _LIMITED:
        message = f"{message} SQLite does not enforce that, other servers would."
        return Verdict(risk=Risk.CAUTION, message=message)
    fits = types is not None and _fits(change, circumstances, types)
    if fits:
        return Verdict(risk=Risk.CAUTION, message=message, evidence=f"at present {fits}")
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence_of_rows(change, circumstances))


def _goes_through_text(types: TypeChange, circumstances: Circumstances) -> bool:
    """Return whether it is what the rule about casts of SQLite looks at."""
    return (
        circumstances.dialect == "sqlite"
        and types.before.family in _LIMITED
        and types.after.family not in _LIMITED
    )


def _fits(change: Change, circumstances: Circumstances, types: TypeChange) -> str:
    """Return why every stored value fits; empty when one may not."""
    old, new = types.before, types.after
    if new.family in _CHARACTERS or (old.family in _LIMITED and new.family in _LIMITED):
        longest = count_of(column_question("max_length", change), circumstances)
        if longest is not None and new.limit is not None and longest <= new.limit:
            return f"the longest value has {longest}"
    if old.family == new.family == "integer":
        low, high = (
            count_of(column_question(kind, change), circumstances) for kind in ("min_value", "max_value")
        )
        bits = new.bits - (0 if new.is_unsigned else 1)
        floor = 0 if new.is_unsigned else -(2**bits)
        if low is not None and high is not None and floor <= low and high < 2**bits:
            return f"the values are between {low} and {high}"
    return ""


def _loss(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_empty(change, circumstances):
        return None
    if change.kind is ChangeKind.CHANGE_COMPUTED:
        return _loss_of_computed(change, circumstances)
    types = type_change_of(change, circumstances)
    if types is None or not types.loses or circumstances.dialect == "sqlite":
        return None
    message = f"{change.object}: {types.loses}, and nothing fails."
    if count_of(column_question("lossy", change), circumstances) == 0:
        return Verdict(risk=Risk.CAUTION, message=message, evidence="no value is changed at present")
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence_of_rows(change, circumstances))


def _loss_of_computed(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.facts.get("computed") and change.facts.get("expression_before"):
        return None
    message = f"The values of {change.object} are replaced by those that are computed, or by none."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence_of_rows(change, circumstances))


def _cast(change: Change, circumstances: Circumstances) -> Verdict | None:
    types = type_change_of(change, circumstances)
    if types is None or is_empty(change, circumstances):
        return None
    if not _is_cast(types):
        return None
    message = f"CAST never fails on SQLite: in {change.object} 'abc' becomes 0 and 1.9 becomes 1."
    changed = count_of(column_question("lossy", change), circumstances)
    if changed == 0:
        return Verdict(risk=Risk.CAUTION, message=message, evidence="no value is changed at present")
    evidence = (
        "how many values are changed is unknown" if changed is None else f"values that are changed: {changed}"
    )
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _is_cast(types: TypeChange) -> bool:
    reads_text = types.before.family in _CHARACTERS and types.after.family in {"integer", "float", "decimal"}
    rounds = types.before.family in {"float", "decimal"} and types.after.family == "integer"
    return reads_text or rounds


def _label(change: Change, circumstances: Circumstances) -> Verdict | None:
    removed = _removed_labels(change, circumstances)
    if removed is None:
        return None
    kept = change.facts.get("labels", ())
    answers = [texts_of(question, circumstances) for question in labels_questions(change)]
    stored = [label for answer in answers if answer is not None for label in answer]
    used = [label for label in stored if label in removed or (not removed and label not in kept)]
    message = (
        f"{change.object}: rows that have {' or '.join(removed) or 'a label that is gone'} cannot be kept."
    )
    if (removed or kept) and answers and None not in answers and not used:
        return Verdict(risk=Risk.CAUTION, message=message, evidence="no row has it at present")
    evidence = f"in use: {', '.join(dict.fromkeys(used))}" if used else "whether it is in use is unknown"
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _removed_labels(change: Change, circumstances: Circumstances) -> tuple[str, ...] | None:
    if change.kind is ChangeKind.DROP_ENUM_LABEL:
        return tuple(change.facts.get("removed_labels", ()))
    types = type_change_of(change, circumstances)
    return (removed_labels(types) or None) if types is not None else None


def _on_any(change: Change) -> list[TypeChange]:
    """Return what a change of type does on each kind of database; nothing when it does not say from what to what."""
    before, after = change.facts.get("type_before"), change.facts.get("type_after")
    return [compare_types(before, after, dialect) for dialect in sorted(SQL)] if before and after else []


def _questions_of_fitting(change: Change) -> list[str]:
    narrowing = [each for each in _on_any(change) if each.narrows]
    if not narrowing:
        return []
    kinds = ["max_value", "min_value"] if any(each.before.family == "integer" for each in narrowing) else []
    if any(each.after.family in _LIMITED for each in narrowing):
        kinds.append("max_length")
    return [*(column_question(kind, change) for kind in kinds), table_question("rows", change)]


def _questions_of_loss(change: Change) -> list[str]:
    if not any(each.loses or _is_cast(each) for each in _on_any(change)):
        return []
    return [column_question("lossy", change), table_question("rows", change)]


def _may_lose_labels(change: Change) -> bool:
    return change.kind is ChangeKind.DROP_ENUM_LABEL or any(removed_labels(each) for each in _on_any(change))


TYPE_LOSS: Final = (
    Rule(
        id="DS105",
        title="label of an enumeration removed",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS, Consequence.FAILURE}),
        kinds=frozenset({ChangeKind.DROP_ENUM_LABEL, ChangeKind.CHANGE_TYPE}),
        dialects=POSTGRESQL | MYSQL,
        why=(
            "PostgreSQL cannot drop a label, so that a new type has to take the place of the old one, which fails for "
            "rows that have the label. MySQL fails too, or in its lax mode makes them an empty text."
        ),
        alternative="Keep the label, or give the rows that have it another one before.",
        judge=_label,
        questions=lambda change: labels_questions(change) if _may_lose_labels(change) else [],
        decided="by the labels in use: if no row has it, it is a matter of caution",
    ),
    Rule(
        id="DS106",
        title="narrower type",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.FAILURE, Consequence.LOSS}),
        kinds=_TYPE_KINDS,
        dialects=SQL,
        why="PostgreSQL, and MySQL in its strict mode, fail on values that do not fit; lax MySQL truncates them.",
        alternative="A new column: write both, fill it, read it, drop the old one.",
        judge=_narrowing,
        questions=_questions_of_fitting,
        decided="by the longest, smallest and largest value: if all fit at present, it is a matter of caution",
    ),
    Rule(
        id="DS107",
        title="lossy change of type",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=_TYPE_KINDS | {ChangeKind.CHANGE_COMPUTED},
        dialects=SQL,
        why="Digits, the time of day, the order of members: something is lost, and no error says so.",
        alternative="A new column, and the old one kept until the values have been compared.",
        judge=_loss,
        questions=_questions_of_loss,
        decided="by how many values the conversion changes: if none at present, it is a matter of caution",
    ),
    Rule(
        id="DS108",
        title="text or fractions made whole numbers on SQLite",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=_TYPE_KINDS,
        dialects=SQLITE,
        why="SQLite converts what is no number to 0 and drops fractions, without an error.",
        alternative="Look for values that do not survive the round trip, and mend them before.",
        judge=_cast,
        questions=_questions_of_loss,
        decided="by how many values the conversion changes: if none at present, it is a matter of caution",
    ),
)
