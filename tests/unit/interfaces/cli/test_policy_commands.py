"""What the commands below `policy` ask, print and exit with."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.policy.tasks import PolicyQuestion, PolicyTasks
from fastapi_easy.interfaces.cli.tasks import CommandError, Target
from tests.unit.interfaces.cli.test_commands import RecordedTasks

ALLOWED = {
    "resource": "books",
    "action": "update",
    "key": "7",
    "decision": "allowed",
    "decided_by": ["books.policy[1]"],
    "rows": "owner_id == 42",
    "readable": ["id", "title"],
    "writable": ["title"],
    "stamps": {},
    "rules": [
        {"place": "books.policy[1]", "allows": True, "reason": ""},
        {"place": "books.policy[2]", "allows": False, "reason": "is for role admin"},
    ],
}
CELL = {"summary": "rows", "rows": "owner_id == principal.id", "readable": None, "writable": None}
MATRIX = {
    "columns": ["anonymous", "authenticated", "editor"],
    "unlisted": [],
    "rows": [
        {
            "resource": "books",
            "action": each,
            "cells": {"anonymous": None, "authenticated": None, "editor": CELL},
        }
        for each in ("update", "delete")
    ],
}


def call(*arguments: str, answer: Any = ALLOWED) -> tuple[Result, list[Any]]:
    asked: list[Any] = []

    def answered(question: Any) -> Any:
        asked.append(question)
        if isinstance(answer, Exception):
            raise answer
        return answer

    tasks = PolicyTasks(explain=answered, matrix=answered)
    cli = build_cli(RecordedTasks().tasks(), policies=lambda: tasks)  # type: ignore[no-untyped-call]
    return CliRunner().invoke(cli, ["policy", *arguments]), asked


def test_a_caller_is_described_by_options() -> None:
    result, asked = call(
        *(
            "explain",
            "shop:app",
            "--as",
            "user:42",
            "--role",
            "editor",
            "--role",
            "clerk",
            "--tenant",
            "acme",
        ),
        *("--claim", "department=maths", "--claim", "level=3", "--scope", "books:*", "update", "books/7"),
    )

    assert result.exit_code == 0
    assert asked == [
        PolicyQuestion(
            target=Target(path="shop:app", folder=Path()),
            caller="42",
            roles=("editor", "clerk"),
            claims={"department": "maths", "level": 3},
            scopes=("books:*",),
            tenant="acme",
            action="update",
            entity="books/7",
        )
    ]
    assert result.stdout.splitlines() == [
        "update books/7 as user:42: allowed",
        "  decided by  books.policy[1]",
        "  rows        owner_id == 42",
        "  books/7     is one of them",
        "  reads       id, title",
        "  writes      title",
        "rules about it:",
        "  books.policy[1]  allows",
        "  books.policy[2]  is for role admin",
    ]


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        pytest.param(
            "hidden", "books/7     is none of them: the caller is told that it does not exist", id="hidden"
        ),
        pytest.param("forbidden", "answer  the caller is told that it is not permitted", id="forbidden"),
        pytest.param("unauthenticated", "answer  the caller is told to authenticate", id="unauthenticated"),
    ],
)
def test_what_is_not_allowed_ends_with_one(decision: str, says: str) -> None:
    result, asked = call(
        "explain",
        "shop:app",
        "--as",
        "anonymous",
        "update",
        "books/7",
        answer=ALLOWED | {"decision": decision},
    )

    assert (result.exit_code, asked[0].caller, asked[0].scopes) == (1, "", None)
    assert says in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--as", "42", "update", "books"), id="who"),
        pytest.param(("--as", "user:", "update", "books"), id="nobody"),
        pytest.param(("--as", "user:1", "--claim", "x", "update", "books"), id="claim"),
        pytest.param(("update", "books"), id="no caller"),
        pytest.param(("--as", "user:1", "update"), id="no resource"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    result, asked = call("explain", "shop:app", *arguments)

    assert (result.exit_code, asked) == (2, [])


def test_the_matrix_is_a_table_with_its_limits_below() -> None:
    result, _ = call("matrix", "shop:app", answer=MATRIX)

    assert result.stdout.splitlines() == [
        "RESOURCE  ACTION  ANONYMOUS  AUTHENTICATED  editor",
        "books     update  no         no             rows",
        "books     delete  no         no             rows",
        "",
        "rows:",
        "  books update, delete, editor: owner_id == principal.id",
    ]


def test_the_matrix_says_what_it_does_not_know() -> None:
    result, _ = call("matrix", "shop:app", answer=MATRIX | {"unlisted": ["OwnNotes"]})

    assert "OwnNotes cannot be listed" in result.stdout


def test_a_question_that_cannot_be_answered_ends_with_two() -> None:
    result, _ = call("matrix", "shop:app", answer=CommandError("there is no module 'shop'"))

    assert (result.exit_code, result.stderr) == (2, "there is no module 'shop'\n")
