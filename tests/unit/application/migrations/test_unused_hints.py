"""Hints that nothing in a plan follows."""

import pytest

from fastapi_easy.application.migrations.planning.unused_hints import unused_hints
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints

CHANGES = (
    Change(kind=ChangeKind.RENAME_TABLE, table="books", facts={"new_name": "works"}),
    Change(kind=ChangeKind.RENAME_COLUMN, table="works", name="title", facts={"new_name": "name"}),
    Change(kind=ChangeKind.SET_NOT_NULL, table="works", name="name"),
    Change(kind=ChangeKind.CHANGE_TYPE, table="works", name="year"),
)
TABLES = {"books": "works"}
COLUMNS = {"books.title": "name"}


@pytest.mark.parametrize(
    "hints",
    [
        Hints(renamed_tables=TABLES, renamed_columns=COLUMNS),
        Hints(renamed_tables=TABLES, renamed_columns={"works.title": "name"}),
        Hints(renamed_tables=TABLES, renamed_columns=COLUMNS, fill={"books.title": "''"}),
        Hints(renamed_tables=TABLES, renamed_columns=COLUMNS, fill={"works.name": "''"}),
        Hints(renamed_tables=TABLES, using={"books.year": "0"}),
        Hints(using={"works.year": "0"}),
    ],
)
def test_a_name_may_be_that_before_or_after_a_rename(hints: Hints) -> None:
    assert unused_hints(CHANGES, hints) == Hints()


@pytest.mark.parametrize(
    "hints",
    [
        Hints(renamed_tables={"boks": "works"}),
        Hints(renamed_columns={"works.titel": "name"}),
        Hints(fill={"works.year": "0"}),
        Hints(using={"works.name": "0"}),
    ],
)
def test_names_that_nothing_concerns_are_told(hints: Hints) -> None:
    assert unused_hints(CHANGES, hints) == hints
