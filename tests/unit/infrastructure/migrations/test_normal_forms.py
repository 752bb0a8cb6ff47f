"""Texts of SQL that mean the same, and texts that do not."""

import pytest

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import (
    tokenize,
    unquote,
    unwrap_versioned,
)
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import (
    is_literal,
    is_same_default,
    is_same_expression,
)

SAME = {
    "white space": ("price>0", "price  >  0"),
    "case of words": ("LENGTH(title) > 2 AND ready", "length(title) > 2 and ready"),
    "quotes": ('"price" > 0', "price > 0"),
    "quotes of MySQL": ("`price` > 0", "price > 0"),
    "outer parentheses": ("((price > 0))", "price > 0"),
    "around a word": ("(status) = 'x'", "status = 'x'"),
    "casts to text": ("(status)::text = 'x'::text", "status = 'x'"),
    "lists of texts": (
        "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "(status = ANY (ARRAY['a'::text, 'b'::text]))",
    ),
    "lists after a change of type": (
        "((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))",
        "(status = ANY (ARRAY['a'::text, 'b'::text]))",
    ),
    "character sets": ("status = _utf8mb4'x'", "status = 'x'"),
}
DIFFERENT = {
    "numbers": ("price > 0", "price > 1"),
    "operators": ("price > 0", "price >= 0"),
    "case of texts": ("status = 'A'", "status = 'a'"),
    "blanks in texts": ("status = 'a b'", "status = 'a  b'"),
    "groups": ("a AND (b OR c)", "(a AND b) OR c"),
    "arithmetic": ("(a + b) * 2", "a + b * 2"),
    "other casts": ("a::integer > 1", "a::numeric > 1"),
    "quoted capitals of texts": ("status = '(a)'", "status = 'a'"),
    "calls": ("lower(a)", "lower a"),
}


@pytest.mark.parametrize("spoken", SAME)
def test_spellings_of_one_expression_are_the_same(spoken: str) -> None:
    one, other = SAME[spoken]

    assert is_same_expression(one, other)


@pytest.mark.parametrize("spoken", DIFFERENT)
def test_expressions_that_mean_something_else_are_not(spoken: str) -> None:
    one, other = DIFFERENT[spoken]

    assert not is_same_expression(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("price > 0", "(price > (0)::numeric)"),
        ("status IN ('a', 'b')", "(status = ANY (ARRAY['a'::text, 'b'::text]))"),
    ],
)
def test_what_the_server_has_not_spelled_is_compared_loosely(one: str, other: str) -> None:
    assert (is_same_expression(one, other, loosely=True), is_same_expression(one, other)) == (True, False)


@pytest.mark.parametrize(
    ("one", "other", "is_text"),
    [
        ("'new'::character varying", "'new'", True),
        ("now()", "CURRENT_TIMESTAMP", False),
        ("current_timestamp()", "CURRENT_TIMESTAMP", False),
        ("CURRENT_TIMESTAMP(6)", "current_timestamp(6)", False),
        ("(0)::numeric", "0.00", False),
        ("'1'", "1", False),
        ("false", "0", False),
        ("true", "'1'", False),
        ("(1 + 2)", "1 + 2", False),
        ("'it''s'", "'it''s'", True),
    ],
)
def test_spellings_of_one_default_are_the_same(one: str, other: str, is_text: bool) -> None:
    assert is_same_default(one, other, is_text=is_text)


@pytest.mark.parametrize(
    ("one", "other", "is_text"),
    [
        ("'1.0'", "'1'", True),
        ("1", "2", False),
        ("'a'", None, True),
        ("now()", "clock_timestamp()", False),
        ("CURRENT_TIMESTAMP(6)", "CURRENT_TIMESTAMP", False),
        ("current_timestamp(6) ON UPDATE current_timestamp(6)", "current_timestamp(6)", False),
        ("-1", "1", False),
        ("'true'", "'1'", True),
    ],
)
def test_other_defaults_are_not(one: str, other: str | None, is_text: bool) -> None:
    assert not is_same_default(one, other, is_text=is_text)


def test_tokens_know_quotes_comments_and_escapes() -> None:
    text = "\"a \"\"b\" `c``d` [e f] 'g''h' -- gone\n x /* gone */ ARRAY[1] 'i\\'j'"

    found = [(each.kind, each.name) for each in tokenize(text, escapes=True)]

    assert found == [
        ("quoted", 'a "b'),
        ("quoted", "c`d"),
        ("quoted", "e f"),
        ("string", "'g''h'"),
        ("word", "x"),
        ("word", "ARRAY"),
        ("sign", "["),
        ("number", "1"),
        ("sign", "]"),
        ("string", "'i\\'j'"),
    ]


def test_what_stands_in_comments_for_newer_versions_counts() -> None:
    assert unwrap_versioned("a /*!80023 INVISIBLE */ b /*M!100401 c */") == "a  INVISIBLE  b  c "


@pytest.mark.parametrize(
    ("default", "expected"), [("'x'::text", True), ("(0)", True), ("now()", False), ("-1.5", True)]
)
def test_values_are_told_from_expressions(default: str, expected: bool) -> None:
    assert is_literal(default) is expected


def test_names_are_unquoted() -> None:
    assert [unquote(each) for each in ('"a""b"', "`a``b`", "[a]", "a", "")] == ['a"b', "a`b", "a", "a", ""]
