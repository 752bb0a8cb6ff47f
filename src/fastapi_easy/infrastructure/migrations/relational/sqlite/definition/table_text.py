"""The text of a CREATE TABLE statement, in parts that can be exchanged while all else stays as it is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    TokenKind,
    fold,
    quote,
    split_tokens,
)

ConstraintKind: TypeAlias = Literal[
    "name",
    "primary key",
    "not null",
    "null",
    "unique",
    "check",
    "default",
    "collate",
    "references",
    "deferrable",
    "generated",
]

_NEW_LINE: Final = re.compile(r"\A\s*,[ \t]*\r?\n[ \t]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintText:
    """A clause of a column, or a constraint of a table.

    Attributes:
        kind: What it is; foreign keys of tables are `references` too.

        text: As it is written, with `CONSTRAINT name`.

        name: Its name; `None` when it has none.

        columns: The names of the columns that it is about, in order; empty for a check of the table.

        references: The table that it points to.

        referred: The columns that it points to; empty for the primary key of that table.

        expression: What is in the parentheses of a check or of a generated column; the text of a default.
    """

    kind: ConstraintKind
    text: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    references: str = ""
    referred: tuple[str, ...] = ()
    expression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of a column, with the white space and comments in front of it."""

    gap: str
    constraint: ConstraintText


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnText:
    """The definition of a column.

    Attributes:
        name: Without quotes.

        spelled: As it is written.

        type_gap: What is between name and type.

        type: The declared type as it is written; empty for none.

        clauses: In order.

        rest: What is left of comments behind the last clause.
    """

    name: str
    spelled: str
    type_gap: str = ""
    type: str = ""
    clauses: tuple[Clause, ...] = ()
    rest: str = ""

    @property
    def text(self) -> str:
        """Return the whole definition."""
        clauses = "".join(each.gap + each.constraint.text for each in self.clauses)
        return f"{self.spelled}{self.type_gap}{self.type}{clauses}{self.rest}"

    def clause(self, kind: ConstraintKind) -> ConstraintText | None:
        """Return the first clause of *kind*."""
        return next((each.constraint for each in self.clauses if each.constraint.kind == kind), None)

    def without(self, *kinds: ConstraintKind) -> "ColumnText":
        """Return the column without its clauses of *kinds*; comments stay."""
        found = self
        for each in self.clauses:
            if each.constraint.kind in kinds:
                found = found.without_clause(each.constraint)
        return found

    def without_clause(self, constraint: ConstraintText) -> "ColumnText":
        """Return the column without one clause; comments stay."""
        kept: list[Clause] = []
        carried = ""
        for each in self.clauses:
            if each.constraint is constraint:
                carried = each.gap if _has_comment(each.gap) else ""
            else:
                kept.append(Clause(gap=carried + each.gap, constraint=each.constraint))
                carried = ""
        return replace(self, clauses=tuple(kept), rest=carried + self.rest)

    def with_clause(self, constraint: ConstraintText) -> "ColumnText":
        """Return the column with one more clause at its end."""
        return replace(self, clauses=(*self.clauses, Clause(gap=" ", constraint=constraint)))


Item: TypeAlias = ColumnText | ConstraintText


@dataclass(frozen=True, slots=True, kw_only=True)
class TableText:
    """A CREATE TABLE statement.

    Attributes:
        name: The name of the table, without quotes.

        before_name: What is written in front of the name.

        after_name: From the name to the opening parenthesis, which it includes.

        items: The columns, then the constraints.

        gaps: What is between the items, commas included, in front of the first and behind the last.

        tail: From the closing parenthesis on.

        without_rowid: Whether the table is one without rowids.

        strict: Whether SQLite checks its types.
    """

    name: str
    before_name: str
    spelled: str
    after_name: str
    items: tuple[Item, ...]
    gaps: tuple[str, ...]
    tail: str
    without_rowid: bool = False
    strict: bool = False

    @property
    def text(self) -> str:
        """Return the whole statement."""
        return f"{self.before_name}{self.spelled}{self.body}"

    @property
    def body(self) -> str:
        """Return all that follows the name."""
        items = "".join(gap + each.text for gap, each in zip(self.gaps, self.items, strict=False))
        return f"{self.after_name}{items}{self.gaps[-1]}{self.tail}"

    @property
    def columns(self) -> tuple[ColumnText, ...]:
        """Return the columns, in order."""
        return tuple(each for each in self.items if isinstance(each, ColumnText))

    def column(self, name: str) -> ColumnText | None:
        """Return the column called *name*, in any case of letters."""
        return next((each for each in self.columns if fold(each.name) == fold(name)), None)

    def constraints(self) -> Iterator[tuple[ColumnText | None, ConstraintText]]:
        """Yield every constraint with the column whose clause it is, `None` for one of the table."""
        for each in self.items:
            if isinstance(each, ColumnText):
                for clause in each.clauses:
                    yield each, clause.constraint
            else:
                yield None, each

    def renamed(self, name: str) -> "TableText":
        """Return the statement for a table called *name*."""
        return replace(self, name=name, spelled=quote(name))

    def replacing(self, old: Item, new: Item) -> "TableText":
        """Return the table with *new* in the place of *old*."""
        return replace(self, items=tuple(new if each is old else each for each in self.items))

    def without(self, item: Item) -> "TableText":
        """Return the table without *item*."""
        at = next(index for index, each in enumerate(self.items) if each is item)
        gaps = list(self.gaps)
        if at == len(self.items) - 1 and at > 0:
            gaps[at] = _closing_gap(gaps[at], gaps[at + 1])
        del gaps[at + 1]
        if at == 0 and len(self.items) == 1:
            gaps.append("")
        return replace(self, items=self.items[:at] + self.items[at + 1 :], gaps=tuple(gaps))

    def with_item(self, item: Item) -> "TableText":
        """Return the table with *item* behind those of its kind."""
        at = len(self.columns) if isinstance(item, ColumnText) else len(self.items)
        gaps = list(self.gaps)
        following = gaps[at]
        if _has_comment(following):
            # A comment behind the last item is about that one.
            between = _without_comma(following) + ", "
            following = "," if "," in _signs(following) else ""
            following += " " if following else "\n"
        else:
            between = next((each for each in gaps[1:at] if _NEW_LINE.match(each)), ", ")
        gaps[at : at + 1] = [between, following]
        return replace(self, items=(*self.items[:at], item, *self.items[at:]), gaps=tuple(gaps))


def _has_comment(gap: str) -> bool:
    return any(each.kind is TokenKind.COMMENT for each in split_tokens(gap))


def _signs(gap: str) -> str:
    return "".join(each.text for each in split_tokens(gap) if each.kind is TokenKind.SIGN)


def _closing_gap(before: str, behind: str) -> str:
    """Return what is left between the last item and the parenthesis: comments in front of the item that goes stay."""
    if _has_comment(before):
        return _without_comma(before)
    return "\n" if _has_comment(behind) else behind


def _without_comma(gap: str) -> str:
    return "".join(each.text for each in split_tokens(gap) if each.kind is not TokenKind.SIGN)
