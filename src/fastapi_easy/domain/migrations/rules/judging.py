"""What the rules have in common: what they know of a table, and how that changes what they say."""

from collections.abc import Iterator
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect
from fastapi_easy.domain.migrations.risk import Circumstances, Risk, Verdict
from fastapi_easy.domain.migrations.rules.questions import table_question

SQL: Final[frozenset[Dialect]] = frozenset({"sqlite", "postgresql", "mysql"})
EVERYWHERE: Final[frozenset[Dialect]] = SQL | {"mongodb"}
POSTGRESQL: Final[frozenset[Dialect]] = frozenset({"postgresql"})
MYSQL: Final[frozenset[Dialect]] = frozenset({"mysql"})
SQLITE: Final[frozenset[Dialect]] = frozenset({"sqlite"})
MONGODB: Final[frozenset[Dialect]] = frozenset({"mongodb"})

SMALL_ROWS: Final = 10_000
"""A table with so many rows, and no more bytes than below, is read in a moment."""

SMALL_BYTES: Final = 16 * 1024 * 1024

COUNTED_ROWS: Final = 1_000
"""Rows that are counted at most when only it matters whether there are any."""

_RENAMING: Final = frozenset({ChangeKind.RENAME_TABLE, ChangeKind.RENAME_COLLECTION})
_FILLING: Final = frozenset(
    {ChangeKind.BACKFILL, ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON, ChangeKind.UNKNOWN}
)
_CREATING: Final = frozenset({ChangeKind.CREATE_TABLE, ChangeKind.CREATE_COLLECTION})


def rows_of(change: Change, circumstances: Circumstances) -> int | None:
    """Return how many rows the table of *change* has, as estimated; `None` when nobody knows."""
    return _number(table_question("rows", change), circumstances)


def is_new(change: Change, circumstances: Circumstances) -> bool:
    """Return whether the plan has created the table of *change* before, and nothing can be in it yet."""
    if change.facts.get("new_table", False):
        return True
    created = False
    for each in circumstances.changes:
        if each is change:
            break
        if each.kind in _CREATING and each.table == change.table:
            created = created or not each.facts.get("if_exists", False)
        elif created and _may_fill(each, change.table):
            created = False
    return created


def _may_fill(change: Change, table: str) -> bool:
    """Return whether rows may be in *table* after *change*: by an insert, by a rename, or because nobody can tell."""
    if change.kind in _RENAMING:
        return change.facts.get("new_name") == table
    if change.kind is ChangeKind.RUN_SQL and change.facts.get("command", "insert") != "insert":
        return False
    return change.kind in _FILLING and change.table in {"", table}


def is_empty(change: Change, circumstances: Circumstances) -> bool:
    """Return whether the table of *change* is known to have no row."""
    return is_new(change, circumstances) or rows_of(change, circumstances) == 0


def is_small(change: Change, circumstances: Circumstances) -> bool:
    """Return whether the table of *change* is known to be read in a moment."""
    rows = rows_of(change, circumstances)
    if rows is None or rows > SMALL_ROWS:
        return False
    if circumstances.dialect in {"sqlite", "mongodb"}:
        return True
    size = _number(table_question("size", change), circumstances)
    return size is not None and size <= SMALL_BYTES


def evidence_of_rows(change: Change, circumstances: Circumstances) -> str:
    """Return what is known of the number of rows, as evidence."""
    if is_new(change, circumstances):
        return "the table is new"
    match rows_of(change, circumstances):
        case None:
            return "how many rows there are is unknown"
        case 0:
            return "the table is empty"
        case 1:
            return "about 1 row"
        case rows:
            return f"about {rows} rows"


def by_extent(change: Change, circumstances: Circumstances, risk: Risk, message: str) -> Verdict | None:
    """Return *risk* for what takes the longer, the larger the table is; none for an empty one.

    A table that is known to be small makes it safe, since it takes a moment.
    """
    if is_empty(change, circumstances):
        return None
    evidence = evidence_of_rows(change, circumstances)
    if is_small(change, circumstances):
        return Verdict(
            risk=Risk.SAFE, message=f"{message} The table is small: it takes a moment.", evidence=evidence
        )
    return Verdict(risk=risk, message=message, evidence=evidence)


def count_of(question: str, circumstances: Circumstances) -> int | None:
    """Return the number that answers *question*; `None` when nobody knows. Yes is at least one."""
    return _number(question, circumstances)


def texts_of(question: str, circumstances: Circumstances) -> tuple[str, ...] | None:
    """Return the texts that answer *question*; `None` when nobody knows."""
    answer = circumstances.statistics.get(question)
    if isinstance(answer, str):
        return (answer,)
    return tuple(answer) if isinstance(answer, tuple | list) else None


def earlier(change: Change, circumstances: Circumstances) -> Iterator[Change]:
    """Yield the changes of the plan that come before *change*."""
    for each in circumstances.changes:
        if each is change:
            return
        yield each


def later(change: Change, circumstances: Circumstances) -> Iterator[Change]:
    """Yield the changes of the plan that come after *change*."""
    found = False
    for each in circumstances.changes:
        if found:
            yield each
        found = found or each is change


def columns_of(change: Change) -> tuple[str, ...]:
    """Return the columns that *change* is about: those of its constraint, or its own."""
    return tuple(change.facts.get("columns", ())) or ((change.name,) if change.name else ())


def is_by_hand(change: Change) -> bool:
    """Return whether somebody wrote the SQL of *change*, so that nothing is known of how it runs."""
    return "statement" in change.facts


def _number(question: str, circumstances: Circumstances) -> int | None:
    answer = circumstances.statistics.get(question)
    return int(answer) if isinstance(answer, int) else None
