"""Rules about what is hard to repeat, to watch or to take back."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import (
    EVERYWHERE,
    MYSQL,
    POSTGRESQL,
    SQL,
    earlier,
)

_OPERATION: Final = frozenset({Consequence.OPERATION})
_SHOWN: Final = 60
"""Characters of a statement in a message."""

_LONGEST: Final = {"postgresql": 63, "mysql": 64}
_DATA: Final = frozenset({ChangeKind.BACKFILL, ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON})
_TRANSACTIONS: Final = frozenset({"begin", "commit", "rollback"})
_NAMELESS: Final = frozenset(
    {ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN, ChangeKind.BACKFILL}
)


def is_opaque(change: Change) -> bool:
    """Return whether nobody can tell what *change* does."""
    if change.kind is ChangeKind.RUN_SQL:
        return "command" not in change.facts
    return change.kind in {ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN}


def _irreversible(change: Change, _: Circumstances) -> Verdict | None:
    changes_rows = change.facts.get("command", "") in {"truncate", "delete", "delete_where", "insert"}
    if change.facts.get("reversible", False) or not (
        change.kind is ChangeKind.BACKFILL or is_opaque(change) or changes_rows
    ):
        return None
    message = "Nothing says how to undo it; a rollback stops here."
    return Verdict(risk=Risk.CAUTION, message=message)


def _opaque(change: Change, _: Circumstances) -> Verdict | None:
    if not is_opaque(change):
        return None
    if change.kind is ChangeKind.UNKNOWN:
        return Verdict(risk=Risk.DANGEROUS, message="Nobody can tell what it does.")
    declared = change.facts.get("declared_risk", "")
    if declared in {each.value for each in Risk}:
        message = f"Nobody can tell what it does; its author says that it is {declared}."
        return Verdict(risk=Risk(declared), message=message, evidence="declared")
    text = " ".join(change.facts.get("statement", "").split())
    shown = f": {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}" if text else "."
    return Verdict(risk=Risk.DANGEROUS, message=f"Nobody can tell what it does{shown}")


def _model(change: Change, _: Circumstances) -> Verdict | None:
    model = change.facts.get("imports_model")
    if not model:
        return None
    message = f"It imports {model}, which will have changed when the script is run on another database."
    return Verdict(risk=Risk.CAUTION, message=message)


def _transaction(change: Change, _: Circumstances) -> Verdict | None:
    command = change.facts.get("command", "")
    if command not in _TRANSACTIONS:
        return None
    message = f"{command.upper()} in a step parts what it does from the record that it is done."
    return Verdict(risk=Risk.DANGEROUS, message=message)


def _long_name(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind in _NAMELESS:
        return None
    names = [*change.table.split("."), change.name, change.facts.get("new_name", "")]
    # What is in parentheses is an expression that an index is on, and has no name.
    columns = [each for each in change.facts.get("columns", ()) if "(" not in each]
    names += [change.facts.get("constraint_name") or "", *columns]
    longest = _LONGEST.get(circumstances.dialect, 64)
    if circumstances.dialect == "postgresql":
        long = [each for each in names if len(each.encode()) > longest]
        message = "PostgreSQL cuts it to 63 bytes without a word, and every comparison finds a difference."
    else:
        long = [each for each in names if len(each) > longest]
        message = "MySQL takes names of at most 64 characters."
    return Verdict(risk=Risk.CAUTION, message=f"{long[0]} is too long. {message}") if long else None


def _inline_reference(change: Change, circumstances: Circumstances) -> Verdict | None:
    # MariaDB has obeyed them since 10.5, MySQL since 9.0.
    since = (10, 5) if circumstances.is_mariadb else (9, 0)
    obeyed = circumstances.server_version[:2] >= since
    if not change.facts.get("inline_references", False) or obeyed:
        return None
    message = f"REFERENCES behind the column {change.object} is read and ignored: there is no foreign key."
    return Verdict(risk=Risk.CAUTION, message=message)


def _new_label(change: Change, circumstances: Circumstances) -> Verdict | None:
    if circumstances.mode not in {"", "transaction"}:
        return None
    labels = [each.rpartition(".")[2] for each in (change.name, *change.facts.get("labels", ())) if each]
    for each in circumstances.step:
        if each is change:
            continue
        texts = " ".join(
            str(each.facts.get(fact, "")) for fact in ("default", "statement", "expression", "where")
        )
        if any(f"'{label}'" in texts for label in labels):
            message = f"{change.object} is used in the transaction that adds it: PostgreSQL refuses that."
            return Verdict(risk=Risk.CAUTION, message=message)
    return None


def _needed_index(change: Change, circumstances: Circumstances) -> Verdict | None:
    needed_by = change.facts.get("supports_foreign_key")
    if not needed_by:
        return None
    for each in earlier(change, circumstances):
        if each.kind is ChangeKind.DROP_FOREIGN_KEY and each.table == change.table and each.name == needed_by:
            return None
    message = f"{change.object} is what the foreign key {needed_by} needs: MySQL answers with error 1553."
    return Verdict(risk=Risk.DANGEROUS, message=message)


_SPELLINGS: Final = {
    "now": "now",
    "current_timestamp": "now",
    "localtimestamp": "now",
    "false": "0",
    "true": "1",
    "b0": "0",
    "b1": "1",
}


def _spelling(change: Change, _: Circumstances) -> Verdict | None:
    before, after = change.facts.get("default_before"), change.facts.get("default")
    if before is None or after is None or _plain(before) != _plain(after):
        return None
    message = f"{before} and {after} mean the same; compared as texts they differ for ever."
    return Verdict(risk=Risk.SAFE, message=message)


def _plain(default: str) -> str:
    plain = default.casefold().strip().replace("(", "").replace(")", "").replace("'", "").strip()
    return _SPELLINGS.get(plain, plain)


def _never(_: Change, __: Circumstances) -> None:
    return None


OPERATION: Final = (
    Rule(
        id="OP104",
        title="transaction begun or ended by hand",
        risk=Risk.DANGEROUS,
        consequences=_OPERATION,
        kinds=frozenset({ChangeKind.RUN_SQL}),
        dialects=SQL,
        why="A step and the record that it is done are one transaction; without it a crash in between is not noticed.",
        alternative="Leave transactions to the execution; a step without one says so.",
        judge=_transaction,
    ),
    Rule(
        id="OP105",
        title="name too long",
        risk=Risk.CAUTION,
        consequences=_OPERATION,
        kinds=frozenset(ChangeKind) - _NAMELESS,
        dialects=POSTGRESQL | MYSQL,
        why="PostgreSQL cuts names to 63 bytes, MySQL fails beyond 64 characters.",
        alternative="A shorter name.",
        judge=_long_name,
    ),
    Rule(
        id="OP106",
        title="reference that is ignored",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.INTEGRITY}),
        kinds=frozenset({ChangeKind.ADD_COLUMN, ChangeKind.CREATE_TABLE}),
        dialects=MYSQL,
        why="MySQL before 9.0 and MariaDB before 10.5 read `REFERENCES` behind a column and ignore it.",
        alternative="`FOREIGN KEY (…) REFERENCES …` of the table.",
        judge=_inline_reference,
        decided="by the version of the server; unknown ones are taken for old",
    ),
    Rule(
        id="OP107",
        title="new label used at once",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.FAILURE}),
        kinds=frozenset({ChangeKind.ADD_ENUM_LABEL}),
        dialects=POSTGRESQL,
        why="PostgreSQL refuses a label in the transaction that has added it: `unsafe use of new value`.",
        alternative="A step of its own for the label, committed before.",
        judge=_new_label,
    ),
    Rule(
        id="OP108",
        title="data step that cannot be undone",
        risk=Risk.CAUTION,
        consequences=_OPERATION,
        kinds=_DATA,
        dialects=EVERYWHERE,
        why="A rollback stops at it.",
        alternative="Write what undoes it; or keep what was there in another column.",
        judge=_irreversible,
    ),
    Rule(
        id="OP109",
        title="unknown effect",
        risk=Risk.DANGEROUS,
        consequences=_OPERATION,
        kinds=frozenset({ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN}),
        dialects=EVERYWHERE,
        why="What nobody can read may do anything.",
        alternative="Declare its risk in the script, where it was reviewed; or write it in a way that can be read.",
        judge=_opaque,
        decided="by the statement; for what cannot be read by the risk that its author declares",
    ),
    Rule(
        id="OP110",
        title="class of the program in a data step",
        risk=Risk.CAUTION,
        consequences=_OPERATION,
        kinds=frozenset({ChangeKind.RUN_PYTHON}),
        dialects=EVERYWHERE,
        why="The class knows the newest schema, the step runs on the one of its time.",
        alternative="Tables that are spelled out in the script, with the columns that it needs.",
        judge=_model,
    ),
    Rule(
        id="OP111",
        title="index dropped that a foreign key needs",
        risk=Risk.DANGEROUS,
        consequences=frozenset({Consequence.FAILURE}),
        kinds=frozenset({ChangeKind.DROP_INDEX, ChangeKind.DROP_UNIQUE}),
        dialects=MYSQL,
        why="MySQL needs an index on the columns of every foreign key, and refuses.",
        alternative="Drop the foreign key before, or create another index on its columns.",
        judge=_needed_index,
    ),
    Rule(
        id="OP112",
        title="default spelled in another way",
        risk=Risk.SAFE,
        consequences=_OPERATION,
        kinds=frozenset({ChangeKind.CHANGE_DEFAULT}),
        dialects=MYSQL | {"sqlite"},
        why="`now()` and `current_timestamp()`, `false` and `0` mean the same, and the server answers one of them.",
        alternative="Spell it as the server does.",
        judge=_spelling,
    ),
    Rule(
        id="OP113",
        title="suppression that does not hold",
        risk=Risk.CAUTION,
        consequences=_OPERATION,
        kinds=frozenset(),
        dialects=EVERYWHERE,
        why="It has expired, or names a rule that there is not: what it was written for counts again.",
        alternative="Decide anew, and write down the reason and the day; or delete it.",
        judge=_never,
        decided="by the day on which the plan is made",
    ),
)
