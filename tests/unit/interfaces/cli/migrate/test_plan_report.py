"""Plans for people: the same words in plain text and in colour, and nothing that a terminal obeys."""

import dataclasses
import re

import pytest

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.interfaces.cli.migrate.reports.plan_report import plan_text, print_in_colour
from tests.unit.application.migrations.sample_plans import ADD, DROPPED, NOTHING, PLAN, SAFE
from tests.unit.interfaces.cli.migrate.recorded import call

DOCS = "https://github.com/fastapi-easy/fastapi-easy/blob/main/docs/reference/migration-rules.md"
SHOWN = f"""\
Plan {PLAN.id} for database default (PostgreSQL 15.4), from models, after 0123456789ab

#  STEP                                                              RISK                     LOCK                       ROWS   REVERSIBLE
1  add column isbn to books                                          safe                     AccessExclusive            1,200  yes
2  create index ix_books_title on books (title, year), concurrently  safe                     ShareUpdateExclusive       ?      yes
3  fill books.isbn                                                   caution                  in batches                 1,200  no
4  drop column legacy of books                                       dangerous, deletes data  AccessExclusive, rewrites  3      without data

4 steps: 2 safe, 1 caution, 1 dangerous; 1 deletes data; 1 cannot be undone.

dangerous  DS103 drop column: books.legacy (step 4)
  The values of 3 rows are lost
  evidence: 3 rows are not null
  instead: ignore the column in the class, deploy, then drop it
  see: {DOCS}#ds103

caution  IN104 invalid index: books.ix_old
  ix_old is left of an attempt that failed
  evidence: pg_index.indisvalid
  instead: drop it, and build it anew
  see: {DOCS}#in104

suppressed, caution  ST108 index without a convention: books.ix_books_title (step 2)
  the name is older

The stored schema is not what it should be:
  books.colour is stored, and no plan has added it

To apply it:
  fastapi-easy migrate apply shop:app --allow caution --allow DS103:books.legacy
"""  # noqa: E501


def test_shows_steps_findings_drift_and_the_command_that_applies_them() -> None:
    result, _ = call("plan", "shop:app")

    assert (result.exit_code, result.stdout, result.stderr) == (2, SHOWN, "")


def test_shows_what_is_safe_without_further_words() -> None:
    result, _ = call("plan", "shop:app", "--database", "books", plan=SAFE)

    assert (result.exit_code, result.stdout) == (
        2,
        f"""\
Plan {SAFE.id} for database default (PostgreSQL 15.4), from models

#  STEP                      RISK  LOCK             ROWS   REVERSIBLE
1  add column isbn to books  safe  AccessExclusive  1,200  yes

1 step: 1 safe.

To apply it:
  fastapi-easy migrate apply shop:app --database books
""",
    )


def test_says_that_there_is_nothing_to_do() -> None:
    result, _ = call("plan", "shop:app", plan=NOTHING)

    assert (result.exit_code, result.stdout) == (0, "Nothing to do: the stored schema is the declared one.\n")


def test_says_which_scripts_a_plan_carries_out() -> None:
    scripts = dataclasses.replace(SAFE, source="files", revisions=("4f1c", "5a2d"))

    assert plan_text(scripts).splitlines()[0].endswith("(PostgreSQL 15.4), from files: 4f1c, 5a2d")


@pytest.mark.parametrize("width", [300, 60])
def test_a_terminal_shows_the_same_words(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    print_in_colour(PLAN, "fastapi-easy migrate apply shop:app --allow caution", width=width)

    shown = capsys.readouterr().out
    assert "\x1b[1;31mdangerous" in shown
    bare = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert "\n  fastapi-easy migrate apply shop:app --allow caution\n" in bare
    if width == 300:
        expected = plan_text(PLAN, "fastapi-easy migrate apply shop:app --allow caution")
        assert bare.split() == expected.split()


def test_a_terminal_shows_brackets_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    array = dataclasses.replace(ADD, summary="add column tags text[] [bold]to[/bold] books")

    print_in_colour(dataclasses.replace(SAFE, steps=(array,)), width=200)

    assert "add column tags text[] [bold]to[/bold] books" in capsys.readouterr().out


def test_what_servers_and_users_write_cannot_move_the_cursor_or_show_a_password() -> None:
    finding = dataclasses.replace(
        DROPPED, message="a\x1b[2J\nsecond line", evidence="at mysql://ada:pw@db", alternative="b\nc"
    )
    step = dataclasses.replace(ADD, summary="drop\x1b[1A\nx", findings=(finding,), risk=Risk.CAUTION)

    text = plan_text(dataclasses.replace(SAFE, steps=(step,), drift=("gone\x07",)))

    assert not re.search(r"[^\n -~]", text)
    assert "drop\\x1b[1A x" in text
    assert "  a\\x1b[2J\n  second line\n  evidence: at mysql://ada:***@db\n  instead: b c\n" in text


def test_says_how_to_rename_what_looks_so() -> None:
    renamed = dataclasses.replace(
        ADD,
        changes=(
            Change(
                kind=ChangeKind.ADD_COLUMN, table="books", name="isbn", facts={"probable_rename_of": "ean"}
            ),
        ),
    )

    result, _ = call(
        "plan", "shop:app", "--fill", "books.isbn=''", plan=dataclasses.replace(SAFE, steps=(renamed,))
    )

    assert result.stdout.endswith(
        """
With what was probably renamed, and with values for rows that exist:
  fastapi-easy migrate plan shop:app --rename books.ean=isbn --fill 'books.isbn='"'"''"'"''

To apply it:
  fastapi-easy migrate apply shop:app --fill 'books.isbn='"'"''"'"''
"""
    )


@pytest.mark.parametrize(
    ("dialect", "version", "shown"),
    [
        ("postgresql", "PostgreSQL 15.4 on x86_64", "PostgreSQL 15.4 on x86_64"),
        ("sqlite", "3.40.1", "sqlite 3.40.1"),
        ("mysql", "10.11.19-MariaDB", "mysql 10.11.19-MariaDB"),
        ("mongodb", "", "mongodb"),
    ],
)
def test_says_what_kind_of_database_it_is(dialect: Dialect, version: str, shown: str) -> None:
    plan = dataclasses.replace(SAFE, dialect=dialect, server_version=version)

    assert f" for database default ({shown}), from models" in plan_text(plan).splitlines()[0]
