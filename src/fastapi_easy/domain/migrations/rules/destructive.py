"""Rules about what deletes data."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    EVERYWHERE,
    MONGODB,
    SQL,
    SQLITE,
    count_of,
    earlier,
    evidence_of_rows,
    is_empty,
    is_new,
    later,
)
from fastapi_easy.domain.migrations.rules.questions import column_question, table_question

_LOSS: Final = frozenset({Consequence.LOSS, Consequence.INCOMPATIBLE})
_DROPPED_INDEXES: Final = frozenset(
    {ChangeKind.DROP_INDEX, ChangeKind.DROP_UNIQUE, ChangeKind.DROP_PRIMARY_KEY}
)

_DROPPED_TABLES: Final = frozenset({ChangeKind.DROP_TABLE, ChangeKind.DROP_COLLECTION})


def _drop_table(change: Change, circumstances: Circumstances) -> Verdict:
    evidence = evidence_of_rows(change, circumstances)
    takes_others = change.facts.get("cascade", False) and circumstances.dialect == "postgresql"
    if count_of(table_question("rows", change), circumstances) == 0 and not takes_others:
        message = f"{change.object} holds nothing now; programs that still use it fail."
        return Verdict(risk=Risk.CAUTION, message=message, evidence=evidence)
    whatever = " and whatever depends on it" if takes_others else ""
    message = f"{change.object}{whatever} is deleted with everything in it."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _drop_schema(change: Change, _: Circumstances) -> Verdict:
    return Verdict(risk=Risk.DANGEROUS, message=f"Everything in the schema {change.object} is deleted.")


def _drop_column(change: Change, circumstances: Circumstances) -> Verdict:
    if change.facts.get("computed") == "virtual":
        message = (
            f"The values of {change.object} are computed, so none is lost; programs that read them fail."
        )
        return Verdict(risk=Risk.CAUTION, message=message)
    if count_of(column_question("all_null", change), circumstances):
        message = f"{change.object} holds no value now; programs that name it fail."
        return Verdict(risk=Risk.CAUTION, message=message, evidence="every value is null")
    if count_of(table_question("rows", change), circumstances) == 0:
        message = f"{change.table} has no rows now; programs that name {change.object} fail."
        return Verdict(risk=Risk.CAUTION, message=message, evidence="the table is empty")
    message = f"Every value of {change.object} is deleted; programs that name it fail."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence_of_rows(change, circumstances))


def _drop_indexed_column(change: Change, circumstances: Circumstances) -> Verdict | None:
    dropped = {
        each.name
        for each in earlier(change, circumstances)
        if each.kind in _DROPPED_INDEXES and each.table == change.table
    }
    left = [each for each in change.facts.get("in_indexes", ()) if each not in dropped]
    if not left:
        return None
    message = f"{change.object} is part of {', '.join(left)}, which "
    message += {
        "postgresql": "is dropped as a whole without a word.",
        "mysql": "is shortened, or dropped, without a word.",
    }.get(circumstances.dialect, "makes the statement fail.")
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _probable_rename(change: Change, circumstances: Circumstances) -> Verdict | None:
    old = change.facts.get("probable_rename_of")
    if not old:
        return None
    is_table = change.kind is not ChangeKind.ADD_COLUMN
    if is_table and not any(
        each.kind in _DROPPED_TABLES and each.table == old for each in circumstances.changes
    ):
        message = f"{change.object} has the columns of {old}, which nobody declares any more: if it is the same under "
        return Verdict(risk=Risk.DANGEROUS, message=message + "another name, it begins empty.")
    message = f"{old} is dropped and {change.object} of the same form is added: if it is the same under another name, "
    return Verdict(risk=Risk.DANGEROUS, message=message + "everything in it is lost.")


def _rebuild_of_referenced(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.DROP_TABLE:
        back = any(
            each.kind is ChangeKind.RENAME_TABLE and each.facts.get("new_name") == change.table
            for each in later(change, circumstances)
        )
        rebuilt = back and "statement" in change.facts
    else:
        rebuilt = change.facts.get("rebuild", False)
    if not rebuilt or circumstances.mode == "rebuild":
        return None
    message = (
        f"{change.table} is built anew while foreign keys are enforced: rows that refer to it go with it."
    )
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _delete_rows(change: Change, circumstances: Circumstances) -> Verdict | None:
    command = change.facts.get("command")
    if command not in {"truncate", "delete", "delete_where"} or is_empty(change, circumstances):
        return None
    evidence = evidence_of_rows(change, circumstances)
    if command == "delete_where":
        message = f"Rows of {change.table} are deleted."
        return Verdict(risk=Risk.CAUTION, message=message, evidence=evidence)
    whatever = " and of every table that refers to it" if change.facts.get("cascade", False) else ""
    message = f"Every row of {change.table}{whatever} is deleted."
    return Verdict(risk=Risk.DANGEROUS, message=message, evidence=evidence)


def _replace_table(change: Change, circumstances: Circumstances) -> Verdict | None:
    if not change.facts.get("replaces", False):
        return None
    message = f"If {change.table} exists already, it is deleted with everything in it."
    rows = count_of(table_question("rows", change), circumstances)
    evidence = evidence_of_rows(change, circumstances)
    return Verdict(risk=Risk.CAUTION if rows == 0 else Risk.DANGEROUS, message=message, evidence=evidence)


def _shorter_life(change: Change, circumstances: Circumstances) -> Verdict | None:
    seconds, before = change.facts.get("expire_after"), change.facts.get("expire_after_before")
    if seconds is None or is_new(change, circumstances) or (before is not None and seconds >= before):
        return None
    message = f"Documents older than {seconds} seconds are deleted by the server, those that exist too."
    risk = Risk.CAUTION if is_empty(change, circumstances) else Risk.DANGEROUS
    return Verdict(risk=risk, message=message, evidence=evidence_of_rows(change, circumstances))


DESTRUCTIVE: Final = (
    Rule(
        id="DS101",
        title="table dropped",
        risk=Risk.DANGEROUS,
        consequences=_LOSS,
        kinds=frozenset({ChangeKind.DROP_TABLE, ChangeKind.DROP_COLLECTION}),
        dialects=EVERYWHERE,
        why="The data is gone, and programs that still use the table fail. Undoing it brings an empty table back.",
        alternative="Stop using it, deploy, rename it aside, and drop it later.",
        judge=_drop_table,
        questions=lambda change: [table_question("rows", change)],
        decided="by the number of rows: with none it is a matter of caution",
        destroys=True,
    ),
    Rule(
        id="DS102",
        title="schema dropped",
        risk=Risk.DANGEROUS,
        consequences=_LOSS,
        kinds=frozenset({ChangeKind.DROP_SCHEMA}),
        dialects=EVERYWHERE,
        why="Everything in it is gone, also what nobody here knows of.",
        alternative="Drop tables one by one, and the empty schema by hand.",
        judge=_drop_schema,
        destroys=True,
    ),
    Rule(
        id="DS103",
        title="column dropped",
        risk=Risk.DANGEROUS,
        consequences=_LOSS,
        kinds=frozenset({ChangeKind.DROP_COLUMN}),
        dialects=EVERYWHERE,
        why="The values are gone. ORMs name every column they know, so that older programs fail with every query.",
        alternative="Leave the column out of the class, deploy, and drop it then.",
        judge=_drop_column,
        questions=lambda change: [table_question("rows", change), column_question("all_null", change)],
        decided="by the values: when all are null, or computed when read, it is a matter of caution",
        destroys=True,
    ),
    Rule(
        id="DS104",
        title="indexed column dropped",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS, Consequence.INTEGRITY, Consequence.FAILURE}),
        kinds=frozenset({ChangeKind.DROP_COLUMN}),
        dialects=SQL,
        why="PostgreSQL drops the whole index or constraint, MariaDB takes the column out of it, SQLite fails.",
        alternative="Drop or replace the index in a step of its own before.",
        judge=_drop_indexed_column,
    ),
    Rule(
        id="DS109",
        title="probable rename",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset({ChangeKind.ADD_COLUMN, ChangeKind.CREATE_TABLE, ChangeKind.CREATE_COLLECTION}),
        dialects=EVERYWHERE,
        why="A comparison cannot tell a new name from something else: as it stands, the old data is lost.",
        alternative="Say that it is renamed, with `--rename`; or that it is not, by allowing both changes.",
        judge=_probable_rename,
    ),
    Rule(
        id="DS110",
        title="referenced table rebuilt with foreign keys on",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset(ChangeKind) - {ChangeKind.RUN_PYTHON},
        dialects=SQLITE,
        why="SQLite deletes the rows of a table before it drops it, and with them, or in them, what refers to them.",
        alternative="Let the change be compared: rebuilds of this system switch foreign keys off, and check them.",
        judge=_rebuild_of_referenced,
        destroys=True,
    ),
    Rule(
        id="DS111",
        title="rows deleted",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset({ChangeKind.RUN_SQL}),
        dialects=SQL,
        why="The rows are gone. `TRUNCATE … CASCADE` empties every table that refers to this one as well.",
        alternative="Delete what is meant, with a condition and in batches.",
        judge=_delete_rows,
        questions=lambda change: [table_question("rows", change)] if change.table else [],
        decided="by the statement: with a condition it is a matter of caution",
        destroys=True,
    ),
    Rule(
        id="DS112",
        title="table replaced",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset({ChangeKind.CREATE_TABLE, ChangeKind.CREATE_COLLECTION}),
        dialects=EVERYWHERE,
        why="A table of that name that nobody thought of is deleted, with its data.",
        alternative="Drop the old table in a step of its own, which has to be allowed.",
        judge=_replace_table,
        questions=lambda change: (
            [table_question("rows", change)] if change.facts.get("replaces", False) else []
        ),
        decided="by the number of rows: with none it is a matter of caution",
        destroys=True,
    ),
    Rule(
        id="DS113",
        title="documents expire sooner",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.LOSS}),
        kinds=frozenset({ChangeKind.CHANGE_TTL, ChangeKind.CREATE_INDEX}),
        dialects=MONGODB,
        why="Within a minute the server deletes every document that is old enough, and nothing brings it back.",
        alternative="Begin with a long time, look at what would go, and shorten it step by step.",
        judge=_shorter_life,
        questions=lambda change: [table_question("rows", change)],
        decided="by the number of documents: with none it is a matter of caution",
        destroys=True,
    ),
)
