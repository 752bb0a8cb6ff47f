"""The names of the statistics about a change; see `Statistics`."""

from collections.abc import Iterable
from typing import Final

from fastapi_easy.domain.migrations.change import Change

SQL_MODE: Final = "sql_mode"
TIME_ZONE: Final = "time_zone"


def table_question(kind: str, change: Change) -> str:
    """Return the question *kind* about the table of *change*: `rows:books`."""
    return f"{kind}:{change.table}"


def column_question(kind: str, change: Change) -> str:
    """Return the question *kind* about the column of *change*: `nulls:books.title`."""
    return f"{kind}:{change.object}"


def constraint_question(kind: str, change: Change) -> str:
    """Return the question *kind* about a constraint that is not there yet: `orphans:books.fk_author`.

    One without a name is called by its columns: `orphans:books.(author_id)`.
    """
    return f"{kind}:{change.table}.{change.name or _in_brackets(change)}"


def duplicates_question(change: Change) -> str:
    """Return the question how many values occur several times: `duplicates:books.(isbn,shelf)`."""
    return f"duplicates:{change.table}.{_in_brackets(change)}"


def labels_questions(change: Change) -> list[str]:
    """Return the questions which labels of an enumeration are in use, one for each column that has the type."""
    used_by = change.facts.get("used_by", ())
    return [f"labels:{each}" for each in used_by or ([change.object] if change.table else [])]


def tables_of_type(change: Change) -> list[str]:
    """Return the tables that have columns of the type that *change* is about."""
    return list(dict.fromkeys(each.rpartition(".")[0] for each in change.facts.get("used_by", ())))


def extent(change: Change) -> list[str]:
    """Return the questions how large the table of *change* is, or those of its type are."""
    tables = [change.table] if change.table else tables_of_type(change)
    return [f"{kind}:{table}" for table in tables for kind in ("rows", "size")]


def questions_about(change: Change) -> Iterable[str]:
    """Yield every question that can be asked about *change*, whatever its kind."""
    yield from (SQL_MODE, TIME_ZONE)
    if not change.table:
        yield from (*labels_questions(change), column_question("dependents", change), *extent(change))
        return
    yield from (table_question(kind, change) for kind in ("rows", "size", "triggers", "validated_checks"))
    yield from (column_question(kind, change) for kind in COLUMN_QUESTIONS)
    yield from (constraint_question(kind, change) for kind in ("orphans", "violations"))
    yield from (*labels_questions(change), duplicates_question(change))


COLUMN_QUESTIONS: Final = (
    *("nulls", "all_null", "max_length", "max_value", "min_value", "lossy", "labels"),
    *("dependents", "indexes", "charset"),
)
"""The kinds of questions about one column."""


def _in_brackets(change: Change) -> str:
    return f"({','.join(change.facts.get('columns', ()))})"
