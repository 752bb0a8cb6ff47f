"""Readers and writers go on while PostgreSQL is migrated online, and what an attempt leaves is removed."""

import threading
from collections.abc import Iterator

import pytest
from alembic.operations import ops
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Effect, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.probing.effect import find_effect
from fastapi_easy.infrastructure.relational.server import detect_server
from tests.e2e.migration_steps.cases import effects
from tests.e2e.migration_steps.detecting import detect, detected
from tests.e2e.migration_steps.executing import execute, run

HARMLESS = {"", "ShareUpdateExclusive", "RowExclusive"}
"""Locks that let others read and write."""


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("CREATE TABLE books (id integer NOT NULL, title varchar(50), shelf integer)"))
        connection.execute(text("INSERT INTO books SELECT n, 'book ' || n, 1 FROM generate_series(1, 30) n"))
        connection.execute(text("CREATE TABLE shelves (id integer PRIMARY KEY)"))
        connection.execute(text("INSERT INTO shelves VALUES (1)"))
    yield engine
    engine.dispose()


def declared(**options: object) -> MetaData:
    metadata = MetaData()
    Table("shelves", metadata, Column("id", Integer, primary_key=True, autoincrement=False))
    Table(
        "books",
        metadata,
        Column("id", Integer, nullable=False, autoincrement=False),
        Column("title", String(50), **options),
        Column("shelf", Integer),
    )
    return metadata


def compiled(engine: Engine, metadata: MetaData, hints: Hints | None = None) -> list[Step]:
    with engine.connect() as connection:
        found: list[Detected] = detect(connection, metadata)
        return compile_steps(found, detect_server(connection), hints or Hints(batch_size=10), connection)


def test_takes_no_lock_that_hinders_others_for_longer_than_a_look_at_the_catalogue(engine: Engine) -> None:
    steps = compiled(engine, declared(unique=True, nullable=False), Hints(fill={"books.title": "'x'"}))

    lasting = [each for each in steps if each.statement_timeout == 0]
    assert {each.lock for each in lasting} <= HARMLESS
    assert {each.statement_timeout for each in steps if each not in lasting} == {60.0}
    assert {each.lock_timeout for each in steps} == {2.0}


def test_lets_writers_go_on_while_an_index_is_built(engine: Engine) -> None:
    (step,) = compiled(engine, declared(index=True))
    reader = engine.connect()
    reader.execute(text("SELECT count(*) FROM books"))
    reader.execute(text("UPDATE books SET shelf = 1 WHERE id = 1"))
    building = threading.Thread(target=execute, args=(engine, step))

    building.start()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        mode = None
        while mode is None and building.is_alive():
            mode = watcher.execute(
                text(
                    "SELECT mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE a.query LIKE 'CREATE INDEX CONCURRENTLY%' AND relation = 'books'::regclass AND granted"
                )
            ).scalar()
        watcher.execute(text("SET lock_timeout = '5s'"))
        watcher.execute(text("INSERT INTO books VALUES (99, 'written meanwhile', 1)"))
        still_building = building.is_alive()
        reader.rollback()
        building.join()
    reader.close()

    assert (mode, still_building) == ("ShareUpdateExclusiveLock", True)
    assert effects(engine, [step]) == [Effect.APPLIED]


def test_sees_and_removes_what_a_failed_index_has_left(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE books SET title = 'twice' WHERE id < 3"))
    first, second = compiled(engine, declared(unique=True))

    with pytest.raises(IntegrityError):
        execute(engine, first)
    left = effects(engine, [first, second])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run(connection, first.cleanup)
    cleaned = effects(engine, [first])
    with engine.begin() as connection:
        connection.execute(text("UPDATE books SET title = 'once' WHERE id = 1"))
    for each in (first, second):
        execute(engine, each)

    assert left == [Effect.PARTIAL, Effect.NOT_APPLIED]
    assert cleaned == [Effect.NOT_APPLIED]
    assert effects(engine, [first, second]) == [Effect.APPLIED, Effect.APPLIED]


def test_does_not_take_the_index_of_somebody_else_for_its_own(engine: Engine) -> None:
    (step,) = compiled(engine, declared(index=True))

    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_books_title ON books (shelf)"))

    assert effects(engine, [step]) == [Effect.UNKNOWN]


def test_fills_rows_in_batches_and_ends_where_there_is_no_value(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE books SET title = NULL"))
    hints = Hints(fill={"books.title": "nullif('book ' || id, 'book 7')"}, batch_size=7)
    step = compiled(engine, declared(nullable=False), hints)[0]

    execute(engine, step)

    assert step.mode is StepMode.BATCHES
    with engine.connect() as connection:
        left = connection.execute(text("SELECT id FROM books WHERE title IS NULL")).scalars().all()
    assert left == [7]
    assert effects(engine, [step]) == [Effect.APPLIED]


def test_leaves_partitioned_tables_what_they_can_do(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE books"))
        connection.execute(
            text(
                "CREATE TABLE books (id integer NOT NULL, title varchar(50), shelf integer) PARTITION BY LIST (id)"
            )
        )
        connection.execute(text("CREATE TABLE some_books PARTITION OF books FOR VALUES IN (1)"))
    metadata = declared(index=True, nullable=False)
    metadata.tables["books"].append_constraint(ForeignKeyConstraint(["shelf"], ["shelves.id"], name="fk"))
    with engine.connect() as connection:
        found = [
            each
            for each in detect(connection, metadata)
            if "some_books" not in repr(each.operation.to_diff_tuple())
        ]
        steps = compile_steps(found, detect_server(connection), Hints(), connection)

    for each in steps:
        execute(engine, each)

    assert {each.mode for each in steps} == {StepMode.TRANSACTION}
    assert effects(engine, steps) == [Effect.APPLIED] * len(steps)


def test_says_when_there_is_no_way_to_convert_a_column(engine: Engine) -> None:
    operation = ops.AlterColumnOp("books", "shelf", existing_type=Integer(), modify_type=DateTime())
    with engine.connect() as connection:
        (step,) = compile_steps(
            [detected(operation, needs_using=True)], detect_server(connection), Hints(), connection
        )

    assert step.statements == ("ALTER TABLE books ALTER COLUMN shelf TYPE TIMESTAMP WITHOUT TIME ZONE",)
    assert step.summary.endswith("for which there is no cast: say what to use")


async def test_works_with_the_asynchronous_driver(postgres_url: str, engine: Engine) -> None:
    asynchronous = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    metadata = declared(unique=True, nullable=False, comment="100% 'sure'")
    async with asynchronous.connect() as connection:
        steps = await connection.run_sync(
            lambda each: compile_steps(detect(each, metadata), detect_server(each), Hints(), each)
        )
        before = await connection.run_sync(lambda each: [find_effect(each, one.probe) for one in steps])
    for each in steps:
        execute(engine, each)
    async with asynchronous.connect() as connection:
        last = await connection.run_sync(lambda each: find_effect(each, steps[-1].probe))
    await asynchronous.dispose()

    assert steps == compiled_again(postgres_url, metadata, engine)
    assert set(before) == {Effect.NOT_APPLIED}
    assert last is Effect.APPLIED


def compiled_again(url: str, metadata: MetaData, engine: Engine) -> list[Step]:
    """What the other driver makes of the same differences, after they were taken back."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE books"))
        connection.execute(text("CREATE TABLE books (id integer NOT NULL, title varchar(50), shelf integer)"))
    return compiled(engine, metadata, Hints())
