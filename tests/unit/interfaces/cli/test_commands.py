"""What the commands ask for, print and exit with."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.tasks import (
    BreakerState,
    Check,
    CommandError,
    Diagnosis,
    Lock,
    Route,
    Serving,
    Setting,
    State,
    Target,
    Tasks,
)

ROUTES = (Route("GET", "/books", "list_books", "books"), Route("GET", "/docs", "docs"))
FINE = Diagnosis(
    (Setting("http.docs", "yes", "default"),),
    (
        Check("database", State.OK, "default: memory", {"milliseconds": 1.5}),
        Check("secret", State.NOTE, "unset"),
    ),
)
BREAKERS = (BreakerState(7, "default", "open", 1.25, 3, 40), BreakerState(8, "default", "closed", 0.0, 0, 0))
LOCKS = (
    Lock(
        name="invoice:42", token=17, age=1.25, remaining=28.0, owner="vm:1:a:b/1.0", waiters=("vm:2:a:c/1.0",)
    ),
    Lock(name="reports", token=18, age=3.0, remaining=None, owner="vm:3:a:d/1.0", waiters=()),
)
ILL = Diagnosis((), (Check("declaration", State.WRONG, "books:\n mend it"),))


class RecordedTasks:
    """Notes what was asked and answers as told."""

    def __init__(self, diagnosis=FINE, refusal=None, evicts=True):
        self.asked = []
        self.evicts = evicts
        self.diagnosis = diagnosis
        self.refusal = refusal

    def tasks(self):
        return Tasks(
            serve=self.answering(0),
            list_routes=self.answering(ROUTES),
            describe_messages=self.answering({"asyncapi": "3.0.0", "info": {"title": "Café"}}),
            diagnose=self.answering(self.diagnosis),
            ask_breakers=self.answering(BREAKERS),
            list_locks=self.answering(LOCKS),
            evict_lock=self.answering(self.evicts),
            list_row_security=self.answering(["ALTER TABLE orders ENABLE ROW LEVEL SECURITY"]),
            version=lambda: "1.2.3",
        )

    def answering(self, answer):
        def answered(*asked):
            self.asked += asked
            if self.refusal:
                raise self.refusal
            return answer

        return answered


def call(*arguments, **told):
    recorded = RecordedTasks(**told)
    return CliRunner().invoke(build_cli(recorded.tasks()), arguments), recorded.asked


def test_serves_as_asked():
    result, asked = call(
        *("run", "shop:app", "--host", "::1", "--port", "1", "--workers", "3"),
        *("--log-level", "WARNING", "--access-log", "--app-dir", "/"),
    )

    assert result.exit_code == 0
    assert asked == [
        Serving(
            target=Target(path="shop:app", folder=Path("/")),
            host="::1",
            port=1,
            workers=3,
            log_level="WARNING",
            access_log=True,
        )
    ]


def test_serves_the_current_folder_to_this_machine_unless_told_otherwise():
    _, asked = call("run", "shop:app")

    assert asked == [Serving(target=Target(path="shop:app", folder=Path()))]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["run"], id="no target"),
        pytest.param(["run", "shop:app", "--port", "65536"], id="port"),
        pytest.param(["run", "shop:app", "--workers", "0"], id="workers"),
        pytest.param(["run", "shop:app", "--workers", "2", "--reload"], id="workers that reload"),
        pytest.param(["run", "shop:app", "--app-dir", "/there/is/none"], id="folder"),
        pytest.param(["rum"], id="command"),
        pytest.param(["breakers", "isolate"], id="no database"),
        pytest.param(["breakers", "break", "default"], id="no such act"),
        pytest.param(["locks", "list"], id="no app"),
        pytest.param(["locks", "evict", "shop:app", "invoice:42"], id="no token"),
        pytest.param(["locks", "evict", "shop:app", "invoice:42", "--token", "17"], id="no reason"),
    ],
)
def test_refuses_what_makes_no_sense(arguments):
    result, asked = call(*arguments)

    assert (result.exit_code, asked) == (2, [])


@pytest.mark.parametrize("command", ["run", "routes", "doctor"])
def test_says_a_refusal_on_stderr_and_exits_with_its_code(command):
    result, _ = call(command, "shop:app", refusal=CommandError("there is none", exit_code=7))

    assert (result.exit_code, result.stdout, result.stderr) == (7, "", "there is none\n")


def test_shows_the_traceback_of_the_cause_when_debugging():
    refusal = CommandError("there is none")
    refusal.__cause__ = LookupError("the cause")

    result, _ = call("routes", "shop:app", "--debug", refusal=refusal)

    assert result.stderr == "LookupError: the cause\nthere is none\n"


def test_prints_routes_as_a_table():
    result, _ = call("routes", "shop:app")

    assert result.stdout.splitlines() == [
        "METHOD  PATH    NAME        RESOURCE",
        "GET     /books  list_books  books",
        "GET     /docs   docs        -",
    ]


def test_prints_breakers_as_a_table():
    result, asked = call("breakers", "list")

    assert asked == ["list", None, None]
    assert result.stdout.splitlines() == [
        "PROCESS  DATABASE  STATE   RETRY AFTER  OPENED  REFUSED",
        "7        default   open    1.2 s        3       40",
        "8        default   closed  -            0       0",
    ]


def test_prints_breakers_as_json():
    result, asked = call("breakers", "isolate", "default", "--control", "/run/shop", "--json")

    assert asked == ["isolate", "default", Path("/run/shop")]
    assert json.loads(result.stdout)[0] == {
        "process": 7,
        "database": "default",
        "state": "open",
        "retry_after": 1.25,
        "opened": 3,
        "refused": 40,
    }


def test_prints_locks_as_a_table():
    result, asked = call("locks", "list", "shop:app", "in")

    assert asked == [Target(path="shop:app", folder=Path()), "in"]
    assert result.stdout.splitlines() == [
        "NAME        TOKEN  AGE    REMAINING  WAITING  OWNER",
        "invoice:42  17     1.2 s  28.0 s     1        vm:1:a:b/1.0",
        "reports     18     3.0 s  -          0        vm:3:a:d/1.0",
    ]


def test_prints_locks_as_json():
    result, _ = call("locks", "list", "shop:app", "--json")

    assert json.loads(result.stdout)[1] == {
        "name": "reports",
        "token": 18,
        "age": 3.0,
        "remaining": None,
        "owner": "vm:3:a:d/1.0",
        "waiters": [],
    }


@pytest.mark.parametrize(
    ("evicts", "exit_code", "said"),
    [
        pytest.param(True, 0, "invoice:42 was evicted.", id="held"),
        pytest.param(False, 1, "No lock invoice:42 is held with token 17.", id="not held"),
    ],
)
def test_evicts_a_lock_by_its_token(evicts, exit_code, said):
    arguments = ["locks", "evict", "shop:app", "invoice:42", "--token", "17", "--reason", "stuck"]

    result, asked = call(*arguments, evicts=evicts)

    assert asked == [Target(path="shop:app", folder=Path()), "invoice:42", 17, "stuck"]
    assert (result.exit_code, result.output.strip()) == (exit_code, said)


def test_prints_routes_as_json():
    result, _ = call("routes", "shop:app", "--json")

    assert json.loads(result.stdout)[0] == {
        "method": "GET",
        "path": "/books",
        "name": "list_books",
        "resource": "books",
    }


@pytest.mark.parametrize(("diagnosis", "code"), [(FINE, 0), (ILL, 1)])
def test_exits_with_one_when_something_is_wrong(diagnosis, code):
    result, _ = call("doctor", "shop:app", diagnosis=diagnosis)

    assert result.exit_code == code


def test_prints_a_diagnosis_for_people():
    result, _ = call("doctor", "shop:app")
    everything, _ = call("doctor", "shop:app", "--all")

    # Defaults are many, and seldom what somebody looks for.
    assert result.stdout.splitlines() == everything.stdout.splitlines()[3:]
    assert everything.stdout.splitlines() == [
        "SETTING    VALUE  FROM",
        "http.docs  yes    default",
        "",
        "ok    database  default: memory",
        "note  secret    unset",
        "",
        "No problems found.",
    ]


def test_prints_what_is_wrong_in_one_line_each():
    result, _ = call("doctor", "shop:app", diagnosis=ILL)

    assert result.stdout.splitlines() == ["wrong  declaration  books: mend it", "", "1 thing is wrong."]


def test_prints_a_diagnosis_for_programs():
    result, _ = call("doctor", "shop:app", "--json")

    assert json.loads(result.stdout) == {
        "well": True,
        "settings": [{"name": "http.docs", "value": "yes", "source": "default"}],
        "checks": [
            {"area": "database", "state": "ok", "sentence": "default: memory", "milliseconds": 1.5},
            {"area": "secret", "state": "note", "sentence": "unset"},
        ],
    }


def test_says_its_version():
    result, _ = call("--version")

    assert (result.exit_code, result.stdout) == (0, "fastapi_easy 1.2.3\n")


@pytest.mark.parametrize("command", ["run", "routes", "doctor"])
def test_shows_examples_in_the_help(command):
    result, _ = call(command, "--help")

    assert f"fastapi-easy {command} shop:app\n" in result.stdout


def test_prints_row_security_as_a_script():
    result, asked = call("tenants", "row-security", "shop:app")

    assert (result.exit_code, asked) == (0, [Target(path="shop:app", folder=Path())])
    assert result.stdout == "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;\n"
