"""What a part of the measurement brought to light: tables for people, and figures held against their targets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should be.

    Attributes:
        at_least, at_most: The bound; one of them is set.
    """

    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, figure: float) -> bool:
        """*figure* is within the bound."""
        if self.at_least is not None and figure < self.at_least:
            return False
        return self.at_most is None or figure <= self.at_most

    def __str__(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure and its target.

    Attributes:
        name: What was measured, with its unit.

        figure: What was found.

        target: What it should be.
    """

    name: str
    figure: float
    target: Target

    @property
    def is_met(self) -> bool:
        """The figure is what it should be."""
        return self.target.is_met(self.figure)

    def __str__(self) -> str:
        return f"{number(self.figure)} ({self.target}: {'met' if self.is_met else 'not met'})"


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people.

    Attributes:
        title: What it shows; empty where the heading above says it.

        header: The names of its columns; the first one names the rows.

        rows: The cells.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table, below its title."""
        header, *rows = (f"| {' | '.join(cells)} |\n" for cells in (self.header, *self.rows))
        marks = f"|---|{'--:|' * (len(self.header) - 1)}\n"
        title = f"{self.title}\n\n" if self.title else ""
        return "".join([title, header, marks, *rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the measurement.

    Attributes:
        tables: What it shows.

        findings: What is held against a target.

        figures: Everything that was measured, as JSON can hold it.
    """

    tables: Sequence[Table]
    findings: Sequence[Finding] = ()
    figures: Any = field(default_factory=dict)


def number(figure: float) -> str:
    """*figure* with as many digits as mean something."""
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"
