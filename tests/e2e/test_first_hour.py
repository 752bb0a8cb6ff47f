"""What a new user gets wrong: each answer says what, where and the mend, and `doctor` says the same."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fastapi_easy.__main__ import command_line
from fastapi_easy.domain import DeclarationError
from fastapi_easy.interfaces.cli.targets import load_app
from fastapi_easy.interfaces.cli.tasks import Target
from tests.e2e.commands import PATIENCE, call, environment
from tests.e2e.wrong_programs import GOOD, PREAMBLE, PREFIX, WRONG, Wrong

LINES_OF_A_SCREEN = 24
COLUMNS_OF_A_SCREEN = 100

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, an environment without settings, and no signal handler left behind."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for each, handler in handlers.items():
        signal.signal(each, handler)


def written(wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write the program, and return the name of its module, which no other has."""
    module = f"first_hour_{next(_numbers)}"
    Path(f"{module}.py").write_text(f"{PREAMBLE}{wrong.program}")
    for name, content in wrong.files.items():
        Path(name).write_bytes(content)
    for name, value in wrong.variables.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return module


def ended(*arguments: str) -> Result:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return CliRunner().invoke(command_line(), arguments)


def start_of(module: str) -> str:
    """Start the program, and return why it does not."""
    app = load_app(Target(path=f"{module}:app", folder=Path()))

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pytest.fail("it starts")

    with pytest.raises((DeclarationError, ConnectionError)) as refused:
        asyncio.run(start())
    return str(refused.value)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_with_its_mend(wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    module = written(wrong, monkeypatch)
    if wrong.at_start:
        said = start_of(module)
    else:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            # Taken, so that a program that loads after all would end too.
            run = ended("run", f"{module}:app", "--port", str(taken.getsockname()[1]))
        said = run.stderr
        assert (run.exit_code, run.stdout) == (2, ""), said

    doctor = ended("doctor", f"{written(wrong, monkeypatch)}:app")

    assert [part for part in wrong.says if part not in said] == [], said
    assert "Traceback" not in said
    assert "hush" not in said
    lines = [part for line in said.splitlines() for part in textwrap.wrap(line, COLUMNS_OF_A_SCREEN) or [""]]
    assert len(lines) <= LINES_OF_A_SCREEN
    assert doctor.exit_code in {1, 2}, doctor.output
    assert [part for part in wrong.says if part not in doctor.output] == [], doctor.output
    assert "No problems found" not in doctor.output


def test_there_are_forty_of_them() -> None:
    assert len(WRONG) >= 40


def test_the_doctor_is_short_about_a_program_that_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    module = written(Wrong(says=()), monkeypatch)

    found = ended("doctor", f"{module}:app")

    assert found.exit_code == 0, found.output
    assert len(found.output.splitlines()) <= 8
    assert "No problems found." in found.output


def test_locks_of_a_program_that_never_ran_are_listed_without_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = written(Wrong(says=()), monkeypatch)

    listed = ended("locks", "list", f"{module}:app")

    assert (listed.exit_code, listed.output.split()[:2]) == (0, ["NAME", "TOKEN"])
    assert not list(Path().glob("*.sqlite3*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("fastapi_easy.toml", "[http]\n"), (".env", f"export {PREFIX}HTTP__PREFIX=/api\n")],
)
def test_files_that_are_not_read_are_named(
    name: str, content: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module = written(Wrong(says=(), files={name: content.encode()}), monkeypatch)

    load_app(Target(path=f"{module}:app", folder=Path()))
    found = ended("doctor", f"{module}:app")

    assert [f"{name} is not read" in each.message for each in caplog.records] == [True]
    assert f"{name} is not read" in found.output


def test_a_setting_under_its_former_name_counts_and_is_deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    former = Wrong(says=(), variables={"DATABASES__DEFAULT__SCHEMA_MODE": "fresh"})
    module = written(former, monkeypatch)

    with pytest.warns(DeprecationWarning, match="schema_mode is called migrations now"):
        app = load_app(Target(path=f"{module}:app", folder=Path()))
    found = ended("doctor", f"{written(former, monkeypatch)}:app")

    assert app.state.container.settings().databases["default"].migrations == "check"
    assert "write migrations = 'check'" in found.output


OWN_SECTION = (
    GOOD.replace("app = create_app(Shop())", "").replace(
        "class Shop(Container):",
        """
from dependency_injector import providers
from pydantic import BaseModel


class Mail(BaseModel):
    host: str = "localhost"
    to: tuple[str, ...] = ()


class ShopSettings(Settings):
    mail: Mail = Mail()


class Shop(Container):
    settings = providers.Singleton(ShopSettings)
""",
    )
    + "\n\napp = create_app(Shop())\n"
)


def test_a_program_has_a_section_of_settings_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Wrong(
        says=(),
        program=OWN_SECTION,
        variables={"MAIL__TO": "a@b.example,c@d.example"},
        files={"fastapi-easy.toml": b"[mail]\nhost = 'mx'\n"},
    )
    module = written(own, monkeypatch)

    app = load_app(Target(path=f"{module}:app", folder=Path()))
    found = ended("doctor", f"{module}:app")
    monkeypatch.setenv(f"{PREFIX}MIAL__HOST", "x")
    misspelt = ended("run", f"{module}:app")

    mail = app.state.container.settings().mail
    assert (mail.host, mail.to) == ("mx", ("a@b.example", "c@d.example"))
    assert found.exit_code == 0, found.output
    assert "mail.host" in found.output
    assert (misspelt.exit_code, misspelt.stdout) == (2, "")
    assert f"did you mean {PREFIX}MAIL__HOST?" in misspelt.stderr


@pytest.mark.parametrize("name", ["the class of the container", "no folder", "no TOML"])
def test_the_command_itself_says_it_without_a_traceback(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = WRONG[name]
    module = written(wrong, monkeypatch)
    variables = {f"{PREFIX}DATABASES__DEFAULT__URL": "sqlite:///app.sqlite3"}
    variables |= {f"{PREFIX}{key}": value for key, value in wrong.variables.items()}

    run = call(tmp_path, "run", f"{module}:app", "--port", "0", **variables)

    assert (run.returncode, run.stdout) == (3 if wrong.at_start else 2, ""), run.stderr
    assert [part for part in wrong.says if part not in run.stderr] == []
    assert "Traceback" not in run.stderr


HIDING = """
import sys


class Hidden:
    def find_spec(self, name, *arguments):
        if name.partition(".")[0] in {"sqlalchemy", "alembic", "sqlmodel", "aiosqlite", "tortoise"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden())
from fastapi_easy.__main__ import main

main()
"""
PLAIN = """
from dataclasses import dataclass

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


@dataclass
class Book:
    title: str
    id: int | None = None


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())
"""


@pytest.mark.parametrize("url", ["memory://", "sqlite:///shop.sqlite3"])
def test_the_doctor_needs_no_library_that_the_program_does_not(url: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PLAIN)
    variables = environment(**{f"{PREFIX}DATABASES__DEFAULT__URL": url})

    found = subprocess.run(
        [sys.executable, "-c", HIDING, "doctor", "shop:app"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert found.stderr == ""
    if url == "memory://":
        assert (found.returncode, "No problems found." in found.stdout) == (0, True)
    else:
        assert found.returncode == 1
        assert 'sqlalchemy is not installed: pip install "fastapi_easy[sqlite]"' in found.stdout
