"""What a question about the data is about, as it is stored now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.rules.questions import questions_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a question is about.

    Attributes:
        kind: Of the question: `rows`, `nulls`.

        table: As changes call it; empty for questions about the server, and about what is in no table.

        column: Empty for questions about a table.

        change: The change for which it is asked.
    """

    kind: str
    table: str
    column: str
    change: Change


_ASKED_FOR: Final[Mapping[str, frozenset[ChangeKind]]] = {
    "duplicates": frozenset({ChangeKind.ADD_UNIQUE, ChangeKind.CREATE_INDEX, ChangeKind.ADD_PRIMARY_KEY}),
    "orphans": frozenset({ChangeKind.ADD_FOREIGN_KEY, ChangeKind.VALIDATE_CONSTRAINT}),
    "violations": frozenset({ChangeKind.ADD_CHECK, ChangeKind.ADD_EXCLUSION, ChangeKind.VALIDATE_CONSTRAINT}),
    "lossy": frozenset({ChangeKind.CHANGE_TYPE}),
    "max_length": frozenset({ChangeKind.CHANGE_TYPE}),
}
"""The kinds of changes whose facts say what is asked, for questions that the name alone does not tell."""

_OF_OBJECTS: Final = frozenset({ChangeKind.DROP_VIEW, ChangeKind.DROP_TYPE, ChangeKind.DROP_SEQUENCE})


def subjects_of(changes: Sequence[Change], questions: Sequence[str]) -> Iterator[tuple[str, list[Subject]]]:
    """Yield those of *questions* that are about *changes*, with what each is about.

    Several changes can ask the same, and mean something else: a unique index on all rows, and one on some.
    """
    found: dict[str, list[Subject]] = {question: [] for question in questions}
    for change in changes:
        for question in dict.fromkeys(questions_about(change)):
            if question in found:
                found[question].append(_subject(question, change))
    for question, subjects in found.items():
        if subjects:
            yield question, _distinct(subjects)


def _distinct(subjects: Sequence[Subject]) -> list[Subject]:
    first = subjects[0]
    kinds = _ASKED_FOR.get(first.kind, frozenset())
    if first.kind == "dependents" and not first.table:
        kinds = _OF_OBJECTS
    telling = [each for each in subjects if each.change.kind in kinds]
    if not telling:
        return [first]
    return [each for at, each in enumerate(telling) if each not in telling[:at]]


def _subject(question: str, change: Change) -> Subject:
    kind = question.partition(":")[0]
    if kind == "labels":
        table, _, column = question.partition(":")[2].rpartition(".")
        return Subject(kind=kind, table=table, column=column, change=change)
    table = change.table or (question.partition(":")[2] if kind in {"rows", "size"} else "")
    return Subject(kind=kind, table=table, column=change.name, change=change)


def stored_name(table: str, changes: Sequence[Change]) -> str:
    """Return the name that *table* has before *changes*, which may rename it."""
    for change in reversed(changes):
        if change.kind is ChangeKind.RENAME_TABLE and change.facts.get("new_name") == table:
            table = change.table
    return table


def stored_column(subject: Subject, column: str, changes: Sequence[Change]) -> str:
    """Return the name that *column* of the table of *subject* has before *changes*, which may rename it."""
    tables = {subject.table, stored_name(subject.table, changes)}
    for change in reversed(changes):
        if (
            change.kind is ChangeKind.RENAME_COLUMN
            and change.table in tables
            and change.facts.get("new_name") == column
        ):
            column = change.name
    return column
