"""The commands on the use cases, with a database in memory: what they say is what happens."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from returns.result import Success
from typer.testing import CliRunner, Result

from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.migrate.facade_tasks import Publish, migration_tasks
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget
from fastapi_easy.interfaces.cli.tasks import Target
from fastapi_easy.testing.migrations import Crashed, InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program


class Shop:
    """A shop whose declarations change, and its database.

    Args:
        declared: The definitions that the program declares.

        programs: How its programs are made otherwise than by default.
    """

    def __init__(self, declared: Mapping[str, str] = BOOKS, **programs: Any) -> None:
        self.declared = dict(declared)
        self.schema = InMemorySchema()
        self.asked_for: list[MigrationTarget] = []
        self._programs = programs

    @contextlib.asynccontextmanager
    async def open(self, at: MigrationTarget, publish: Publish) -> AsyncIterator[Migrations]:
        self.asked_for.append(at)
        yield Program(self.declared, self.schema, publish=publish, **self._programs).migrations

    def call(self, *arguments: str) -> Result:
        """Call `fastapi-easy migrate` with *arguments*."""
        tasks: Any = None
        cli = build_cli(tasks, lambda: migration_tasks(self.open, tasks))
        command, *options = arguments
        return CliRunner().invoke(cli, ["migrate", command, "shop:app", *options])


def test_a_schema_is_planned_applied_changed_and_taken_back() -> None:
    shop = Shop()

    assert shop.call("plan").exit_code == 2
    assert shop.call("status", "--check").exit_code == 2
    applied = shop.call("apply", "--yes")
    assert (applied.exit_code, shop.schema.objects) == (0, BOOKS)
    assert re.sub(r"\d+\.\d\d s", "… s", applied.stderr).splitlines() == [
        "1/3  create books table  (… s)",
        "2/3  create books.isbn text  (… s)",
        "3/3  create books.title text  (… s)",
    ]
    assert applied.stdout.endswith(" was applied; 3 of 3 steps done.\n")
    assert (shop.call("plan").exit_code, shop.call("status", "--check").exit_code) == (0, 0)
    assert "Nothing to do" in shop.call("apply", "--yes").stdout

    del shop.declared["books.isbn"]
    refused = shop.call("apply", "--yes")
    assert (refused.exit_code, shop.schema.objects) == (3, BOOKS)
    options = [word for line in refused.stderr.splitlines() for word in line.split() if line.startswith("  ")]
    assert options[0] == "--allow"
    assert shop.call("apply", "--yes", *options).exit_code == 0
    assert shop.schema.objects == shop.declared

    undone = shop.call("rollback", "--yes")
    assert (undone.exit_code, shop.schema.objects) == (0, BOOKS)
    assert undone.stdout.endswith(" was rolled back; 0 of 1 step done, 1 undone.\n")


def test_a_plan_that_was_reviewed_is_applied_as_it_is(tmp_path: Path) -> None:
    shop = Shop()
    file = tmp_path / "plan.json"
    file.write_text(shop.call("plan", "--json").stdout)

    applied = shop.call("apply", "--yes", "--json", "--plan", str(file))

    assert (applied.exit_code, json.loads(applied.stdout)["state"]) == (0, "applied")
    assert json.loads(applied.stdout)["plan_id"] == json.loads(file.read_text())["plan_id"]


def test_a_plan_of_another_schema_is_not_applied(tmp_path: Path) -> None:
    shop = Shop()
    file = tmp_path / "plan.json"
    file.write_text(shop.call("plan", "--json").stdout)
    shop.schema.objects["shelf"] = "table"

    refused = shop.call("apply", "--yes", "--plan", str(file))

    assert (refused.exit_code, shop.schema.objects) == (6, {"shelf": "table"})


def test_a_run_that_is_stopped_after_some_steps_goes_on() -> None:
    shop = Shop()

    assert shop.call("apply", "--yes", "--steps", "1").exit_code == 0
    assert shop.schema.objects == {"books": "table"}
    assert shop.call("status", "--check").exit_code == 2
    assert shop.call("apply", "--yes").stderr.startswith("Run ")
    assert shop.schema.objects == BOOKS


def test_a_step_that_fails_ends_with_four_and_what_was_done_stays() -> None:
    shop = Shop({**BOOKS, "shelf.place": "column of a table that does not exist"})

    result = shop.call("apply", "--yes")

    assert (result.exit_code, shop.schema.objects) == (4, BOOKS)
    assert result.stderr.splitlines()[3].startswith("4/4  create shelf.place column")
    assert "FAILED" in result.stderr


def blocked_shop() -> Shop:
    """A shop whose second step was cut off, and nobody can see whether it took effect."""
    shop = Shop(modes={"books.isbn": StepMode.AUTOCOMMIT})
    for boundary in range(1, 100):
        shop.schema = InMemorySchema(crash_at=boundary, unseen={"books.isbn"})
        with contextlib.suppress(Crashed):
            shop.call("apply", "--yes")
        shop.schema.crash_at = None
        shop.schema.holder = ""
        if shop.call("apply", "--yes").exit_code == 7:
            return shop
    raise AssertionError("no boundary leaves anybody in doubt")


def test_a_run_in_doubt_is_repaired_by_somebody_who_has_looked() -> None:
    shop = blocked_shop()

    assert shop.call("status", "--check").exit_code == 7
    shown = shop.call("repair")
    assert shown.exit_code == 7
    (line,) = (each for each in shown.stdout.splitlines() if "nobody can see" in each)
    assert line.split()[:6] == ["2", "create", "books.isbn", "text", "running", "unknown"]
    wrong = shop.call("repair", "--mark-done", "9", "--yes")
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "there is no step 9 that is not done: repair without options lists the steps\n",
    )
    shop.schema.objects["books.isbn"] = "text"
    assert shop.call("repair", "--mark-done", "2", "--yes").exit_code == 0
    assert shop.call("apply", "--yes").exit_code == 0
    assert (shop.call("status", "--check").exit_code, shop.schema.objects) == (0, BOOKS)


def test_a_run_in_doubt_can_be_given_up() -> None:
    shop = blocked_shop()

    given_up = shop.call("repair", "--abandon", "--yes")

    assert given_up.exit_code == 0
    assert shop.call("status", "--check").exit_code in {2, 6}


def test_a_database_with_tables_is_adopted() -> None:
    shop = Shop()
    shop.schema.objects.update(BOOKS)

    adopted = shop.call("baseline", "--yes")

    assert (adopted.exit_code, shop.call("status", "--check").exit_code) == (0, 0)
    assert adopted.stdout.endswith(" was applied; 0 of 0 steps done.\n")


def test_lints_what_is_pending() -> None:
    shop = Shop()
    shop.schema.objects.update({**BOOKS, "shelf": "table"})

    result = shop.call("lint", "--json")

    assert (result.exit_code, json.loads(result.stdout)["destructive"]) == (3, True)


class Scripts:
    """A folder of scripts: each does what was pending when it was made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    @property
    def has_scripts(self) -> bool:
        return bool(self.made)

    async def pending(self, history: Any) -> Any:
        return Success(())

    async def make(self, plan: Any, message: str, hints: Any) -> Any:
        self.made.append(message)
        return Success("migrations/4f1c.py")


def test_writes_a_script_for_what_differs() -> None:
    scripts = Scripts()
    shop = Shop(scripts=scripts)

    made = shop.call("make", "-m", "isbn")

    assert (made.exit_code, scripts.made) == (0, ["isbn"])
    assert made.stdout.endswith("Wrote migrations/4f1c.py\n")
    shop.schema.objects.update(BOOKS)
    assert shop.call("make", "-m", "isbn").stdout == "Nothing differs, so no script was written.\n"


def test_without_scripts_none_is_written() -> None:
    result = Shop().call("make", "-m", "isbn")

    assert (result.exit_code, result.stderr) == (1, "migrations does not support scripts\n")


@pytest.mark.parametrize("command", ["plan", "status"])
def test_nothing_is_written_by_looking(command: str) -> None:
    shop = Shop()

    shop.call(command)

    assert (shop.schema.executed, shop.schema.history.exists) == ([], False)
    assert shop.asked_for == [MigrationTarget(target=Target(path="shop:app", folder=Path()))]


def test_what_is_logged_is_not_printed_beside_the_answer() -> None:
    printing = (
        "import logging; from fastapi_easy.interfaces.cli.migrate.facade_tasks import migration_tasks; "
        "_ = migration_tasks(None, None); "
        "logging.getLogger('fastapi_easy.migrations').warning('postgresql://a:b@c/d')"
    )

    ended = subprocess.run([sys.executable, "-c", printing], capture_output=True, text=True, check=True)

    assert (ended.stdout, ended.stderr) == ("", "")
