"""What nobody looks at is not made."""

import json

from fastapi_easy.domain import Row, Rows
from fastapi_easy.domain.changes.lazy_sequence import Deferred


def test_is_made_once_and_only_when_somebody_looks():
    made = []

    def make():
        made.append("made")
        return ["a", "b"]

    letters = Deferred(2, make)
    assert (len(letters), bool(letters), made) == (2, True, [])

    assert list(letters) == ["a", "b"]
    assert (letters[1], letters[:1], repr(letters)) == ("b", ["a"], "['a', 'b']")
    assert made == ["made"]


def test_equals_sequences_of_the_same():
    letters = Deferred(2, lambda: ["a", "b"])

    assert letters == ["a", "b"]
    assert letters == ("a", "b")
    assert letters == Deferred(2, lambda: ("a", "b"))
    assert letters != ["a"]
    assert letters != {"a", "b"}


def test_rows_lose_fields_without_being_looked_at():
    rows = Rows(
        ("a", "b", "c"),
        [(1, "[2]", "[3]", "more"), (4, None, "[5]", "more")],
        {"b": json.loads, "c": json.loads},
    )

    fewer = rows.only(("c", "a"))

    assert isinstance(fewer, Rows)
    assert (fewer.records, fewer.texts) == ([["[3]", 1], ["[5]", 4]], {"c": json.loads})
    assert rows.records is not None
    assert list(fewer) == [Row({"c": [3], "a": 1}), Row({"c": [5], "a": 4})]
    assert rows.only(("a", "b", "c")) is rows


def test_rows_that_were_looked_at_lose_fields_too():
    rows = Rows(("a", "b"), [(1, 2)])
    rows[0]["b"] = 3

    assert rows.only(["b"]) == [Row({"b": 3})]
