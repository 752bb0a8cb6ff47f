"""The report as a table, on the screen and on its page."""

import datetime
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.machine import description
from benchmarks.results import WIDTH, commit, replaced
from tests.faults.report.figure import Figure

PAGE: Final = Path(__file__).parents[3] / "docs" / "explanation" / "faults.md"
_HEADER: Final = ("fault", "what", "server", "value", "wanted", "met")


def failed(name: str, reason: str) -> Figure:
    """The line of a measurement that gave no figures."""
    return Figure(f"failed: {name}", reason, "-", "-", "-", met=False)


def markdown(figures: Sequence[Figure]) -> str:
    """The figures, a line each."""
    rows = [
        (each.fault, each.what, each.server, each.value, each.wanted, "yes" if each.met else "**no**")
        for each in figures
    ]
    lines = [_line(_HEADER), "|" + "---|" * len(_HEADER), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(each.replace("|", r"\|").split()) for each in cells) + " |"


def place(*, is_busy: bool) -> str:
    """The place of the page for what was measured on a quiet or on a busy machine."""
    return "faults, on a busy machine" if is_busy else "faults"


def circumstances(beside: str = "") -> str:
    """When, on what and beside what it was measured."""
    today = datetime.datetime.now(datetime.UTC).date()
    also = f", {beside}" if beside else ""
    return textwrap.fill(f"{today}, commit {commit()}{also}: {description()}.", WIDTH) + "\n"


def write(figures: Sequence[Figure], *, is_busy: bool, page: Path = PAGE) -> None:
    """Put the table into its place of the page.

    Raises:
        LookupError: It has none.
    """
    beside = "beside eight processes that compute" if is_busy else "on a machine with nothing else to do"
    write_into(page, place(is_busy=is_busy), f"{circumstances(beside)}\n{markdown(figures)}")


def write_into(page: Path, name: str, text: str) -> None:
    """Put *text* into the place *name* of *page*.

    Raises:
        LookupError: It has none.
    """
    before = page.read_text()
    if f"<!-- measured: {name} -->" not in before:
        raise LookupError(f"{page} has no place for {name!r}")
    _ = page.write_text(replaced(before, name, text))
