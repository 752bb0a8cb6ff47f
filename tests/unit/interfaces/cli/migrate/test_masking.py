"""What is shown of texts that come from drivers, servers and users."""

import pytest

from fastapi_easy.interfaces.cli.migrate.masking import masked, on_one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("postgresql://ada:pw@db/shop", "postgresql://ada:***@db/shop", id="url"),
        pytest.param(
            "at postgresql+asyncpg://ada:p@s/s:w?rd@db:1/x",
            "at postgresql+asyncpg://ada:***@db:1/x",
            id="odd",
        ),
        pytest.param("REDIS://:pw@db", "REDIS://:***@db", id="without a user"),
        pytest.param("mysql://ada@db/shop", "mysql://ada@db/shop", id="without a password"),
        pytest.param("https://example.org:80/a", "https://example.org:80/a", id="port"),
        pytest.param("host=db password=pw user=ada", "host=db password=*** user=ada", id="keywords"),
        pytest.param("x?sslPassword=pw&a=1", "x?sslPassword=***&a=1", id="query"),
        pytest.param("PWD = 'a b', x", "PWD = ***, x", id="quoted"),
        pytest.param("{'password': 'a b', 'x': 1}", "{'password': '***', 'x': 1}", id="mapping"),
        pytest.param('{"api_key": "a"}', "{\"api_key\": '***'}", id="json"),
        pytest.param("column users.password: 3 rows", "column users.password: 3 rows", id="a column"),
        pytest.param("password authentication failed", "password authentication failed", id="a sentence"),
    ],
)
def test_masks_passwords_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_terminal_obeys_nothing_that_is_shown() -> None:
    assert printable("a\x1b[2Jb\r\x07\u202ec\nd é") == "a\\x1b[2Jb\\r\\x07\\u202ec\nd é"


def test_one_line_is_one_line() -> None:
    assert on_one_line(" a\n\tb\r\n  c\u2028d\x00") == "a b c d\\x00"


def test_long_texts_are_read_once() -> None:
    # Each would take minutes if every letter began a search to the end.
    for text in ("a" * 100_000, "a://" * 25_000, "password " * 10_000, "'password'" * 10_000):
        assert masked(text) == text
