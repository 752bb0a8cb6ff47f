"""Operations that are carried out in the order of a script, on MySQL and MariaDB, and taken back."""

from collections.abc import Iterator, Sequence

import pytest
from alembic.operations import MigrateOperation
from alembic.operations.ops import AddColumnOp, CreateForeignKeyOp, CreateIndexOp, CreateTableOp
from sqlalchemy import Column, Engine, ForeignKeyConstraint, Integer, PrimaryKeyConstraint

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.relational.server import detect_server
from tests.e2e.datasets import engine_of
from tests.e2e.migration_steps.detecting import detected
from tests.e2e.migration_steps.executing import execute
from tests.e2e.migration_steps.picture import picture_of
from tests.services.wanted import empty_database


@pytest.fixture
def engine() -> Iterator[Engine]:
    with empty_database("mariadb") as url:
        made = engine_of(url)
        with made.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE authors (id INTEGER PRIMARY KEY)")
            connection.exec_driver_sql("CREATE TABLE shops (id INTEGER PRIMARY KEY)")
        yield made
        made.dispose()


def new_table(*constraints: ForeignKeyConstraint) -> CreateTableOp:
    return CreateTableOp(
        "books",
        [Column("id", Integer), Column("author_id", Integer), PrimaryKeyConstraint("id"), *constraints],
    )


SCRIPTS: dict[str, Sequence[MigrateOperation]] = {
    "a new table, and the index of its reference": [
        new_table(ForeignKeyConstraint(["author_id"], ["authors.id"], name="fk_author")),
        CreateIndexOp("ix_author", "books", ["author_id"]),
    ],
    "a reference without a name": [
        new_table(ForeignKeyConstraint(["author_id"], ["authors.id"])),
        CreateIndexOp("ix_author", "books", ["author_id", "id"]),
    ],
    "a unique index": [
        new_table(ForeignKeyConstraint(["author_id"], ["authors.id"], name="fk_author")),
        CreateIndexOp("ix_author", "books", ["author_id"], unique=True),
    ],
    "a reference that is added later": [
        new_table(),
        CreateForeignKeyOp("fk_author", "books", "authors", ["author_id"], ["id"]),
        CreateIndexOp("ix_author", "books", ["author_id"]),
    ],
    "a reference that is added after its index": [
        new_table(),
        CreateIndexOp("ix_author", "books", ["author_id"]),
        CreateForeignKeyOp("fk_author", "books", "authors", ["author_id"], ["id"]),
    ],
    "a stored table": [
        AddColumnOp("shops", Column("author_id", Integer)),
        CreateForeignKeyOp("fk_author", "shops", "authors", ["author_id"], ["id"]),
        CreateIndexOp("ix_author", "shops", ["author_id"]),
    ],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_is_taken_back_step_by_step(engine: Engine, name: str) -> None:
    with engine.connect() as connection:
        before = picture_of(connection)
        steps = compile_steps(
            [detected(each) for each in SCRIPTS[name]],
            detect_server(connection),
            Hints(),
            connection,
            keep_order=True,
        )
    for each in steps:
        execute(engine, each)

    for each in reversed(steps):
        execute(engine, each, reverse=True)

    with engine.connect() as connection:
        assert picture_of(connection) == before
