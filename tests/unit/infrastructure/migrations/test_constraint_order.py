"""New tables are the same text whichever order SQLAlchemy keeps their constraints in."""

import itertools
from typing import Any

from alembic.operations.ops import CreateTableOp
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.schema import CreateTable

from fastapi_easy.infrastructure.migrations.relational.constraint_order import with_ordered_constraints


def constraints() -> list[Any]:
    return [
        PrimaryKeyConstraint("id"),
        UniqueConstraint("id", "number", name="uq_b"),
        UniqueConstraint("number", name="uq_a"),
        CheckConstraint("number > 0"),
        CheckConstraint("id > 0"),
        ForeignKeyConstraint(["number"], ["books.id"], name="fk_a"),
    ]


@given(order=st.permutations(range(6)))
def test_constraints_come_by_kind_and_name(order):
    table = Table("books", MetaData(), Column("id", Integer), Column("number", Integer), *constraints())
    operation = CreateTableOp.from_table(table)
    columns, kept = operation.columns[:2], sorted(operation.columns[2:], key=str)
    operation.columns = [*columns, *(kept[place] for place in order)]

    text = str(CreateTable(with_ordered_constraints(operation).to_table()))

    expected = [
        "PRIMARY KEY (id)",
        "CONSTRAINT uq_a UNIQUE (number)",
        "CONSTRAINT uq_b UNIQUE (id, number)",
        "CHECK (id > 0)",
        "CHECK (number > 0)",
        "CONSTRAINT fk_a FOREIGN KEY",
    ]
    places = [text.find(each) for each in expected]
    assert -1 not in places
    assert all(before < after for before, after in itertools.pairwise(places)), text
