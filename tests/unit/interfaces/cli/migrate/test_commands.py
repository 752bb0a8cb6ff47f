"""What the commands below `migrate` ask for, ask back, and print."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.application.migrations.plan_document import read_plan, write_plan
from fastapi_easy.domain.migrations.events import (
    DriftDetected,
    MigrationBlocked,
    MigrationEvent,
    MigrationLockLost,
    MigrationPlanned,
    MigrationStarted,
    StepApplied,
    StepFailed,
)
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import Effect
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.interfaces.cli.migrate.reports.progress import shown_progress
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Adopting,
    Applying,
    Made,
    Making,
    MigrationStatus,
    MigrationTarget,
    Planning,
    RepairAction,
    Repaired,
    Repairing,
    RollingBack,
    Verdict,
)
from fastapi_easy.interfaces.cli.tasks import Target
from tests.unit.application.migrations.sample_plans import NOTHING, PLAN, SAFE
from tests.unit.interfaces.cli.migrate.recorded import APPLIED, BLOCKED, NOON, call, run_of

HERE = MigrationTarget(target=Target(path="shop:app", folder=Path()))
THERE = MigrationTarget(target=Target(path="shop:app", folder=Path("/")), database="books")
HINTED = Planning(
    at=THERE,
    hints=Hints(
        renamed_columns={"books.title": "name"},
        renamed_tables={"shelf": "shelves"},
        fill={"books.isbn": "''"},
        using={"books.year": "year::integer"},
        drop_undeclared=True,
        online=False,
    ),
)
AT = ("--app-dir", "/", "--database", "books")
HINTS = (
    *("--rename", "books.title=name", "--rename", "shelf=shelves", "--fill", "books.isbn=''"),
    *("--using", "books.year=year::integer", "--drop-undeclared", "--offline"),
)
ALLOWED = ("--allow", "caution", "--allow", "DS103:books.legacy")
APPROVED = Approvals(frozenset({"caution", "DS103:books.legacy"}))


@pytest.mark.parametrize(
    ("arguments", "name", "asked"),
    [
        pytest.param(["plan"], "plan", Planning(at=HERE), id="plan"),
        pytest.param(["plan", *AT, *HINTS], "plan", HINTED, id="plan with hints"),
        pytest.param(
            ["make", "-m", "isbn"], "make", Making(planning=Planning(at=HERE), message="isbn"), id="make"
        ),
        pytest.param(
            ["make", "--message", "isbn", *AT, *HINTS],
            "make",
            Making(planning=HINTED, message="isbn"),
            id="make with hints",
        ),
        pytest.param(["lint", *AT, *HINTS], "lint", HINTED, id="lint"),
        pytest.param(["apply", "--yes"], "apply", Applying(planning=Planning(at=HERE)), id="apply"),
        pytest.param(
            ["apply", "-y", *AT, *HINTS, *ALLOWED, "--wait", "5m", "--steps", "2"],
            "apply",
            Applying(planning=HINTED, approvals=APPROVED, wait=300.0, steps=2),
            id="apply with everything",
        ),
        pytest.param(["rollback", "--yes"], "rollback", RollingBack(at=HERE), id="rollback"),
        pytest.param(
            ["rollback", "--yes", *AT, *ALLOWED, "--steps", "2", "--wait", "1s"],
            "rollback",
            RollingBack(at=THERE, approvals=APPROVED, steps=2, wait=1.0),
            id="rollback of runs",
        ),
        pytest.param(
            ["rollback", "-y", "--to", "6a9b"], "rollback", RollingBack(at=HERE, to="6a9b"), id="rollback to"
        ),
        pytest.param(["status", *AT], "status", THERE, id="status"),
        pytest.param(["repair"], "repair", Repairing(at=HERE), id="repair"),
        pytest.param(
            ["repair", "--mark-done", "3", "--yes", *AT],
            "repair",
            Repairing(at=THERE, action=RepairAction.MARK_DONE, step=2),
            id="mark as done",
        ),
        pytest.param(
            ["repair", "--retry", "--yes", "--wait", "0"],
            "repair",
            Repairing(at=HERE, action=RepairAction.RETRY, wait=0.0),
            id="retry",
        ),
        pytest.param(
            ["repair", "--adopt", "--yes"],
            "repair",
            Repairing(at=HERE, action=RepairAction.ADOPT),
            id="adopt",
        ),
        pytest.param(
            ["repair", "--abandon", "--yes"],
            "repair",
            Repairing(at=HERE, action=RepairAction.ABANDON),
            id="abandon",
        ),
        pytest.param(["baseline", "--yes"], "baseline", Adopting(at=HERE), id="baseline"),
        pytest.param(
            ["baseline", "-y", *AT, "--revision", "4f1c"],
            "baseline",
            Adopting(at=THERE, revision="4f1c"),
            id="baseline at a revision",
        ),
    ],
)
def test_asks_for_what_the_options_say(arguments: list[str], name: str, asked: Any) -> None:
    command, *options = arguments

    result, recorded = call(command, "shop:app", *options)

    assert (recorded.asked, recorded.questions) == ([(name, asked)], [])
    assert result.exit_code in {0, 2, 3}


def test_applies_the_very_plan_that_was_shown_and_confirmed() -> None:
    result, recorded = call("apply", "shop:app", *ALLOWED)

    assert recorded.questions == ["Apply it?"]
    assert recorded.asked[-1] == (
        "apply",
        Applying(planning=Planning(at=HERE), plan=PLAN, approvals=APPROVED),
    )
    assert f"Plan {PLAN.id} for database default" in result.stdout
    assert result.stdout.endswith(f"\nRun 6a9b of plan {PLAN.id} was applied; 4 of 4 steps done.\n")


@pytest.mark.parametrize(
    ("confirms", "said"),
    [
        pytest.param(False, "nothing was changed\n", id="no"),
        pytest.param(
            None, "there is no terminal to ask on: give --yes to go on without being asked\n", id="nobody"
        ),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["rollback", "shop:app"], id="rollback"),
        pytest.param(["baseline", "shop:app"], id="baseline"),
        pytest.param(["repair", "shop:app", "--retry"], id="repair"),
    ],
)
def test_changes_nothing_unless_somebody_confirms(
    command: list[str], confirms: bool | None, said: str
) -> None:
    result, recorded = call(*command, plan=SAFE, confirms=confirms)

    assert (result.exit_code, result.stderr) == (1, said)
    assert {name for name, _ in recorded.asked} <= {"plan", "status"}


def test_applies_nothing_that_somebody_does_not_confirm() -> None:
    result, recorded = call("apply", "shop:app", plan=SAFE, confirms=False)

    assert (result.exit_code, result.stderr) == (1, "nothing was changed\n")
    assert {name for name, _ in recorded.asked} <= {"plan", "status"}


def test_a_script_without_a_terminal_is_not_asked_whether_to_apply_what_it_allows() -> None:
    result, recorded = call("apply", "shop:app", *ALLOWED, confirms=None)

    assert result.exit_code == 0
    assert recorded.asked[-1] == (
        "apply",
        Applying(planning=Planning(at=HERE), plan=PLAN, approvals=APPROVED),
    )


@pytest.mark.parametrize(
    ("command", "question"),
    [
        (["rollback", "shop:app"], "Undo the last run?"),
        (["rollback", "shop:app", "--steps", "2"], "Undo the last 2 runs?"),
        (["rollback", "shop:app", "--to", "6a9b"], "Undo every run after 6a9b?"),
        (["rollback", "shop:app", "--to", "base"], "Undo every run?"),
    ],
)
def test_says_what_is_undone_before_it_is(command: list[str], question: str) -> None:
    _, recorded = call(*command)

    assert recorded.questions == [question]


def test_asks_nobody_about_what_is_not_allowed() -> None:
    result, recorded = call("apply", "shop:app", "--allow", "caution")

    assert (result.exit_code, recorded.questions) == (3, [])
    assert result.stderr == "not allowed without:\n  --allow DS103:books.legacy\n"
    assert "apply" not in dict(recorded.asked)


def test_yes_allows_nothing() -> None:
    refusal = MigrationStopped("default", MigrationStop.NOT_ALLOWED, "no", details=("destructive",))

    result, recorded = call("apply", "shop:app", "--yes", failure=refusal)

    assert recorded.asked == [("apply", Applying(planning=Planning(at=HERE)))]
    assert (result.exit_code, result.stderr) == (3, "no\n  --allow destructive\n")


HALF = run_of(
    PLAN,
    RunState.FAILED,
    *(StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.PENDING),
    error="no disk",
)
CUT_OFF = MigrationStatus(pending=PLAN, unfinished=HALF)


def test_an_unfinished_run_goes_on_before_anything_else_is_known() -> None:
    result, recorded = call("apply", "shop:app", status=CUT_OFF)

    assert recorded.questions == ["Go on with it, and with what is left then?"]
    assert recorded.asked[1:] == [("apply", Applying(planning=Planning(at=HERE)))]
    assert result.stderr == f"Run 6a9b of plan {PLAN.id} failed; 2 of 4 steps done: no disk.\n"


def test_a_dry_run_shows_what_is_left_of_an_unfinished_run() -> None:
    result, recorded = call("apply", "shop:app", "--dry-run", status=CUT_OFF, plan=SAFE)

    executed = [line for line in result.stdout.splitlines() if line[:6] in {"ALTER ", "UPDATE", "CREATE"}]
    assert executed == [f"{each};" for step in PLAN.steps[2:] for each in step.statements]
    assert [name for name, _ in recorded.asked] == ["status"]
    # What was allowed for the run need not be allowed again.
    assert (result.exit_code, result.stderr.splitlines()[1:]) == (
        3,
        ["not allowed without:", "  --allow DS103:books.legacy"],
    )


def test_a_stored_plan_that_was_changed_is_not_shown() -> None:
    changed = dataclasses.replace(HALF, plan=HALF.plan.replace("DROP COLUMN legacy", "DROP COLUMN title"))

    result, _ = call(
        "apply", "shop:app", "--dry-run", status=MigrationStatus(pending=PLAN, unfinished=changed)
    )

    assert (result.exit_code, result.stdout) == (6, "")
    assert "run 6a9b: the plan was changed after it was made" in result.stderr


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["asked", "dry run"])
def test_nobody_is_asked_about_a_run_that_needs_repair(options: list[str]) -> None:
    result, recorded = call(
        "apply", "shop:app", *options, status=MigrationStatus(pending=PLAN, unfinished=BLOCKED)
    )

    assert ([name for name, _ in recorded.asked], recorded.questions) == (["status"], [])
    assert (result.exit_code, result.stderr) == (
        7,
        f"Run 6a9b of plan {PLAN.id} is blocked: see repair; 1 of 4 steps done: nobody knows\n",
    )


@pytest.mark.parametrize("run", [None, dataclasses.replace(APPLIED, id="", steps=())], ids=["none", "empty"])
def test_says_that_there_was_nothing_to_apply(run: Any) -> None:
    result, recorded = call("apply", "shop:app", plan=NOTHING, apply=run)

    assert (result.exit_code, result.stdout) == (0, "Nothing to do: the stored schema is the declared one.\n")
    assert recorded.questions == []


def test_applies_a_plan_that_was_reviewed(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(call("plan", "shop:app", "--json")[0].stdout)

    _, recorded = call("apply", "shop:app", "--yes", "--plan", str(file))

    assert recorded.asked == [("apply", Applying(planning=Planning(at=HERE), plan=PLAN))]


def test_applies_a_plan_from_stdin() -> None:
    _, recorded = call("apply", "shop:app", "--yes", "--plan", "-", text=write_plan(PLAN))

    assert recorded.asked == [("apply", Applying(planning=Planning(at=HERE), plan=PLAN))]


@pytest.mark.parametrize("options", [[], ["--yes"], ["--dry-run"]], ids=["asked", "yes", "dry run"])
def test_a_plan_without_steps_is_a_plan(options: list[str]) -> None:
    _, recorded = call("apply", "shop:app", *options, "--plan", "-", text=write_plan(NOTHING), plan=PLAN)

    assert "plan" not in dict(recorded.asked)
    assert all(each.plan == NOTHING for name, each in recorded.asked if name == "apply")


@pytest.mark.parametrize("command", [["apply", "shop:app", "--yes"], ["lint"]], ids=["apply", "lint"])
def test_a_plan_that_was_edited_is_not_looked_at(command: list[str]) -> None:
    edited = write_plan(PLAN).replace("DROP COLUMN legacy", "DROP COLUMN title")

    result, recorded = call(*command, "--plan", "-", text=edited)

    assert (result.exit_code, recorded.asked, result.stdout) == (6, [], "")
    assert result.stderr == (
        "-: the plan was changed after it was made (it would execute something else): make the plan anew\n"
    )


def test_a_dry_run_executes_nothing_and_says_what_is_not_allowed() -> None:
    result, recorded = call("apply", "shop:app", "--dry-run", "--allow", "caution")

    assert [name for name, _ in recorded.asked] == ["status", "plan"]
    assert "ALTER TABLE books DROP COLUMN legacy;" in result.stdout
    assert (result.exit_code, result.stderr) == (3, "not allowed without:\n  --allow DS103:books.legacy\n")


def test_a_dry_run_stops_where_the_run_would() -> None:
    result, _ = call("apply", "shop:app", "--dry-run", "--steps", "2")

    assert ("CONCURRENTLY" in result.stdout, "DROP COLUMN" in result.stdout) == (True, False)
    assert (result.exit_code, result.stderr) == (0, "")


def test_says_which_hints_nothing_follows() -> None:
    result, _ = call("plan", "shop:app", "--fill", "boks.isbn=''", "--rename", "books.titel=name")

    assert (result.exit_code, result.stderr.splitlines()) == (
        2,
        [
            "--rename books.titel=name: nothing in this plan has to do with that name",
            "--fill boks.isbn='': nothing in this plan has to do with that name",
        ],
    )


def test_prints_a_plan_as_json() -> None:
    result, _ = call("plan", "shop:app", "--json")

    assert (result.exit_code, read_plan(result.stdout)) == (2, PLAN)


def test_prints_a_run_as_json_and_progress_beside_it() -> None:
    result, _ = call("apply", "shop:app", "--yes", "--json", events=(STEP,))

    document = json.loads(result.stdout)
    assert result.stderr == "1  add column isbn to books  (0.25 s)\n"
    assert {name: document[name] for name in ("schema", "run_id", "state", "plan_id", "finished_at")} == {
        "schema": "fe.migration-run/1",
        "run_id": "6a9b",
        "state": "applied",
        "plan_id": PLAN.id,
        "finished_at": "2026-01-01T12:00:00+00:00",
    }
    assert document["steps"][3] == {
        "ix": 3,
        "kind": "drop_column",
        "object": "books.legacy, books.legacy_is_short",
        "summary": "drop column legacy of books",
        "state": "done",
        "attempts": 1,
        "progress": "",
        "started_at": "2026-01-01T12:00:00+00:00",
        "finished_at": "2026-01-01T12:00:00+00:00",
        "error": "",
    }


def test_prints_nothing_to_do_as_json() -> None:
    result, _ = call("apply", "shop:app", "--yes", "--json", apply=None)

    assert json.loads(result.stdout) == {
        "schema": "fe.migration-run/1",
        "run_id": "",
        "state": "nothing_to_do",
        "steps": [],
    }


def test_says_what_else_is_to_be_known_of_a_run() -> None:
    run = dataclasses.replace(APPLIED, notes=("a copy is at /tmp/copy",))

    result, _ = call("apply", "shop:app", "--yes", apply=run)

    assert result.stdout.endswith("4 of 4 steps done.\n  a copy is at /tmp/copy\n")


def test_says_what_was_undone() -> None:
    undone = run_of(PLAN, RunState.ROLLED_BACK, *[StepState.REVERSED] * 4)

    result, _ = call("rollback", "shop:app", "--yes", rollback=undone)

    assert result.stdout == f"Run 6a9b of plan {PLAN.id} was rolled back; 0 of 4 steps done, 4 undone.\n"
    assert call("rollback", "shop:app", "--yes", rollback=None)[0].stdout == "Nothing to undo.\n"


COMMON: Any = {
    "database": "default",
    "plan_id": PLAN.id,
    "plan_checksum": PLAN.checksum,
    "run_id": "6a9b",
    "occurred_at": NOON,
}
STEP = StepApplied(**COMMON, index=0, summary="add column isbn to books", seconds=0.25)
EVENTS: tuple[MigrationEvent, ...] = (
    DriftDetected(**COMMON, differences=("books.colour is new",)),
    MigrationPlanned(**COMMON, risk="safe", steps=4),
    MigrationStarted(**COMMON, approvals=(), resumed=True),
    STEP,
    StepFailed(**COMMON, index=1, summary="fill\nbooks", error="no answer of mysql://ada:pw@db"),
    MigrationBlocked(**COMMON, index=2, reason="[bold]nobody[/bold] knows"),
    MigrationLockLost(**COMMON),
)
LINES = [
    "drift: books.colour is new",
    "Run 6a9b goes on.",
    "1/4  add column isbn to books  (0.25 s)",
    "2/4  fill books  FAILED: no answer of mysql://ada:***@db",
    "3/4  BLOCKED: [bold]nobody[/bold] knows",
    "The lock was lost.",
]


def test_says_a_line_for_each_event() -> None:
    result, _ = call("apply", "shop:app", "--yes", events=EVENTS)

    assert result.stderr.splitlines() == LINES


def test_a_terminal_has_the_same_lines_above_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    with shown_progress(on_terminal=True) as watch:
        for each in EVENTS:
            watch(each)

    # A bar is drawn behind each line, and wiped from the terminal (`ESC [2K`) before the next one.
    shown = [line.rpartition("\x1b[2K")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in shown if line in LINES] == LINES
    assert any("migrating" in line and "1/4" in line for line in shown)


STATUS = MigrationStatus(
    server_version="PostgreSQL 15.4",
    head="0123456789ab",
    applied=(APPLIED, dataclasses.replace(APPLIED, id="5a01", plan_id="0123456789ab")),
    pending=PLAN,
    unfinished=BLOCKED,
    drift=("books.colour is new", "shelf is gone"),
    ahead="a newer program has applied plan 77",
    holder="vm:7",
    leftovers=("ix_old is invalid",),
)


def test_prints_how_things_are() -> None:
    result, _ = call("status", "shop:app", status=STATUS)

    assert (result.exit_code, result.stdout) == (
        0,
        f"""\
database       default (PostgreSQL 15.4)
applied        plan {PLAN.id}, run 6a9b, 2026-01-01T12:00:00+00:00
applied        plan 0123456789ab, run 5a01, 2026-01-01T12:00:00+00:00
pending        4 steps: 2 safe, 1 caution, 1 dangerous; 1 deletes data; 1 cannot be undone
unfinished     Run 6a9b of plan {PLAN.id} is blocked: see repair; 1 of 4 steps done: nobody knows
migrating now  vm:7
drift          books.colour is new
drift          shelf is gone
ahead          a newer program has applied plan 77
left over      ix_old is invalid
""",
    )


def test_prints_the_newest_of_many_runs() -> None:
    runs = tuple(dataclasses.replace(APPLIED, id=f"run{number}") for number in range(7))

    result, _ = call("status", "shop:app", status=MigrationStatus(pending=NOTHING, applied=runs))

    assert [line.split(", ")[1:2] for line in result.stdout.splitlines()[1:6]] == [
        [f"run run{number}"] for number in range(5)
    ]
    assert result.stdout.splitlines()[6:] == ["          and 2 older runs", "pending   nothing"]


def test_prints_why_nobody_can_say_what_is_pending() -> None:
    problem = MigrationStopped("default", MigrationStop.CHANGED, "a script was edited", details=("4f1c",))

    result, _ = call("status", "shop:app", status=MigrationStatus(pending=NOTHING, problem=problem))

    assert result.stdout.splitlines()[1:] == [
        "applied   nothing",
        "problem   a script was edited",
        "          4f1c",
    ]


def test_prints_how_things_are_as_json() -> None:
    problem = MigrationStopped("default", MigrationStop.CHANGED, "a script was edited", details=("4f1c",))

    result, _ = call("status", "shop:app", "--json", status=dataclasses.replace(STATUS, problem=problem))

    document = json.loads(result.stdout)
    assert read_plan(json.dumps(document.pop("pending"))) == PLAN
    assert document.pop("unfinished")["state"] == "blocked"
    assert document == {
        "schema": "fe.migration-status/1",
        "database": "default",
        "dialect": "postgresql",
        "server_version": "PostgreSQL 15.4",
        "head": "0123456789ab",
        "applied": [
            {"run_id": "6a9b", "plan_id": PLAN.id, "finished_at": "2026-01-01T12:00:00+00:00"},
            {"run_id": "5a01", "plan_id": "0123456789ab", "finished_at": "2026-01-01T12:00:00+00:00"},
        ],
        "drift": ["books.colour is new", "shelf is gone"],
        "ahead": "a newer program has applied plan 77",
        "holder": "vm:7",
        "leftovers": ["ix_old is invalid"],
        "problem": {"code": "changed", "message": "a script was edited", "details": ["4f1c"]},
    }


FAILED = run_of(SAFE, RunState.FAILED, StepState.FAILED)


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        pytest.param(MigrationStatus(pending=NOTHING), 0, id="all is well"),
        pytest.param(MigrationStatus(pending=PLAN), 2, id="pending"),
        pytest.param(MigrationStatus(pending=NOTHING, unfinished=FAILED), 2, id="unfinished"),
        pytest.param(MigrationStatus(pending=PLAN, drift=("x",)), 6, id="drift"),
        pytest.param(MigrationStatus(pending=NOTHING, ahead="x"), 6, id="a newer program"),
        pytest.param(
            MigrationStatus(
                pending=NOTHING, problem=MigrationStopped("default", MigrationStop.NO_HISTORY, "adopt it")
            ),
            6,
            id="problem",
        ),
        pytest.param(MigrationStatus(pending=NOTHING, unfinished=BLOCKED, drift=("x",)), 7, id="blocked"),
    ],
)
def test_a_check_ends_with_the_code_of_what_needs_a_person_most(
    status: MigrationStatus, exit_code: int
) -> None:
    assert call("status", "shop:app", "--check", status=status)[0].exit_code == exit_code
    assert call("status", "shop:app", status=status)[0].exit_code == 0


REPAIRED = Repaired(
    run=BLOCKED,
    verdicts=(
        Verdict(index=0, summary="add column", recorded=StepState.DONE, effect=Effect.APPLIED),
        Verdict(
            index=1,
            summary="create index",
            recorded=StepState.RUNNING,
            effect=Effect.NOT_APPLIED,
            advice="--retry",
        ),
    ),
)


def test_prints_what_the_database_says_of_each_step() -> None:
    result, _ = call("repair", "shop:app", repair=REPAIRED)

    assert (result.exit_code, result.stdout) == (
        7,
        f"""\
Run 6a9b of plan {PLAN.id} is blocked: see repair; 1 of 4 steps done: nobody knows.

#  STEP          RECORDED AS  IN THE DATABASE  ADVICE
1  add column    done         applied          -
2  create index  running      not applied      --retry
""",
    )


def test_prints_what_the_database_says_as_json() -> None:
    result, _ = call("repair", "shop:app", "--json", repair=REPAIRED)

    document = json.loads(result.stdout)
    assert document["run"]["state"] == "blocked"
    assert document["verdicts"][1] == {
        "ix": 1,
        "summary": "create index",
        "recorded": "running",
        "effect": "not_applied",
        "advice": "--retry",
    }


def test_says_that_nothing_needs_repair() -> None:
    result, _ = call("repair", "shop:app")

    assert (result.exit_code, result.stdout) == (0, "every run has ended: there is nothing to repair\n")


MADE = Made(file=Path("migrations/4f1c.py"), plan=SAFE)


def test_says_which_script_was_written() -> None:
    result, _ = call("make", "shop:app", "-m", "isbn", make=MADE)

    assert result.stdout.splitlines()[0].startswith(f"Plan {SAFE.id}")
    assert result.stdout.endswith("\n1 step: 1 safe.\n\nWrote migrations/4f1c.py\n")


def test_says_which_script_was_written_when_nothing_is_known_of_it() -> None:
    result, _ = call("make", "shop:app", "-m", "isbn", make=dataclasses.replace(MADE, plan=None))

    assert (result.exit_code, result.stdout) == (0, "Wrote migrations/4f1c.py\n")


def test_says_that_there_was_nothing_to_write() -> None:
    result, _ = call("make", "shop:app", "-m", "isbn")

    assert (result.exit_code, result.stdout) == (0, "Nothing differs, so no script was written.\n")


def test_prints_what_was_written_as_json() -> None:
    document = json.loads(call("make", "shop:app", "-m", "isbn", "--json", make=MADE)[0].stdout)

    assert (document["file"], read_plan(json.dumps(document["plan"]))) == ("migrations/4f1c.py", SAFE)
    nothing = call("make", "shop:app", "-m", "isbn", "--json")[0].stdout
    assert json.loads(nothing) == {"file": None, "plan": None}


@pytest.mark.parametrize(
    "command", ["make", "plan", "lint", "apply", "rollback", "status", "repair", "baseline"]
)
def test_shows_examples_in_the_help(command: str) -> None:
    result, _ = call(command, "--help")

    assert f"fastapi-easy migrate {command} shop:app" in result.stdout


def test_help_does_not_pay_for_the_application_and_for_colours() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from fastapi_easy.interfaces.cli.app import build_cli; "
        "help = CliRunner().invoke(build_cli(None, int), ['migrate', 'plan', '--help']); "
        "print(help.exit_code, {'rich', 'fastapi_easy.application'} & sys.modules.keys())"
    )

    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert seen.stdout == "0 set()\n"
