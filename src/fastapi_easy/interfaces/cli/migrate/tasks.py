"""The functions that `migrate` needs from the composition root, and the plain values they exchange."""

import enum
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import typer

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, StepState
from fastapi_easy.domain.migrations.step import Effect
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.interfaces.cli.tasks import Target

Watch: TypeAlias = Callable[[MigrationEvent], None]
"""Is told what happens while it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationTarget:
    """The database that a command works on.

    Attributes:
        target: Its application.

        database: Its name in the settings; `None` for the only one.
    """

    target: Target
    database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What `plan` is asked for, and what `make` and `lint` begin with."""

    at: MigrationTarget
    hints: Hints = field(default_factory=Hints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What `make` is asked for.

    Attributes:
        planning: The comparison that the script carries out.

        message: What the script does, in a few words.
    """

    planning: Planning
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What `make` has written.

    Attributes:
        file: The script.

        plan: What it carries out; `None` when that could not be found out.
    """

    file: Path
    plan: MigrationPlan | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file.

    Attributes:
        file: Its path.

        line: From 1.
    """

    file: Path
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What `lint` has looked at.

    Attributes:
        plan: With its findings.

        places: Where steps are written, by their place in the plan, from 0.
    """

    plan: MigrationPlan
    places: Mapping[int, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptLinting:
    """What `lint` is asked for without an application.

    Attributes:
        files: The scripts.

        server: What they are for: `postgresql`, `mysql`, `mariadb` or `sqlite`.
    """

    files: tuple[Path, ...]
    server: str = "postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """What `apply` is asked for.

    Attributes:
        planning: The comparison, if there is no *plan*.

        plan: What was reviewed, and nothing else; `None` to make a plan now.

        approvals: What is allowed beyond what is safe.

        wait: Seconds to wait for another process that migrates, at most.

        steps: How many steps to execute at most; `None` for all. The run goes on when it is applied again.
    """

    planning: Planning
    plan: MigrationPlan | None = None
    approvals: Approvals = field(default_factory=Approvals)
    wait: float = 60.0
    steps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingBack:
    """What `rollback` is asked for.

    Attributes:
        approvals: What is allowed beyond what is safe.

        wait: Seconds to wait for another process that migrates, at most.

        to: The run or plan that is to be the last one afterwards, or `base` for none; empty to count instead.

        steps: How many runs to undo.
    """

    at: MigrationTarget
    approvals: Approvals = field(default_factory=Approvals)
    wait: float = 60.0
    to: str = ""
    steps: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStatus:
    """How the stored schema, the ledger and the declarations stand to each other.

    Attributes:
        server_version: As the server spells it; empty when unknown.

        head: The plan that was applied last; empty for none.

        applied: The runs that led here, newest first.

        pending: What is to be done.

        unfinished: The run that has not ended, if there is one.

        drift: Where the stored schema is not what the last run left, each a sentence.

        ahead: How a newer program has migrated the database; empty when none has.

        holder: Who migrates at this moment; empty for nobody, or nobody knows.

        leftovers: What half-finished changes have left, each a sentence.

        problem: Why nobody can say what is to be done; `None` when somebody can.
    """

    server_version: str = ""
    head: str = ""
    applied: tuple[Run, ...] = ()
    pending: MigrationPlan
    unfinished: Run | None = None
    drift: tuple[str, ...] = ()
    ahead: str = ""
    holder: str = ""
    leftovers: tuple[str, ...] = ()
    problem: MigrationStopped | None = None


class RepairAction(enum.StrEnum):
    """What `repair` does about a run that cannot go on."""

    SHOW = "show"
    ADOPT = "adopt"
    RETRY = "retry"
    MARK_DONE = "mark_done"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairing:
    """What `repair` is asked for.

    Attributes:
        step: The place of the step to mark as done, from 0.
    """

    at: MigrationTarget
    action: RepairAction = RepairAction.SHOW
    step: int | None = None
    wait: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the database says of one step of a run that cannot go on.

    Attributes:
        index: Its place in the plan, from 0.

        recorded: What the ledger says.

        effect: What the database says.

        advice: What to do, if anything.
    """

    index: int
    summary: str
    recorded: StepState
    effect: Effect
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What `repair` has found and done.

    Attributes:
        run: The run as it is recorded now; `None` when every run has ended.
    """

    run: Run | None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopting:
    """What `baseline` is asked for.

    Attributes:
        revision: The last revision of the scripts that the database has already; empty for all.
    """

    at: MigrationTarget
    revision: str = ""
    wait: float = 60.0


def ask_on_terminal(question: str) -> bool | None:
    """Ask whoever sits at the terminal; return `None` when there is no terminal."""
    return typer.confirm(question, err=True) if sys.stdin.isatty() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationTasks:
    """The functions behind the commands. Each answers an outcome, or raises `CommandError`.

    Attributes:
        make: Writes a script for what differs; answers `None` when nothing does.

        plan: Returns what differs as a plan; changes nothing.

        lint: Returns the same plan, and where its steps are written; changes nothing.

        lint_scripts: Returns what scripts do as a plan, and where its steps are written; asks no database.

        apply: Executes a plan, or goes on with an unfinished one; answers `None` when there was nothing to do.

        rollback: Undoes steps; answers `None` when there was nothing to undo.

        status: Returns how things are; changes nothing.

        repair: Looks at a run that cannot go on, and does something about it.

        baseline: Records that the database has already what is declared.

        confirm: Asks a person; answers `None` when there is nobody to ask.
    """

    make: Callable[[Making], Outcome[Made | None]]
    plan: Callable[[Planning], Outcome[MigrationPlan]]
    lint: Callable[[Planning], Outcome[Linted]]
    lint_scripts: Callable[[ScriptLinting], Outcome[Linted]]
    apply: Callable[[Applying, Watch], Outcome[Run | None]]
    rollback: Callable[[RollingBack, Watch], Outcome[Run | None]]
    status: Callable[[MigrationTarget], Outcome[MigrationStatus]]
    repair: Callable[[Repairing, Watch], Outcome[Repaired]]
    baseline: Callable[[Adopting], Outcome[Run]]
    confirm: Callable[[str], bool | None] = ask_on_terminal


LoadTasks: TypeAlias = Callable[[], MigrationTasks]
"""Returns the functions when a command does its work: what they need is not imported for `--help`."""
