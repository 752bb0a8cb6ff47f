"""How commands end: with a code for each kind of failure, a sentence, and no secret."""

import dataclasses
import json
from typing import Any, get_args

import pytest

from fastapi_easy.domain.errors import (
    DeadlineExceeded,
    Error,
    LockHeld,
    LockLost,
    OutcomeUnknown,
    Unavailable,
    Unsupported,
)
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode, exit_code_of
from fastapi_easy.interfaces.cli.tasks import CommandError
from tests.unit.interfaces.cli.migrate.recorded import call

CODES = {
    MigrationStop.NOT_ALLOWED: 3,
    MigrationStop.VETOED: 3,
    MigrationStop.FAILED: 4,
    MigrationStop.REFUSED: 1,
    MigrationStop.DRIFT: 6,
    MigrationStop.CHANGED: 6,
    MigrationStop.AHEAD: 6,
    MigrationStop.NO_HISTORY: 6,
    MigrationStop.NEEDS_REPAIR: 7,
    MigrationStop.NOT_CONVERGED: 4,
    MigrationStop.NO_SPACE: 4,
    MigrationStop.UNSUPPORTED: 4,
    MigrationStop.IRREVERSIBLE: 4,
    MigrationStop.UNSUPPORTED: 4,
}
COMMANDS = {
    "make": ["make", "shop:app", "-m", "isbn"],
    "plan": ["plan", "shop:app"],
    "lint": ["lint", "shop:app"],
    "apply": ["apply", "shop:app", "--yes"],
    "rollback": ["rollback", "shop:app", "--yes"],
    "status": ["status", "shop:app"],
    "repair": ["repair", "shop:app"],
    "baseline": ["baseline", "shop:app", "--yes"],
}


def stopped(stop: MigrationStop) -> MigrationStopped:
    return MigrationStopped("default", stop, "it stands still", "6a9b", ("first", "second"))


@pytest.mark.parametrize("stop", MigrationStop)
def test_a_migration_that_stops_ends_with_the_code_of_its_reason(stop: MigrationStop) -> None:
    result, _ = call("apply", "shop:app", "--yes", failure=stopped(stop))

    option = "--allow " if stop is MigrationStop.NOT_ALLOWED else ""
    assert (result.exit_code, result.stdout) == (CODES[stop], "")
    assert result.stderr == f"it stands still\n  {option}first\n  {option}second\n"


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=[*COMMANDS])
def test_every_command_ends_with_the_code_of_its_failure(arguments: list[str]) -> None:
    result, _ = call(*arguments, failure=stopped(MigrationStop.NEEDS_REPAIR))

    assert (result.exit_code, result.stdout) == (7, "")


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=[*COMMANDS])
def test_every_command_prints_its_failure_as_json(arguments: list[str]) -> None:
    result, _ = call(*arguments, "--json", failure=stopped(MigrationStop.DRIFT))

    assert json.loads(result.stdout) == {
        "error": {
            "code": "drift",
            "message": "it stands still",
            "details": ["first", "second"],
            "run_id": "6a9b",
        },
        "exit_code": 6,
    }


@pytest.mark.parametrize(
    ("error", "exit_code", "sentence"),
    [
        pytest.param(
            LockHeld("default, held by vm:7"),
            5,
            "another process is migrating (default, held by vm:7): try again later, or wait longer with --wait",
            id="held",
        ),
        pytest.param(
            LockLost("default"),
            5,
            "the lock of migrations (default) was lost: run the command again to go on",
            id="lost",
        ),
        pytest.param(Unavailable("default"), 1, "the database default does not answer", id="no answer"),
        pytest.param(DeadlineExceeded("default"), 1, "the database default took too long", id="slow"),
        pytest.param(
            OutcomeUnknown("default"),
            4,
            "the database default did not say whether a step took effect: run the command again",
            id="outcome unknown",
        ),
        pytest.param(
            Unsupported("memory", "migrations"), 1, "memory does not support migrations", id="unsupported"
        ),
    ],
)
def test_says_what_kept_a_migration_from_going_on(error: Any, exit_code: int, sentence: str) -> None:
    result, _ = call("apply", "shop:app", "--yes", failure=error)

    assert (result.exit_code, result.stderr) == (exit_code, f"{sentence}\n")


def test_what_would_have_to_be_allowed_can_be_pasted() -> None:
    error = MigrationStopped("default", MigrationStop.NOT_ALLOWED, "no", details=("DS101:old books",))

    assert call("apply", "shop:app", "--yes", failure=error)[0].stderr == "no\n  --allow 'DS101:old books'\n"


def test_every_error_has_an_exit_code() -> None:
    others = [each for each in get_args(Error) if each is not MigrationStopped]

    codes = {exit_code_of(each(*["x"] * len(dataclasses.fields(each)))) for each in others}

    assert codes == {
        ExitCode.USAGE,
        ExitCode.FAILED,
        ExitCode.LOCKED,
    }


@pytest.mark.parametrize(("given", "exit_code"), [(1, 1), (2, 1), (6, 6), (7, 7), (8, 1), (0, 1)], ids=str)
def test_a_command_that_cannot_be_carried_out_never_ends_as_if_something_were_pending(
    given: int, exit_code: int
) -> None:
    result, _ = call("plan", "shop:app", raises=CommandError("there is none", exit_code=given))

    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", "there is none\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["rum"], id="command"),
        pytest.param(["plan"], id="no app"),
        pytest.param(["plan", "shop:app", "--rum"], id="option"),
        pytest.param(["plan", "shop:app", "--json", "--sql"], id="two outputs"),
        pytest.param(["plan", "shop:app", "--rename", "title"], id="rename without a name"),
        pytest.param(["plan", "shop:app", "--fill", "isbn=1"], id="fill without a table"),
        pytest.param(["apply", "shop:app", "--allow", "everything"], id="approval of nothing"),
        pytest.param(["apply", "shop:app", "--wait", "soon"], id="wait"),
        pytest.param(["apply", "shop:app", "--plan", "/there/is/none.json"], id="no plan"),
        pytest.param(["apply", "shop:app", "--plan", __file__, "--fill", "a.b=1"], id="plan and hints"),
        pytest.param(["apply", "shop:app", "--steps", "0"], id="no step"),
        pytest.param(["rollback", "shop:app", "--steps", "2", "--to", "6a9b"], id="two ways back"),
        pytest.param(["repair", "shop:app", "--adopt", "--retry"], id="two repairs"),
        pytest.param(["make", "shop:app"], id="no message"),
        pytest.param(["make", "shop:app", "-m", " "], id="empty message"),
        pytest.param(["lint"], id="nothing to look at"),
        pytest.param(["lint", "shop:app", "--plan", __file__], id="an app and a plan"),
        pytest.param(["lint", "shop:app", "--format", "pdf"], id="format"),
    ],
)
def test_what_makes_no_sense_ends_with_one_and_asks_nothing(arguments: list[str]) -> None:
    result, recorded = call(*arguments)

    assert (result.exit_code, recorded.asked, result.stdout) == (1, [], "")
    assert result.stderr


ADDRESS = "postgresql+asyncpg://ada:s3cr3t@db/shop"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"raises": CommandError(f"no answer of {ADDRESS}")}, id="command error"),
        pytest.param({"raises": RuntimeError(f"no answer of {ADDRESS}")}, id="any exception"),
        pytest.param({"failure": MigrationStopped("d", MigrationStop.FAILED, ADDRESS)}, id="message"),
        pytest.param(
            {"failure": MigrationStopped("d", MigrationStop.FAILED, "no", details=(ADDRESS,))}, id="detail"
        ),
        pytest.param({"failure": LockHeld(ADDRESS)}, id="holder"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]], ids=["plain", "json", "debug"])
def test_shows_no_password_however_it_fails(told: dict[str, Any], options: list[str]) -> None:
    result, _ = call("status", "shop:app", *options, **told)

    assert "s3cr3t" not in result.output
    assert "ada:***@db" in result.output


def test_an_exception_ends_with_one_and_says_how_to_see_where() -> None:
    result, _ = call("status", "shop:app", raises=RuntimeError("no disk"))

    assert (result.exit_code, result.stderr) == (
        1,
        "internal error: RuntimeError: no disk; --debug shows where\n",
    )


def test_shows_the_traceback_when_debugging() -> None:
    result, _ = call("status", "shop:app", "--debug", raises=RuntimeError("no disk"))

    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert result.stderr.endswith("RuntimeError: no disk\ninternal error: RuntimeError: no disk\n")
