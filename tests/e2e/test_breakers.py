"""Breakers of a running application, seen and set from the command line, in every process."""

import json
import time
from pathlib import Path

import pytest

from tests.e2e.commands import PATIENCE, Served, call, serving
from tests.services.wanted import empty_database

PROGRAM = """
import os

from fastapi_easy.bootstrap import create_app
from tests.e2e.outage import Post

app = create_app(Post())


@app.get("/who")
async def who() -> int:
    return os.getpid()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "post.py").write_text(PROGRAM)
    return tmp_path


def status_of(served: Served) -> int:
    connection = served.connection()
    connection.request("GET", "/parcels")
    return connection.getresponse().status


def states_of_two(folder: Path, variables: dict[str, str]) -> list[dict[str, object]]:
    """The breakers, of the database and of the locks, once both workers are there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        listed = call(folder, "breakers", "list", "--json", **variables)
        found = json.loads(listed.stdout or "[]")
        if len(found) == 4:
            return found
    pytest.fail(listed.stderr)


def test_an_isolated_database_is_asked_by_no_process_until_it_is_reset(folder, pytestconfig):
    with empty_database("postgres") as url:
        variables = {
            "FASTAPI_EASY_DATABASES__DEFAULT__URL": url,
            "FASTAPI_EASY_CONTROL": str(folder / "control"),
            "PYTHONPATH": str(pytestconfig.rootpath),
        }
        with serving(folder, "post:app", "--workers", "2", **variables) as served:
            before = states_of_two(folder, variables)
            isolated = call(folder, "breakers", "isolate", "default", **variables)
            refused = {status_of(served) for _ in range(10)}
            unknown = call(folder, "breakers", "reset", "other", **variables)
            reset = call(folder, "breakers", "reset", "default", **variables)
            answered = {status_of(served) for _ in range(10)}
        after = call(folder, "breakers", "list", **variables)

    assert len({each["process"] for each in before}) == 2
    assert {(each["database"], each["state"]) for each in before} == {
        ("default", "closed"),
        ("locks", "closed"),
    }
    assert isolated.stdout.count("isolated") == 2
    assert refused == {503}
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "no process has a circuit breaker for 'other'; there are: default, locks\n",
    )
    assert reset.stdout.count("closed") == 2
    assert answered == {200}
    assert after.returncode == 2
    assert "no process answers there" in after.stderr
    assert list((folder / "control").iterdir()) == []


def test_without_a_folder_it_says_how_to_name_one(folder):
    ended = call(folder, "breakers", "list")

    assert ended.returncode == 2
    assert "FASTAPI_EASY_CONTROL" in ended.stderr


def test_a_folder_that_others_may_write_into_is_refused(folder, pytestconfig):
    control = folder / "control"
    control.mkdir()
    control.chmod(0o777)
    variables = {"FASTAPI_EASY_CONTROL": str(control), "PYTHONPATH": str(pytestconfig.rootpath)}

    ended = call(folder, "run", "post:app", "--port", "0", **variables)

    assert ended.returncode == 3
    assert f"others may write into {control}" in ended.stderr
    assert "Traceback" not in ended.stderr
