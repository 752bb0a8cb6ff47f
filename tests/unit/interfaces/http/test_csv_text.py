"""CSV goes out and comes back as it was, however it is cut on the way."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastapi_easy.interfaces.formats.csv_text import UNQUOTED, Cell, Record, Records, written
from fastapi_easy.interfaces.formats.line_splitter import Lines

LIMIT = 1000
CELLS = st.none() | st.text(st.sampled_from('ab",\r\n ä;\ufeff') | st.characters(codec="utf-8"), max_size=8)


def read(body: bytes, *, cut: int = LIMIT, longest: int = LIMIT) -> list[Record]:
    """The records of *body*, which comes in parts of *cut* bytes."""
    lines, records = Lines(longest), Records(longest)
    found: list[Record] = []
    for start in range(0, len(body), cut):
        for line in lines.feed(body[start : start + cut]):
            found += records.feed(line)
    for line in lines.end():
        found += records.feed(line)
    return [*found, *records.end()]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=5), st.integers(1, 30))
@example([['"', "\r"], ["\n", '""']], 1)
def test_what_is_written_is_read_again(rows: list[list[Cell]], cut: int) -> None:
    body = "".join(written(row) for row in rows).encode()

    assert [record.cells for record in read(body, cut=cut)] == rows


@given(st.lists(st.text(st.sampled_from('ab",\r\n '), max_size=8), min_size=2, max_size=4))
def test_other_programs_read_what_is_written(row: list[str]) -> None:
    assert list(csv.reader(io.StringIO(written(row), newline=""))) == [row]


@pytest.mark.parametrize("style", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
@given(row=st.lists(st.text(st.sampled_from('ab",\n '), min_size=1, max_size=8), min_size=2, max_size=4))
def test_what_other_programs_write_is_read(style: Any, end: str, row: list[str]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=style, lineterminator=end).writerow(row)

    assert [record.cells for record in read(out.getvalue().encode(), cut=3)] == [row]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"a,\n", [("a", None)], id="nothing is null"),
        pytest.param(b'a,""\n', [("a", "")], id="quotes around nothing are empty text"),
        pytest.param(b"\xef\xbb\xbfa,b\n", [("a", "b")], id="a byte order mark"),
        pytest.param(b'"a""b",c', [('a"b', "c")], id="no line break at the end"),
        pytest.param(b" a ,b\n", [(" a ", "b")], id="spaces are text"),
        pytest.param(b"", [], id="nothing at all"),
    ],
)
def test_reads(body: bytes, expected: list[tuple[Cell, ...]]) -> None:
    assert [tuple(record.cells) for record in read(body)] == expected


def test_an_empty_cell_alone_is_no_blank_line() -> None:
    assert [record.is_blank for record in read((written([None]) + "\r\n").encode())] == [False, True]


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_a_record_has_the_number_of_the_line_it_begins_on(cut: int) -> None:
    body = b'a,b\r\n1,"x\r\ny\r\nz"\r\n\r\n2,x\r\n'

    assert [(each.line, tuple(each.cells)) for each in read(body, cut=cut)] == [
        (1, ("a", "b")),
        (2, ("1", "x\r\ny\r\nz")),
        (5, ()),
        (6, ("2", "x")),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'1,5" pipe\n2,b\n', [(1, UNQUOTED), (2, None)], id="a stray quote costs one line"),
        pytest.param(b'1,5" or 6"\n2,b\n', [(1, UNQUOTED), (2, None)], id="two stray quotes"),
        pytest.param(b'"a"b,1\n2,b\n', [(1, UNQUOTED), (2, None)], id="text behind the quotes"),
        pytest.param(b'1,"a\n2,b\n', [(1, UNQUOTED)], id="a quote that is never closed"),
        pytest.param(b"1,a\rb\n2,b\n", [(1, UNQUOTED), (2, None)], id="a bare carriage return"),
        pytest.param(b"1,\xff\n2,b\n", [(1, "Must be UTF-8"), (2, None)], id="not UTF-8"),
    ],
)
def test_says_what_is_no_record(body: bytes, expected: Sequence[tuple[int, str | None]]) -> None:
    assert [(each.line, each.mistake) for each in read(body, cut=2)] == expected


@pytest.mark.parametrize("cut", [1, 5, 1000])
@pytest.mark.parametrize(
    "long",
    [
        pytest.param(b"x" * 50, id="a line"),
        pytest.param(b'"' + b"x" * 30 + b"\n" + b"y" * 30 + b'"', id="lines together"),
        pytest.param(b'"' + b"x" * 50 + b"\n" + b'y"', id="a line within quotes"),
        pytest.param(b'"x\n' + b"y" * 50 + b'\n"', id="a later line within quotes"),
    ],
)
def test_what_is_too_long_is_read_over(cut: int, long: bytes) -> None:
    records = read(b"a,b\n" + long + b"\nc,d\n", cut=cut, longest=40)

    assert [(tuple(each.cells), each.too_long) for each in records] == [
        (("a", "b"), False),
        ((), True),
        (("c", "d"), False),
    ]


@pytest.mark.parametrize(
    "body",
    [b'"' + b"x\n" * 500_000, b'a"\n' * 50_000, b'"' + b'""' * 400_000 + b'"\n', b'"a' * 300_000],
    ids=["open lines", "stray quotes", "doubled quotes", "one odd line"],
)
def test_hostile_bodies_take_time_in_proportion(body: bytes) -> None:
    lines, records = Lines(1 << 20), Records(1 << 20)
    count = 0
    for start in range(0, len(body), 65_536):
        for line in lines.feed(body[start : start + 65_536]):
            count += sum(1 for _ in records.feed(line))

    # A quadratic reading would take minutes.
    assert count <= 50_000
