"""Rules about SQL that somebody wrote by hand: how long it may wait and run, and whether it can be repeated."""

from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Consequence, Risk, Rule, Verdict
from fastapi_easy.domain.migrations.rules.judging import MYSQL, POSTGRESQL, SQL, by_extent, is_by_hand, is_new
from fastapi_easy.domain.migrations.rules.questions import extent

_WAITING: Final = frozenset(ChangeKind) - {
    *(ChangeKind.CREATE_SCHEMA, ChangeKind.CREATE_TABLE, ChangeKind.CREATE_TYPE, ChangeKind.CREATE_SEQUENCE),
    *(ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN, ChangeKind.BACKFILL, ChangeKind.CREATE_COLLECTION),
    *(
        ChangeKind.DROP_COLLECTION,
        ChangeKind.RENAME_COLLECTION,
        ChangeKind.CHANGE_VALIDATOR,
        ChangeKind.CHANGE_TTL,
    ),
}
_LONG: Final = frozenset(
    {
        *(ChangeKind.BACKFILL, ChangeKind.CREATE_INDEX, ChangeKind.CHANGE_TYPE, ChangeKind.ADD_CHECK),
        *(
            ChangeKind.ADD_FOREIGN_KEY,
            ChangeKind.ADD_UNIQUE,
            ChangeKind.ADD_PRIMARY_KEY,
            ChangeKind.SET_NOT_NULL,
        ),
        ChangeKind.RUN_SQL,
    }
)
_LONG_COMMANDS: Final = frozenset({"delete", "delete_where", "vacuum_full", "cluster", "reindex"})
_LOCKING_COMMANDS: Final = frozenset(
    {"truncate", "vacuum_full", "cluster", "reindex", "detach_partition", "lock_table", "set_unlogged"}
)
_COMMITTED: Final = frozenset({"autocommit", "batches"})


def _sets(command: str, circumstances: Circumstances) -> bool:
    return any(each.facts.get("command") == command for each in circumstances.step)


def _no_lock_timeout(change: Change, circumstances: Circumstances) -> Verdict | None:
    command = change.facts.get("command", "")
    if command == "set_lock_timeout_off":
        message = "It waits for locks for ever from then on, and everybody behind it."
        return Verdict(risk=Risk.CAUTION, message=message)
    waits = change.kind is not ChangeKind.RUN_SQL or command in _LOCKING_COMMANDS
    if not waits or not is_by_hand(change) or is_new(change, circumstances):
        return None
    if _sets("set_lock_timeout", circumstances):
        return None
    message = f"The statement itself does not limit how long it waits for {change.table or 'its'} locks."
    if circumstances.lock_timeout > 0:
        message = (
            f"{message} As a step it waits {circumstances.lock_timeout:g} s; by another program, for ever."
        )
        return Verdict(risk=Risk.SAFE, message=message, evidence="lock_timeout of the step")
    return Verdict(risk=Risk.CAUTION, message=message)


def _no_statement_timeout(change: Change, circumstances: Circumstances) -> Verdict | None:
    if change.kind is ChangeKind.RUN_SQL and change.facts.get("command", "") not in _LONG_COMMANDS:
        return None
    if (
        not is_by_hand(change)
        or change.facts.get("concurrently", False)
        or circumstances.statement_timeout > 0
    ):
        return None
    if _sets("set_statement_timeout", circumstances):
        return None
    message = f"Nothing limits how long {change.table or 'it'} is worked on."
    return by_extent(change, circumstances, Risk.CAUTION, message)


def _not_repeatable(change: Change, circumstances: Circumstances) -> Verdict | None:
    facts = change.facts
    commits = circumstances.mode in _COMMITTED or (
        circumstances.dialect == "mysql" and change.kind is not ChangeKind.BACKFILL
    )
    if not commits or not is_by_hand(change) or facts.get("if_exists", False):
        return None
    if change.kind is ChangeKind.RUN_SQL and facts.get("command", "") != "insert":
        return None
    message = "After a crash nobody can tell whether it was executed, and it fails, or does too much, when repeated."
    return Verdict(risk=Risk.CAUTION, message=message)


SESSIONS: Final = (
    Rule(
        id="OP101",
        title="waits for locks without a limit",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.LOCK}),
        kinds=_WAITING,
        dialects=POSTGRESQL | MYSQL,
        why=(
            "A statement that waits for a strong lock makes everybody wait behind it. PostgreSQL waits for ever, MySQL "
            "for a day. Steps are executed with a limit of two seconds, and tried again."
        ),
        alternative="`SET LOCAL lock_timeout = '2s'`, `SET SESSION lock_wait_timeout = 2`; or a step.",
        judge=_no_lock_timeout,
        decided="by the statement; executed as a step that has a limit it is safe",
    ),
    Rule(
        id="OP102",
        title="runs without a limit",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.OPERATION, Consequence.LOCK}),
        kinds=_LONG,
        dialects=POSTGRESQL | MYSQL,
        why="A statement that takes longer than anybody thought keeps its locks all the while.",
        alternative="`SET LOCAL statement_timeout`, `max_statement_time`; or batches.",
        judge=_no_statement_timeout,
        questions=lambda change: extent(change) if is_by_hand(change) else [],
        decided="by the statement; then by the size of the table: an empty one does not count, a small one is safe",
    ),
    Rule(
        id="OP103",
        title="cannot be repeated",
        risk=Risk.CAUTION,
        consequences=frozenset({Consequence.OPERATION}),
        kinds=frozenset(ChangeKind) - {ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN},
        dialects=SQL,
        why="What commits by itself may have been executed when the program was killed, without a record of it.",
        alternative="`IF EXISTS`, `IF NOT EXISTS`, `ON CONFLICT`; compiled changes look for their effect first.",
        judge=_not_repeatable,
        decided="from the statement and how the step is executed",
    ),
)
