"""Scripts as steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from alembic.operations.ops import ExecuteSQLOp
from sqlalchemy import Connection
from sqlalchemy.exc import CompileError

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.sqlite.compiling import compile_sqlite_parts
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling
from fastapi_easy.infrastructure.migrations.scripts.operations_of import Asked, asked_in
from fastapi_easy.infrastructure.migrations.scripts.recording import record
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import Script
from fastapi_easy.infrastructure.relational.server import Server

_BOUNDARY: Final = "-- end of script"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledScript:
    """What one script does.

    Attributes:
        script: Which.

        steps: In order, without that which records the revision.

        asked: What it asks for.
    """

    script: Script
    steps: tuple[Step, ...]
    asked: tuple[Asked, ...]

    def line_of(self, step: Step) -> int:
        """Return the line of the script that asks for *step*."""
        kinds = {(each.kind, each.table, each.name) for each in step.changes}
        statements = {each.facts.get("statement") for each in step.changes} - {None}
        for each in self.asked:
            change = each.detected.change
            if change.facts.get("statement") in statements or (
                not statements and (change.kind, change.table, change.name) in kinds
            ):
                return each.line
        return 1


def compile_scripts(
    scripts: Sequence[Script], server: Server, connection: Connection, hints: Hints, *, is_stored: bool = True
) -> list[CompiledScript]:
    """Return what *scripts* do, one after the other.

    Args:
        scripts: In order.

        server: What the steps are for.

        connection: To the database; of SQLite any one, if nothing is stored.

        hints: How steps are to be written.

        is_stored: *connection* is to the database that the scripts are for, so that it may be asked. Otherwise each
            script is taken by itself: what an earlier one has created may be full of rows.

    Raises:
        ScriptRefusal: One of them does what is not supported.
    """
    asked_one = connection if is_stored else None
    spelling = Spelling(server.dialect, asked_one)
    new_tables: set[str] = set()
    asked: list[list[Asked]] = []
    for each in scripts:
        recorded = record(_function(each), each.path, server.dialect)
        asked.append(asked_in(recorded, spelling, new_tables if is_stored else set()))
    try:
        compiled = (
            compile_sqlite_parts(connection, [_detected(each) for each in asked], hints)
            if server.name == "sqlite"
            else _compile_for_server(asked, server, asked_one, hints)
        )
    except (SqliteRefusal, DeclarationError, CompileError) as error:
        raise ScriptRefusal(f"there are no steps for {_names(scripts)}: {error}") from error
    return [
        CompiledScript(script=script, steps=_with_way_back(script, steps, server), asked=tuple(some))
        for script, steps, some in zip(scripts, compiled, asked, strict=True)
    ]


def _function(script: Script) -> Any:
    if script.upgrade is None:
        raise ScriptRefusal(f"{script.path} has no function `upgrade`")
    return script.upgrade


def _names(scripts: Sequence[Script]) -> str:
    return ", ".join(each.path.name for each in scripts)


def _detected(asked: Sequence[Asked]) -> list[Detected]:
    return [each.detected for each in asked]


def _compile_for_server(
    asked: Sequence[Sequence[Asked]], server: Server, connection: Connection | None, hints: Hints
) -> list[list[Step]]:
    """Compile all at once, since later scripts build on what earlier ones create, and divide what comes out."""
    detected: list[Detected] = []
    for some in asked:
        detected += [*_detected(some), _boundary()]
    parts: list[list[Step]] = [[]]
    for each in compile_steps(detected, server, hints, connection, keep_order=True):
        if each.changes == (_boundary().change,):
            parts.append([])
        else:
            parts[-1].append(each)
    return parts[:-1]


def _boundary() -> Detected:
    change = Change(kind=ChangeKind.RECORD_REVISION, facts=Facts(statement=_BOUNDARY))
    return Detected(change=change, operation=ExecuteSQLOp("SELECT 1"))


def _with_way_back(script: Script, steps: Sequence[Step], server: Server) -> tuple[Step, ...]:
    """Let statements that somebody has written be undone by those of `downgrade`, in reverse order.

    Only where both have as many: otherwise nobody could tell which of them undoes which.
    """
    written = [index for index, each in enumerate(steps) if _is_by_hand(each)]
    ways_back = list(_written_in_downgrade(script, server)) if written else []
    if not written or len(written) != len(ways_back):
        return tuple(steps)
    found = list(steps)
    for index, back in zip(written, reversed(ways_back), strict=True):
        step = steps[index]
        alone = step.mode if step.mode is StepMode.AUTOCOMMIT else StepMode.TRANSACTION
        found[index] = replace(
            step,
            reverse=(back,),
            reversibility=Reversibility.FULL,
            reverse_mode=alone,
            changes=tuple(
                replace(each, facts=Facts(**{**each.facts, "reversible": True})) for each in step.changes
            ),
        )
    return tuple(found)


def _is_by_hand(step: Step) -> bool:
    return not step.reverse and all(each.kind is ChangeKind.RUN_SQL for each in step.changes)


def _written_in_downgrade(script: Script, server: Server) -> Iterator[str]:
    if script.downgrade is None:
        return
    try:
        recorded = record(script.downgrade, script.path, server.dialect)
    except ScriptRefusal:
        # What cannot be told undoes nothing.
        return
    for each in recorded:
        if isinstance(each.operation, ExecuteSQLOp):
            yield str(each.operation.sqltext)
