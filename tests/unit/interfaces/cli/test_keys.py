"""What the commands below `keys` ask of the keyring, print and exit with."""

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from returns.result import Failure
from typer.testing import CliRunner

from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.domain.authentication.api_key_text import parse_key
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.infrastructure.authentication.api_keys.memory import MemoryApiKeyStore
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.keys.tasks import KeyQuestion, KeyTasks
from fastapi_easy.interfaces.cli.tasks import CommandError, Target, Tasks


class Application:
    """An application whose keys are in this process."""

    def __init__(self) -> None:
        self.keyring = Keyring(MemoryApiKeyStore(), SystemClock(), InProcessEventBus())
        self.asked: list[Target] = []
        self.refusal: CommandError | None = None
        self.is_down = False

    def ask(self, target: Target, question: KeyQuestion) -> Outcome[Any]:
        self.asked.append(target)
        if self.refusal is not None:
            raise self.refusal

        async def ask() -> Outcome[Any]:
            return await question(self.keyring)

        return Failure(Unavailable("default")) if self.is_down else asyncio.run(ask())

    def call(self, *arguments: str) -> Any:
        cli = build_cli(_no_tasks(), key_tasks=lambda: KeyTasks(ask=self.ask))
        return CliRunner().invoke(cli, ["keys", *arguments])


def _no_tasks() -> Tasks:
    def never(*_: object) -> Any:
        raise AssertionError("another command was called")

    unasked: dict[str, Any] = dict.fromkeys((each.name for each in dataclasses.fields(Tasks)), never)
    return Tasks(**unasked)


@pytest.fixture
def application() -> Application:
    return Application()


def test_a_new_key_is_all_that_stands_on_stdout(application: Application) -> None:
    result = application.call("create", "shop:app", "--for", "user:42")

    key = parse_key(result.stdout.removesuffix("\n"))
    assert key is not None
    assert result.exit_code == 0
    assert f"API key {key.id} for user:42, expires " in result.stderr
    assert result.stdout.strip() not in result.stderr
    assert [each.path for each in application.asked] == ["shop:app"]


def test_a_new_key_has_what_was_asked_for(application: Application) -> None:
    result = application.call(
        *("create", "shop:app", "--for", "user:42", "--scope", "books:read", "--scope", "orders:*"),
        *("--role", "editor", "--tenant", "acme", "--label", "export", "--expires", "never", "--json"),
    )

    printed = json.loads(result.stdout)
    assert parse_key(printed["key"]) is not None
    assert {
        name: printed[name] for name in ("owner", "scopes", "roles", "tenant", "label", "expires_at", "state")
    } == {
        "owner": "user:42",
        "scopes": ["books:read", "orders:*"],
        "roles": ["editor"],
        "tenant": "acme",
        "label": "export",
        "expires_at": None,
        "state": "valid",
    }


@pytest.mark.parametrize("expires", ["90", "0d", "-1d", "1.5h", "soon", "90D", "1y", "", "100000d"])
def test_a_time_that_nobody_understands_is_refused(application: Application, expires: str) -> None:
    result = application.call("create", "shop:app", "--for", "user:42", f"--expires={expires}")

    assert result.exit_code == 2
    assert "90d" in result.stderr
    assert application.asked == []


@pytest.mark.parametrize(("expires", "hours"), [("12h", 12), ("90d", 2160), ("8w", 1344)])
def test_a_key_lasts_as_long_as_was_asked_for(application: Application, expires: str, hours: int) -> None:
    _ = application.call("create", "shop:app", "--for", "user:42", "--expires", expires)

    (key,) = asyncio.run(application.keyring.list()).unwrap()
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).total_seconds() == 3600 * hours


def test_keys_are_listed_as_a_table_and_as_json(application: Application) -> None:
    _ = application.call("create", "shop:app", "--for", "user:42", "--scope", "books:read")
    _ = application.call("create", "shop:app", "--for", "user:43", "--expires", "never")

    headings, *rows = application.call("list", "shop:app").stdout.splitlines()
    # Both were issued within a second: their order is that of their ids.
    first, second = sorted(rows, key=lambda row: row.split()[1])
    listed = json.loads(application.call("list", "shop:app", "--for", "user:43", "--json").stdout)

    assert headings.split()[:4] == ["ID", "OWNER", "LABEL", "ROLES"]
    assert first.split()[1:6] == ["user:42", "-", "-", "-", "books:read"]
    assert second.split()[5:6] == ["all"]
    assert second.endswith("valid")
    assert [each["owner"] for each in listed] == ["user:43"]
    assert "digest" not in listed[0]


@pytest.mark.parametrize("whole", [False, True], ids=["its id", "the key itself"])
def test_a_key_is_revoked_by(application: Application, whole: bool) -> None:
    text = application.call("create", "shop:app", "--for", "user:42").stdout.strip()
    public_id = text.split("_")[1]

    result = application.call("revoke", "shop:app", text if whole else public_id)

    assert (result.exit_code, result.stdout) == (0, f"API key {public_id} of user:42 is revoked.\n")
    assert application.call("list", "shop:app").stdout.strip().endswith("revoked")


def test_a_key_that_does_not_exist_ends_with_one(application: Application) -> None:
    result = application.call("revoke", "shop:app", "unknown1")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no API key with the id unknown1" in result.stderr


def test_a_scope_that_is_no_permission_is_named(application: Application) -> None:
    result = application.call("create", "shop:app", "--for", "user:42", "--scope", "books")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "scopes: Must be like books:read" in result.stderr


def test_a_database_that_is_down_and_an_application_without_keys_are_said(application: Application) -> None:
    application.is_down = True
    assert "does not answer" in application.call("list", "shop:app").stderr
    application.refusal = CommandError("no keys here")

    result = application.call("list", "shop:app")

    assert (result.exit_code, result.stderr) == (2, "no keys here\n")
