"""Primary keys without names, where servers ignore them."""

import pytest
from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, String, Table, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from fastapi_easy.infrastructure.migrations.relational.primary_key_names import without_key_name


@pytest.mark.parametrize("name", ["pk_books", "pk of `books`", None])
def test_leaves_out_the_name_of_the_key_and_nothing_else(name: str | None) -> None:
    def created(key: str | None) -> str:
        table = Table(
            "books",
            MetaData(),
            Column("id", Integer, comment="CONSTRAINT x PRIMARY KEY"),
            Column("title", String(20)),
            PrimaryKeyConstraint("id", name=key),
            UniqueConstraint("title", name="uq_title"),
        )
        return str(CreateTable(table).compile(dialect=mysql.dialect()))

    assert without_key_name(created(name)) == created(None)
