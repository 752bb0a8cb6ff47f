"""Rules about changes that fail, or do something else, depending on the data that is there."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    COUNTED_ROWS,
    EVERYWHERE,
    MONGODB,
    MYSQL,
    POSTGRESQL,
    SQL,
    SQLITE,
    columns_of,
    count_of,
    earlier,
    evidence_of_rows,
    is_by_hand,
    is_empty,
    is_new,
    rows_of,
    texts_of,
)
from fastapi_easy.domain.migrations.rules.questions import (
    SQL_MODE,
    column_question,
    constraint_question,
    duplicates_question,
    table_question,
)

_FAILURE: Final = frozenset({Consequence.FAILURE})
_UNIQUE: Final = frozenset({ChangeKind.ADD_UNIQUE, ChangeKind.CREATE_INDEX, ChangeKind.ADD_PRIMARY_KEY})
_STRICT: Final = ("STRICT_ALL_TABLES", "STRICT_TRANS_TABLES")
_CONVERTING: Final = frozenset(
    {ChangeKind.CHANGE_TYPE, ChangeKind.SET_NOT_NULL, ChangeKind.ADD_COLUMN, ChangeKind.BACKFILL}
)


def _is_unique(change: Change) -> bool:
    return change.kind is not ChangeKind.CREATE_INDEX or bool(change.facts.get("unique", False))


def _replaces_index(change: Change, circumstances: Circumstances) -> bool:
    columns = tuple(change.facts.get("columns", ()))
    return any(
        each.kind is ChangeKind.DROP_INDEX
        and each.table == change.table
        and (each.name == change.name or (columns and tuple(each.facts.get("columns", ())) == columns))
        for each in earlier(change, circumstances)
    )


def _unique(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not _is_unique(change) or _replaces_index(change, circumstances):
        return None
    return _duplicates(change, circumstances)


def _becomes_unique(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not _is_unique(change) or not _replaces_index(change, circumstances):
        return None
    return _duplicates(change, circumstances)


def _duplicates(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_empty(change, circumstances):
        return None
    if change.facts.get("new_columns", False) and not _has_one_value(change, circumstances):
        return None
    where = f"{change.table} ({', '.join(columns_of(change))})"
    if rows_of(change, circumstances) == 1:
        return None
    duplicates = count_of(duplicates_question(change), circumstances)
    if duplicates == 0:
        message = f"It fails if somebody writes a duplicate into {where} before."
        return Verdict(risk=Risk.SAFE, message=message, evidence="there are no duplicates at present")
    evidence = "whether there are duplicates is unknown" if duplicates is None else "there are duplicates"
    return Verdict(
        risk=Risk.DANGEROUS, message=f"It fails if there are duplicates in {where}.", evidence=evidence
    )


def _has_one_value(change: Change, circumstances: Circumstances) -> bool:
    """Return whether rows that exist get the same value in every column, which are all new."""
    columns = columns_of(change)
    added = [
        each
        for each in circumstances.changes
        if each.kind is ChangeKind.ADD_COLUMN and each.table == change.table and each.name in columns
    ]
    same = [
        each.facts.get("default") is not None
        and not each.facts.get("volatile_default", False)
        and not each.facts.get("identity", False)
        for each in added
    ]
    return bool(same) and all(same)


def _not_null(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_empty(change, circumstances):
        return None
    checks = texts_of(table_question("validated_checks", change), circumstances) or ()
    if any(proves_not_null(each, change.name) for each in checks):
        message = f"A check holds that {change.object} is not null."
        return Verdict(risk=Risk.SAFE, message=message, evidence="there is a validated check")
    nulls = count_of(column_question("nulls", change), circumstances)
    if nulls == 0:
        message = f"It fails if somebody writes a null into {change.object} before."
        return Verdict(risk=Risk.SAFE, message=message, evidence="there are no nulls at present")
    fails = f"It fails if there is a null in {change.object}"
    if circumstances.dialect == "mysql":
        fails = f"{fails}; in a lax mode it becomes 0 or an empty text instead"
    evidence = "whether there are nulls is unknown"
    if nulls is not None:
        counted = str(nulls) if nulls < COUNTED_ROWS else f"{COUNTED_ROWS} or more"
        evidence = f"rows that are null: {counted}"
    if change.facts.get("in_batches", False) or _is_filled(change, circumstances):
        message = f"{fails}; the plan fills it before."
        return Verdict(risk=Risk.CAUTION, message=message, evidence=evidence)
    return Verdict(risk=Risk.DANGEROUS, message=f"{fails}.", evidence=evidence)


def _is_filled(change: Change, circumstances: Circumstances) -> bool:
    return any(
        each.kind is ChangeKind.BACKFILL and each.table == change.table and change.name in columns_of(each)
        for each in earlier(change, circumstances)
    )


def proves_not_null(expression: str, column: str) -> bool:
    """Return whether a check with *expression* holds that *column* is not null."""
    plain = " ".join(
        expression.replace("(", " ").replace(")", " ").replace('"', " ").replace("`", " ").split()
    )
    plain = plain.removeprefix("CHECK ").casefold()
    return plain == f"{column} is not null".casefold()


def _foreign_key(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.VALIDATE_CONSTRAINT and "references" not in change.facts:
        return None
    message = f"It fails for rows of {change.table} that refer to none of {change.facts.get('references', 'the other')}"
    if circumstances.dialect == "sqlite":
        message = f"{message}; where foreign keys are not enforced, such rows stay"
    return _violations(change, circumstances, constraint_question("orphans", change), f"{message}.")


def _check(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.VALIDATE_CONSTRAINT and "expression" not in change.facts:
        return None
    if change.kind is ChangeKind.CHANGE_VALIDATOR and (
        change.facts.get("loosens", False) or change.facts.get("validator", "?") in {"", "{}"}
    ):
        # What it took before it takes still.
        return None
    message = f"It fails for rows of {change.table} that violate it."
    if change.kind is ChangeKind.CHANGE_VALIDATOR:
        message = f"Documents of {change.table} that violate it stay, and cannot be changed any more."
    return _violations(change, circumstances, constraint_question("violations", change), message)


def _violations(change: Change, circumstances: Circumstances, question: str, message: str) -> Verdict | None:
    facts = change.facts
    if is_empty(change, circumstances):
        return None
    if facts.get("new_columns", False) and not _has_one_value(change, circumstances):
        return None
    violations = count_of(question, circumstances)
    if violations == 0:
        return Verdict(risk=Risk.SAFE, message=message, evidence="there is none at present")
    evidence = "whether there are any is unknown" if violations is None else "there are some"
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _silent_value(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    if facts.get("nullable", True) or is_empty(change, circumstances):
        return None
    if facts.get("default") is not None or facts.get("computed") or facts.get("identity", False):
        return None
    if facts.get("in_batches", False):
        return None
    message = f"Rows that exist get 0, an empty text or the first label in {change.object}, without a word."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence_of_rows(change, circumstances))


def _using(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not change.facts.get("needs_using", False) or is_new(change, circumstances):
        return None
    message = f"PostgreSQL does not convert {change.object} to {change.facts.get('type_after', 'the type')} by itself."
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _views(change: Change, circumstances: Circumstances) -> Verdict | None:
    if is_new(change, circumstances):
        return None
    dependents = texts_of(column_question("dependents", change), circumstances)
    if dependents is not None and not dependents:
        return None
    message = f"It fails, or breaks them, if views use {change.object}."
    evidence = "whether views use it is unknown" if dependents is None else f"used by {', '.join(dependents)}"
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _lax_mode(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    if facts.get("command") == "set_sql_mode":
        if any(each in facts.get("statement", "").upper() for each in _STRICT):
            return None
        message = "The statement switches the strict mode off: what does not fit is truncated from then on."
        return Verdict(risk=Risk.DANGEROUS, message=message)
    if change.kind not in _CONVERTING or not is_by_hand(change):
        return None
    mode = texts_of(SQL_MODE, circumstances)
    is_strict = mode is not None and any(each in " ".join(mode).upper() for each in _STRICT)
    if is_strict or (mode is None and circumstances.mode):
        return None
    evidence = (
        "the mode of the server is unknown" if mode is None else f"sql_mode is {', '.join(mode) or 'empty'}"
    )
    message = f"In a lax mode what does not fit {change.object} is truncated, without an error."
    if circumstances.mode:
        message = f"{message} The step is executed in the strict mode; by another program it would not be."
        return Verdict(risk=Risk.SAFE, message=message, evidence=evidence)
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


EXISTING_DATA: Final = (
    Rule(
        id="DD101",
        title="uniqueness of existing values",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=_UNIQUE,
        dialects=EVERYWHERE,
        why="It fails on the first duplicate. `CONCURRENTLY` then leaves an invalid index.",
        alternative="Find them (`GROUP BY … HAVING count(*) > 1`) and decide which one stays.",
        judge=_unique,
        questions=lambda change: (
            [table_question("rows", change), duplicates_question(change)] if _is_unique(change) else []
        ),
        decided="by the duplicates: if there is none, it is safe",
    ),
    Rule(
        id="DD102",
        title="index becomes unique",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=_UNIQUE,
        dialects=EVERYWHERE,
        why="It fails on the first duplicate, after the old index is gone.",
        alternative="Create the unique index under another name first, and drop the old one when it is there.",
        judge=_becomes_unique,
        questions=lambda change: (
            [table_question("rows", change), duplicates_question(change)] if _is_unique(change) else []
        ),
        decided="by the duplicates: if there is none, it is safe",
    ),
    Rule(
        id="DD103",
        title="null forbidden",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE | {Consequence.LOSS},
        kinds=frozenset({ChangeKind.SET_NOT_NULL}),
        dialects=SQL,
        why="It fails on the first null; MySQL in its lax mode writes 0 or an empty text instead.",
        alternative="Fill the nulls in batches (`--fill`), and let a check be validated before.",
        judge=_not_null,
        questions=lambda change: [
            table_question("rows", change),
            column_question("nulls", change),
            table_question("validated_checks", change),
        ],
        decided="by the nulls: if there is none it is safe, if the plan fills them it is a matter of caution",
    ),
    Rule(
        id="DD104",
        title="foreign key on existing rows",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=frozenset({ChangeKind.ADD_FOREIGN_KEY, ChangeKind.VALIDATE_CONSTRAINT}),
        dialects=SQL,
        why="It fails on the first row that refers to nothing.",
        alternative="Find such rows with `NOT EXISTS`, and delete or mend them before.",
        judge=_foreign_key,
        questions=lambda change: [table_question("rows", change), constraint_question("orphans", change)],
        decided="by the rows that refer to nothing: if there is none, it is safe",
    ),
    Rule(
        id="DD105",
        title="check on existing rows",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=frozenset({ChangeKind.ADD_CHECK, ChangeKind.VALIDATE_CONSTRAINT, ChangeKind.CHANGE_VALIDATOR}),
        dialects=SQL | MONGODB,
        why="It fails on the first row that violates it. MongoDB keeps such documents and rejects their changes.",
        alternative="Find such rows with `WHERE NOT (…)`, and mend them before.",
        judge=_check,
        questions=lambda change: [table_question("rows", change), constraint_question("violations", change)],
        decided="by the rows that violate it: if there is none, it is safe",
    ),
    Rule(
        id="DD106",
        title="values that nobody chose",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset({ChangeKind.ADD_COLUMN}),
        dialects=MYSQL,
        why="MySQL fills a required column without a default with 0, an empty text, the first label or `0000-00-00`.",
        alternative="A default, or nulls that are filled before they are forbidden (`--fill`).",
        judge=_silent_value,
        questions=lambda change: [table_question("rows", change)],
        decided="by the number of rows: with none it does not apply",
    ),
    Rule(
        id="DD107",
        title="conversion that has to be spelled out",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=frozenset({ChangeKind.CHANGE_TYPE}),
        dialects=POSTGRESQL,
        why="Without `USING` PostgreSQL converts only what it would in an assignment: no text to numbers.",
        alternative="Say how, with `--using table.column=expression`.",
        judge=_using,
    ),
    Rule(
        id="DD108",
        title="column that views use",
        risk=Risk.DANGEROUS,
        consequences=_FAILURE,
        kinds=frozenset({ChangeKind.CHANGE_TYPE, ChangeKind.DROP_COLUMN}),
        dialects=POSTGRESQL | SQLITE,
        why="PostgreSQL refuses to change a column that a view uses; on SQLite the view fails from then on.",
        alternative="Drop the view, change the column, and create the view again, in one step.",
        judge=_views,
        questions=lambda change: [column_question("dependents", change)],
        decided="by the views that use it",
    ),
    Rule(
        id="DD109",
        title="lax mode of MySQL",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=_CONVERTING | {ChangeKind.RUN_SQL},
        dialects=MYSQL,
        why="Without `STRICT_ALL_TABLES` statements truncate values instead of failing. Steps are executed with it.",
        alternative="Leave `sql_mode` alone.",
        judge=_lax_mode,
        questions=lambda change: [SQL_MODE] if is_by_hand(change) else [],
        decided="by the mode of the session",
    ),
)
