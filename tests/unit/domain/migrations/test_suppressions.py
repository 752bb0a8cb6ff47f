"""Suppressions in the comments of scripts."""

import datetime

import pytest

from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.suppressions import read_suppressions

EXAMPLE = '# fe: allow DS103 users.legacy reason="nobody reads it" until=2027-01-01'


def test_reads_comments_on_lines_of_their_own_and_behind_code() -> None:
    behind = "#fe:allow DS101 a* reason='it\"s empty' until=2026-12-31"
    script = f"{EXAMPLE}\ndef upgrade():\n    op.drop_table('a')  {behind}\n"

    assert read_suppressions(script) == [
        Suppression(
            rule="DS103", object="users.legacy", reason="nobody reads it", until=datetime.date(2027, 1, 1)
        ),
        Suppression(rule="DS101", object="a*", reason='it"s empty', until=datetime.date(2026, 12, 31)),
    ]


def test_reads_nothing_in_strings_and_other_comments() -> None:
    script = f'"""\n{EXAMPLE}\n"""\ntext = \'{EXAMPLE}\'\n# feed: allow DS103\n# nothing\n'

    assert read_suppressions(script) == []


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        pytest.param("# fe: allow DS103", "'allow DS103' is not a suppression", id="no object"),
        pytest.param(
            "# fe: alow DS103 a reason='b' until=2027-01-01", "is not a suppression", id="typing error"
        ),
        pytest.param("# fe: allow DS103 a until=2027-01-01", "is not a suppression", id="no reason"),
        pytest.param("# fe: allow DS103 a reason='b'", "is not a suppression", id="no day"),
        pytest.param(
            "# fe: allow DS103 a reason=' ' until=2027-01-01", "the reason is empty", id="empty reason"
        ),
        pytest.param(
            "# fe: allow DS103 a reason='b' until=2027-02-30", "2027-02-30 is not a date", id="no such day"
        ),
        pytest.param(
            "# fe: allow DS103 a reason='b' until=2027-01-01 x", "is not a suppression", id="more behind"
        ),
    ],
)
def test_a_malformed_suppression_is_an_error_that_names_its_line(comment: str, said: str) -> None:
    with pytest.raises(ValueError, match="line 2: ") as raised:
        read_suppressions(f"x = 1\n{comment}\n")

    assert said in str(raised.value)


def test_every_malformed_line_is_named() -> None:
    with pytest.raises(ValueError, match=r"line 1: .*; line 3: "):
        read_suppressions("# fe: x\n\n# fe: y\n")


def test_what_is_no_python_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be read as Python"):
        read_suppressions(f"{EXAMPLE}\n'''")
