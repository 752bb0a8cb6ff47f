"""A plan as a script, for people who run SQL by hand."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.change import Dialect
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.interfaces.cli.migrate.masking import on_one_line
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import heading, totals

_LEDGER: Final = (
    "This script does not write the ledger: the tables fe_migration_run, fe_migration_step and fe_migration_state.",
    "After it has run, `fastapi-easy migrate baseline` records that the schema is as it is.",
)

_OF_ADMIN: Final = re.compile(r'\s*\{\s*"renameCollection"')
"""A command of MongoDB's that only the database `admin` takes."""

_LITERAL: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """How scripts are written for one kind of database.

    Attributes:
        comment: What a comment begins with.

        beginning: What comes before the first step.

        before, after: Yield what stands around the statements of a step.

        statement: Returns a statement as the client of the database takes it.
    """

    comment: str
    beginning: tuple[str, ...] = ()
    before: Callable[[Step], Iterator[str]]
    after: Callable[[Step], Iterator[str]]
    statement: Callable[[str], str]


def sql_script(plan: MigrationPlan) -> str:
    """Return *plan* as a script: every statement as it would be executed, with its transactions and time limits.

    For MongoDB it is one for `mongosh`.
    """
    language = _LANGUAGES[plan.dialect]
    lines = [
        heading(plan),
        f"Checksum {plan.checksum}",
        *([f"{totals(plan)}."] if plan else ["Nothing to do."]),
        *(_LEDGER if plan else ()),
    ]
    script = [f"{language.comment} {on_one_line(line)}" for line in lines]
    if plan and language.beginning:
        script += ["", *language.beginning]
    for number, step in enumerate(plan.steps, 1):
        script += ["", *(f"{language.comment} {line}" for line in _comments(number, step))]
        script += language.before(step)
        script += [language.statement(each) for each in step.statements]
        script += language.after(step)
    return "\n".join([*script, ""])


def _comments(number: int, step: Step) -> Iterator[str]:
    risk = f"{step.risk.value}, deletes data" if step.destructive else step.risk.value
    yield f"Step {number} ({risk}): {on_one_line(step.summary)}"
    for each in step.findings:
        if each.suppressed is None:
            yield f"{each.rule} {on_one_line(each.title)}: {on_one_line(each.message)}"
    if step.mode is StepMode.BATCHES:
        yield "Repeat it until it changes no row."


def _before_in_postgres(step: Step) -> Iterator[str]:
    scope = "SET LOCAL" if step.mode is StepMode.TRANSACTION else "SET"
    if step.mode is StepMode.TRANSACTION:
        yield "BEGIN;"
    # 0 would mean for ever.
    yield f"{scope} lock_timeout = '{max(1, _milliseconds(step.lock_timeout))}ms';"
    yield f"{scope} statement_timeout = '{_milliseconds(step.statement_timeout)}ms';"


def _after_in_postgres(step: Step) -> Iterator[str]:
    if step.mode is StepMode.TRANSACTION:
        yield "COMMIT;"
    else:
        yield "RESET lock_timeout;"
        yield "RESET statement_timeout;"


def _before_in_mysql(step: Step) -> Iterator[str]:
    # Whole seconds: the server takes no others, and 0 would not wait at all.
    seconds = max(1, round(step.lock_timeout))
    yield f"SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds};"
    if step.mode is StepMode.TRANSACTION:
        yield "START TRANSACTION;"


def _after_in_mysql(step: Step) -> Iterator[str]:
    if step.mode is StepMode.TRANSACTION:
        yield "COMMIT;"


def _before_in_sqlite(step: Step) -> Iterator[str]:
    yield f"PRAGMA busy_timeout = {_milliseconds(step.lock_timeout)};"
    if step.mode is StepMode.REBUILD:
        yield "PRAGMA foreign_keys = OFF;"
        yield "PRAGMA legacy_alter_table = ON;"
    if step.mode is not StepMode.AUTOCOMMIT:
        yield "BEGIN IMMEDIATE;"


def _after_in_sqlite(step: Step) -> Iterator[str]:
    if step.mode is StepMode.REBUILD:
        yield "-- It must print nothing; else ROLLBACK instead."
        yield "PRAGMA foreign_key_check;"
    if step.mode is not StepMode.AUTOCOMMIT:
        yield "COMMIT;"
    if step.mode is StepMode.REBUILD:
        yield "PRAGMA legacy_alter_table = OFF;"
        yield "PRAGMA foreign_keys = ON;"


def _nothing(step: Step) -> Iterator[str]:
    yield from ()


def _sql(statement: str) -> str:
    text = statement.strip()
    # A comment at the end would swallow the semicolon.
    if "--" in _LITERAL.sub("", text.rpartition("\n")[2]):
        return f"{text}\n;"
    return text if text.endswith(";") else f"{text};"


def _sql_of_mysql(statement: str) -> str:
    text = _sql(statement)
    if ";" not in text[:-1]:
        return text
    # The client splits at semicolons, also in the body of a trigger, or in a text.
    return f"DELIMITER $$\n{text.removesuffix(';')}\n$$\nDELIMITER ;"


def _command(statement: str) -> str:
    # As a text within a text, so that extended JSON is read as such.
    run = "adminCommand" if _OF_ADMIN.match(statement) else "runCommand"
    return f"db.{run}(EJSON.parse({json.dumps(statement)}));"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


_LANGUAGES: Final[Mapping[Dialect, _Language]] = {
    "postgresql": _Language(
        comment="--", before=_before_in_postgres, after=_after_in_postgres, statement=_sql
    ),
    "mysql": _Language(
        # Else it truncates what does not fit, instead of failing.
        beginning=("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES');",),
        comment="--",
        before=_before_in_mysql,
        after=_after_in_mysql,
        statement=_sql_of_mysql,
    ),
    "sqlite": _Language(comment="--", before=_before_in_sqlite, after=_after_in_sqlite, statement=_sql),
    "mongodb": _Language(comment="//", before=_nothing, after=_nothing, statement=_command),
}
