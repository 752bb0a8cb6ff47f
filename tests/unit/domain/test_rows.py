"""Rows that are made when they are first looked at are what a list of them would be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain import Row, Rows

FIELDS = ("id", "title", "more")
RECORDS = [(1, "one", '{"a": [1]}', "beyond"), (2, "two", None, "beyond"), (3, None, '"text"', "beyond")]
LIST = [
    Row({"id": 1, "title": "one", "more": {"a": [1]}}),
    Row({"id": 2, "title": "two", "more": None}),
    Row({"id": 3, "title": None, "more": "text"}),
]


class Reader:
    """Reads JSON, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, text: str) -> Any:
        self.given.append(text)
        return json.loads(text)


def rows(parse: Any = json.loads) -> Rows:
    return Rows(FIELDS, RECORDS, {"more": parse})


def test_nothing_is_made_for_one_who_only_counts_them() -> None:
    reader = Reader()

    unseen = rows(reader)

    assert len(unseen) == 3
    assert bool(unseen)
    assert not Rows(FIELDS, [])
    assert unseen.records is RECORDS
    assert reader.given == []


def test_each_text_is_read_once_when_somebody_looks() -> None:
    reader = Reader()
    seen = rows(reader)

    assert [row.id for row in seen] == [1, 2, 3]
    assert seen[0].more == {"a": [1]}

    assert reader.given == ['{"a": [1]}', '"text"']
    assert seen.records is None


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(list, id="all"),
        pytest.param(lambda some: some[0], id="the first"),
        pytest.param(lambda some: some[-1], id="the last"),
        pytest.param(lambda some: some[1:], id="a slice"),
        pytest.param(lambda some: some[::-2], id="a slice backwards"),
        pytest.param(lambda some: list(reversed(some)), id="reversed"),
        pytest.param(lambda some: some.index(LIST[1]), id="where one is"),
        pytest.param(lambda some: some.count(LIST[1]), id="how often one is there"),
        pytest.param(lambda some: LIST[2] in some, id="whether one is there"),
        pytest.param(repr, id="as text"),
    ],
)
def test_it_looks_like_a_list(look: Any) -> None:
    assert look(rows()) == look(LIST)


def test_it_equals_what_holds_the_same_rows() -> None:
    assert rows() == LIST
    assert list(rows()) == rows()
    assert rows() == tuple(LIST)
    assert rows() == rows()
    assert rows() != LIST[:2]
    assert rows() != {1, 2, 3}


def test_a_place_beyond_the_end_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        _ = rows()[3]


def test_a_row_that_was_changed_stays_changed() -> None:
    some = rows()

    some[1]["title"] = "changed"

    assert [row.title for row in some] == ["one", "changed", None]
    assert some[1:2] == [Row({"id": 2, "title": "changed", "more": None})]


def test_what_lies_behind_the_fields_is_no_part_of_a_row() -> None:
    assert set(rows()[0]) == set(FIELDS)


@given(st.permutations(FIELDS), st.integers(1, 3), st.booleans())
def test_fewer_fields_are_those_of_the_same_rows(names: list[str], many: int, looked: bool) -> None:
    some = rows()
    if looked:
        assert some[0].id == 1

    fewer = some.only(names[:many])

    assert list(fewer) == [Row({name: row[name] for name in names[:many]}) for row in LIST]
    assert [list(row) for row in fewer] == [names[:many]] * 3
