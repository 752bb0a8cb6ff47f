"""What the options of migrations are read as."""

import shlex
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.interfaces.cli.migrate.parameters import read_hints, read_wait
from fastapi_easy.interfaces.cli.migrate.reports.next_command import apply_command
from fastapi_easy.interfaces.cli.migrate.tasks import Applying, MigrationTarget, Planning
from fastapi_easy.interfaces.cli.tasks import Target
from tests.thorough import examples
from tests.unit.application.migrations.sample_plans import PLAN
from tests.unit.interfaces.cli.migrate.recorded import call

NAMES = st.text(
    st.characters(exclude_characters=".=-", exclude_categories=["Z", "C"]), min_size=1, max_size=5
)
COLUMNS = st.builds("{}.{}".format, NAMES, NAMES)
VALUES = st.text(min_size=1, max_size=8).filter(lambda each: each == each.strip() and each.lower() != "null")
HINTS = st.builds(
    Hints,
    renamed_columns=st.dictionaries(COLUMNS, NAMES, max_size=3),
    renamed_tables=st.dictionaries(NAMES, NAMES, max_size=3),
    fill=st.dictionaries(COLUMNS, VALUES, max_size=3),
    using=st.dictionaries(COLUMNS, VALUES, max_size=3),
    drop_undeclared=st.booleans(),
    online=st.booleans(),
)


@given(HINTS, st.none() | NAMES)
@settings(deadline=None, max_examples=examples(15, 60))
def test_the_command_that_is_printed_applies_what_was_planned(hints: Hints, database: str | None) -> None:
    at = MigrationTarget(target=Target(path="shop:app", folder=Path("/tmp")), database=database)  # noqa: S108
    planning = Planning(at=at, hints=hints)

    _, _, *words = shlex.split(apply_command(planning, PLAN))
    result, recorded = call(*words, "--yes")

    assert result.exit_code == 0
    assert recorded.asked == [
        (
            "apply",
            Applying(
                planning=planning,
                approvals=Approvals(frozenset({"caution", "DS103:books.legacy"})),
                wait=60.0,
            ),
        )
    ]


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        pytest.param("books.title=name", Hints(renamed_columns={"books.title": "name"}), id="column"),
        pytest.param("books=works", Hints(renamed_tables={"books": "works"}), id="table"),
        pytest.param(
            "shop.books.title = name", Hints(renamed_columns={"shop.books.title": "name"}), id="schema"
        ),
        pytest.param(
            "shop.books=shop.works",
            Hints(renamed_tables={"shop.books": "shop.works"}),
            id="table of a schema",
        ),
    ],
)
def test_a_rename_is_that_of_a_column_or_of_a_table(text: str, hints: Hints) -> None:
    assert read_hints(renames=[text], fills=None, usings=None, drop_undeclared=False, online=True) == hints


def test_an_expression_may_contain_what_stands_between() -> None:
    read = read_hints(
        renames=None,
        fills=["books.isbn=coalesce(old = '', false)"],
        usings=None,
        drop_undeclared=False,
        online=True,
    )

    assert read.fill == {"books.isbn": "coalesce(old = '', false)"}


def test_refuses_to_fill_in_nothing() -> None:
    with pytest.raises(typer.BadParameter, match=r"'NULL' fills nothing in books\.isbn"):
        read_hints(renames=None, fills=["books.isbn=NULL"], usings=None, drop_undeclared=False, online=True)


def test_refuses_two_answers_to_one_question() -> None:
    with pytest.raises(typer.BadParameter, match=r"'books\.isbn' is given twice"):
        read_hints(
            renames=None,
            fills=["books.isbn=1", "books.isbn=2"],
            usings=None,
            drop_undeclared=False,
            online=True,
        )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60.0), ("5m", 300.0), ("1h", 3600.0), ("500ms", 0.5), ("1.5", 1.5), ("0", 0.0)],
)
def test_waits_as_long_as_is_written(text: str, seconds: float) -> None:
    assert read_wait(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1 s", "inf", "1e3"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 60s, 5m or 500ms"):
        read_wait(text)
