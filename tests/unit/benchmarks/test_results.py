"""Results on their way to the file and the page."""

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.__main__ import PARTS
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.rows import PER_OWNER, ROWS, row

PART = Part(
    tables=[Table("What it costs:", ("", "get"), [("(a) by hand", "1.00 (625)")])],
    findings=[Finding("get, × (a)", 8.66, Target(at_least=7)), Finding("p99", 2.5, Target(at_most=2))],
    figures={"rounds": {"get/a": [1.0]}},
)
PAGE = """# Performance

<!-- measured: endpoints -->
old
<!-- end of what was measured -->

between

<!-- measured: growth -->
<!-- end of what was measured -->
"""


@pytest.mark.parametrize(
    ("target", "figure", "words"),
    [
        pytest.param(Target(at_least=0.9), 0.9, "0.90 (≥ 0.9: met)", id="just enough"),
        pytest.param(Target(at_least=7), 6.99, "6.99 (≥ 7: not met)", id="too little"),
        pytest.param(Target(at_most=1.1), 1.1, "1.10 (≤ 1.1: met)", id="just not too much"),
        pytest.param(Target(at_most=2), 2.01, "2.01 (≤ 2: not met)", id="too much"),
    ],
)
def test_a_target_says_whether_it_is_met(target: Target, figure: float, words: str) -> None:
    assert str(Finding("something", figure, target)) == words


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(0.126, "0.13"), (9.994, "9.99"), (12.34, "12.3"), (123.4, "123"), (12_345, "12,345")],
)
def test_a_figure_has_no_more_digits_than_it_deserves(figure: float, shown: str) -> None:
    assert number(figure) == shown


def test_a_table_is_markdown() -> None:
    assert PART.tables[0].markdown() == (
        "What it costs:\n\n|  | get |\n|---|--:|\n| (a) by hand | 1.00 (625) |\n"
    )


def test_a_table_below_its_heading_needs_no_title() -> None:
    assert Table("", ("", "get"), []).markdown() == "|  | get |\n|---|--:|\n"


def test_a_part_comes_back_from_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"

    results.keep("endpoints", results.document(PART, "5 rounds"), file)
    kept = results.keep("growth", results.document(PART, "3 rounds"), file)

    assert set(kept) == {"endpoints", "growth"}
    assert json.loads(file.read_text()) == kept
    read = results.part_in(json.loads(file.read_text())["endpoints"])
    assert [each.markdown() for each in read.tables] == [each.markdown() for each in PART.tables]
    assert (read.findings, read.figures) == (PART.findings, PART.figures)


def test_tables_take_the_place_of_older_ones_and_leave_the_words() -> None:
    text = results.replaced(PAGE, "endpoints", "new, with \\1 in it\n")

    assert text == PAGE.replace("old\n", "new, with \\1 in it\n")
    assert results.replaced(text, "endpoints", "new, with \\1 in it\n") == text


def test_parts_measured_together_say_so_once() -> None:
    one = results.document(PART, "5 rounds")

    together = results.circumstances({"endpoints": one, "growth": one})
    apart = results.circumstances({"endpoints": one, "growth": {**one, "how": "3 rounds"}})

    assert together.count("5 rounds.") == 1
    assert "endpoints: " not in together
    assert "growth: " in apart
    assert apart.count("rounds.") == 2
    assert max(map(len, apart.splitlines())) <= results.WIDTH


def test_each_part_finds_the_page_with_its_place(tmp_path: Path) -> None:
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    _ = first.write_text(PAGE)
    _ = second.write_text("<!-- measured: circumstances -->\n<!-- end of what was measured -->\n")

    results.write_pages({"endpoints": results.document(PART, "5 rounds")}, [second, first])

    assert PART.tables[0].markdown() in first.read_text()
    assert "5 rounds." in second.read_text()


def test_a_part_without_a_place_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    _ = page.write_text(PAGE)

    with pytest.raises(LookupError, match="no page has a place for 'circumstances'"):
        results.write_pages({"endpoints": results.document(PART, "5 rounds")}, [page])
    assert page.read_text() == PAGE


def test_the_pages_have_a_place_for_every_part(tmp_path: Path) -> None:
    copies = []
    for page in results.PAGES:
        copies.append(tmp_path / page.name)
        _ = copies[-1].write_text(page.read_text())

    results.write_pages({name: results.document(PART, "5 rounds") for name in PARTS}, copies)


def test_the_pages_show_what_the_file_holds(tmp_path: Path) -> None:
    if not results.LATEST.exists():
        pytest.skip("nothing was measured yet")
    copies = {page: tmp_path / page.name for page in results.PAGES}
    for page, copy in copies.items():
        _ = copy.write_text(page.read_text())

    results.write_pages(json.loads(results.LATEST.read_text()), tuple(copies.values()))

    for page, copy in copies.items():
        assert copy.read_text() == page.read_text()


def test_every_owner_has_as_many_rows() -> None:
    owners = [row(number)["owner_id"] for number in range(1, ROWS + 1)]

    assert {owners.count(owner) for owner in (1, 2, ROWS // PER_OWNER)} == {PER_OWNER}
    assert max(owners) == ROWS // PER_OWNER
