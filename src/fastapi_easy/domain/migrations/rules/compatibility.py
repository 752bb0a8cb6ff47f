"""Rules about what programs that know the older schema cannot live with."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    EVERYWHERE,
    POSTGRESQL,
    SQL,
    earlier,
    evidence_of_rows,
    is_empty,
    is_new,
    texts_of,
)
from fastapi_easy.domain.migrations.rules.questions import column_question, table_question
from fastapi_easy.domain.migrations.rules.type_loss import type_change_of

_INCOMPATIBLE: Final = frozenset({Consequence.INCOMPATIBLE})
_RESTRICTING: Final = frozenset(
    {
        ChangeKind.ADD_CHECK,
        ChangeKind.ADD_UNIQUE,
        ChangeKind.ADD_PRIMARY_KEY,
        ChangeKind.ADD_EXCLUSION,
        ChangeKind.ADD_FOREIGN_KEY,
        ChangeKind.SET_NOT_NULL,
        ChangeKind.CREATE_INDEX,
        ChangeKind.CHANGE_VALIDATOR,
    }
)
_DEPENDED_ON: Final = frozenset({ChangeKind.DROP_VIEW, ChangeKind.DROP_TYPE, ChangeKind.DROP_SEQUENCE})


_DROPPING: Final = frozenset({ChangeKind.DROP_COLUMN, ChangeKind.DROP_TABLE, ChangeKind.DROP_VIEW})


def _rename_table(change: Change, circumstances: Circumstances) -> Verdict | None:
    for each in circumstances.changes:
        if each.facts.get("command") == "create_view" and each.table == change.table:
            return None
    return _rename(change, circumstances)


def _rename_column(change: Change, circumstances: Circumstances) -> Verdict | None:
    for each in circumstances.changes:
        back = each.kind is ChangeKind.ADD_COLUMN and each.object == change.object
        if back and each.facts.get("computed"):
            return None
    return _rename(change, circumstances)


def _rename(change: Change, _: Circumstances) -> Verdict:
    new_name = change.facts.get("new_name", "something else")
    message = f"Programs that say {change.object} fail once it is called {new_name}."
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _required_column(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    if facts.get("nullable", True) or is_new(change, circumstances):
        return None
    if facts.get("default") is not None or facts.get("computed") or facts.get("identity", False):
        return None
    message = f"Programs that do not know {change.object} cannot insert into {change.table} any more"
    evidence = evidence_of_rows(change, circumstances)
    if facts.get("in_batches", False):
        message = f"{message}; rows that exist are filled."
        return Verdict(risk=Risk.CAUTION, message=message, evidence=evidence)
    if is_empty(change, circumstances):
        return Verdict(risk=Risk.CAUTION, message=f"{message}.", evidence=evidence)
    message = f"{message}, and rows that exist have no value for it."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _drop_not_null(change: Change, _: Circumstances) -> Verdict:
    return Verdict(risk=Risk.CAUTION, message=f"Programs that read {change.object} may meet nulls.")


def _default(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    if is_new(change, circumstances):
        return None
    if change.kind is ChangeKind.CHANGE_IDENTITY:
        return Verdict(
            risk=Risk.CAUTION, message=f"The server numbers {change.object} in another way, or not at all."
        )
    if facts.get("nullable", False) or ("default_before" in facts and facts["default_before"] is None):
        return None
    message = f"Programs that leave {change.object} out get "
    message += "an error." if facts.get("default") is None else f"{facts['default']} instead."
    return Verdict(risk=Risk.CAUTION, message=message)


def _type(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_new(change, circumstances):
        return None
    if change.kind is ChangeKind.CHANGE_COLLATION:
        message = (
            f"Comparisons and the order of {change.object} change, and with them what counts as a duplicate."
        )
        return Verdict(risk=Risk.CAUTION, message=message)
    types = type_change_of(change, circumstances)
    if types is not None and types.reads_the_same:
        return Verdict(risk=Risk.SAFE, message=f"{change.object} may be longer; programs read it as before.")
    return Verdict(risk=Risk.CAUTION, message=f"Programs that read {change.object} get another type.")


def _restriction(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    if is_new(change, circumstances) or facts.get("new_columns", False):
        return None
    if change.kind is ChangeKind.CREATE_INDEX and not facts.get("unique", False):
        return None
    if change.kind is ChangeKind.CHANGE_VALIDATOR and (
        facts.get("loosens", False) or facts.get("validator", "?") in {"", "{}"}
    ):
        return None
    message = f"Programs that do not know {change.object} may write what it rejects."
    return Verdict(risk=Risk.CAUTION, message=message)


def _dependents(change: Change, circumstances: Circumstances) -> Verdict | None:
    command = change.facts.get("command", "")
    if change.kind is ChangeKind.RUN_SQL and not command.startswith("drop_"):
        return None
    dependents = _left_dependents(change, circumstances)
    message = f"What uses {change.object} fails without it, or is dropped with it."
    if dependents is None:
        evidence = "what depends on it is unknown"
        return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)
    if not dependents and not change.facts.get("cascade", False):
        return Verdict(risk=Risk.CAUTION, message=message, evidence="nothing in the database depends on it")
    evidence = (
        f"depends on it: {', '.join(dependents)}" if dependents else "nothing in the database depends on it"
    )
    return Verdict(risk=Risk.DANGEROUS if dependents else Risk.CAUTION, message=message, evidence=evidence)


def _left_dependents(change: Change, circumstances: Circumstances) -> list[str] | None:
    """Return what depends on it and is not dropped, or given another type, by the plan before."""
    dependents = texts_of(column_question("dependents", change), circumstances)
    gone = {
        each.object
        for each in earlier(change, circumstances)
        if each.kind in _DROPPING or _leaves(each, change)
    }
    if dependents is None:
        return None
    return [each for each in dependents if each not in gone and each.rpartition(".")[0] not in gone]


def _leaves(change: Change, dropped: Change) -> bool:
    """Return whether *change* gives a column another type than the one that is dropped."""
    after = change.facts.get("type_after", dropped.name).removesuffix("[]")
    return change.kind is ChangeKind.CHANGE_TYPE and after != dropped.name


COMPATIBILITY: Final = (
    Rule(
        id="BC101",
        title="table renamed",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.RENAME_TABLE, ChangeKind.RENAME_COLLECTION}),
        dialects=EVERYWHERE,
        why="While two versions of a program run, one of them asks for a table that is not there.",
        alternative="Keep the name in the database and rename the class only; or leave a view under the old name.",
        judge=_rename_table,
        decided="from the plan: a view of the old name in the same plan makes up for it",
    ),
    Rule(
        id="BC102",
        title="column renamed",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.RENAME_COLUMN}),
        dialects=EVERYWHERE,
        why="While two versions of a program run, one of them asks for a column that is not there.",
        alternative='Keep the name in the database (`mapped_column("old")`); or add, fill and read a new column first.',
        judge=_rename_column,
        decided="from the plan: a computed column of the old name in the same plan makes up for it",
    ),
    Rule(
        id="BC103",
        title="schema renamed",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.RENAME_SCHEMA}),
        dialects=POSTGRESQL,
        why="Every program that names it, or has it in its search path, fails.",
        alternative="A new schema with views of the old tables.",
        judge=_rename,
    ),
    Rule(
        id="BC104",
        title="label of an enumeration renamed",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.RENAME_ENUM_LABEL}),
        dialects=POSTGRESQL,
        why="Older programs write the old label, which fails, and read one that they do not know.",
        alternative="Add the new label, give the rows that one, and retire the old one.",
        judge=_rename,
    ),
    Rule(
        id="BC105",
        title="required column added",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE | {Consequence.FAILURE},
        kinds=frozenset({ChangeKind.ADD_COLUMN}),
        dialects=SQL,
        why="Older programs insert without it and fail. Where rows exist, adding it fails already.",
        alternative="Let it be null at first, or give it a default in the database.",
        judge=_required_column,
        questions=lambda change: [table_question("rows", change)],
        decided="by the number of rows: with none, or when they are filled, it is a matter of caution",
    ),
    Rule(
        id="BC106",
        title="null allowed",
        risk=Risk.CAUTION,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.DROP_NOT_NULL}),
        dialects=SQL,
        why="Programs that read may not expect a null, and once there is one it cannot be undone.",
        alternative="A value that stands for none, or programs that can read nulls before.",
        judge=_drop_not_null,
    ),
    Rule(
        id="BC107",
        title="default changed",
        risk=Risk.CAUTION,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.CHANGE_DEFAULT, ChangeKind.CHANGE_IDENTITY}),
        dialects=SQL,
        why="Programs that leave the column to the server get another value, or an error.",
        alternative="Set the value in the program first.",
        judge=_default,
    ),
    Rule(
        id="BC108",
        title="type changed",
        risk=Risk.CAUTION,
        consequences=_INCOMPATIBLE,
        kinds=frozenset({ChangeKind.CHANGE_TYPE, ChangeKind.CHANGE_COLLATION}),
        dialects=SQL,
        why="Older programs read, compare and bind values as the type that they know.",
        alternative="A new column: write both, fill it, read it, drop the old one.",
        judge=_type,
        decided="by the types: a longer text is safe",
    ),
    Rule(
        id="BC109",
        title="writes restricted",
        risk=Risk.CAUTION,
        consequences=_INCOMPATIBLE,
        kinds=_RESTRICTING,
        dialects=EVERYWHERE,
        why="Older programs may write what is rejected from now on.",
        alternative="Let the programs comply first.",
        judge=_restriction,
    ),
    Rule(
        id="BC110",
        title="view, type, sequence or function dropped",
        risk=Risk.DANGEROUS,
        consequences=_INCOMPATIBLE | {Consequence.FAILURE},
        kinds=_DEPENDED_ON | {ChangeKind.RUN_SQL},
        dialects=SQL,
        why="Whatever depends on it fails, keeps it from being dropped, or is dropped as well.",
        alternative="Change what depends on it first.",
        judge=_dependents,
        questions=lambda change: [column_question("dependents", change)],
        decided="by what the database says depends on it: if nothing does, it is a matter of caution",
    ),
)
