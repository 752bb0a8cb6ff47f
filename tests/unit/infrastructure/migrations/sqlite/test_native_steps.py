"""What SQLite does itself, renamings, and the order of steps."""

import sqlite3

import pytest
from alembic.operations import ops
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    text,
)
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Effect, Probe, Reversibility, StepMode
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, ReplaceColumnOp
from fastapi_easy.infrastructure.migrations.relational.sqlite.compiling import (
    compile_sqlite_parts,
    compile_sqlite_steps,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.probes import find_sqlite_effect
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from tests.unit.infrastructure.migrations.sqlite.sqlite_migration import (
    StoredDatabase,
    add_column,
    alter_column,
    detect,
    drop_column,
)

SHOP = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT, motto TEXT);
CREATE TABLE books (
  id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors (id) ON DELETE CASCADE, pages INTEGER
);
CREATE INDEX ix_title ON books (title);
CREATE VIEW listed AS SELECT title, name FROM books JOIN authors ON authors.id = author_id;
INSERT INTO authors VALUES (1, 'Ann', 'x');
INSERT INTO books VALUES (3, 'one', 1, 7);
CREATE TRIGGER shout AFTER INSERT ON books BEGIN UPDATE books SET title = upper(title) WHERE id = new.id; END;
"""


@pytest.fixture
def shop(tmp_path):
    return StoredDatabase(tmp_path / "shop.db", SHOP)


@pytest.mark.parametrize(
    ("column", "mode"),
    [
        pytest.param(Column("n", Integer), StepMode.TRANSACTION, id="nullable"),
        pytest.param(
            Column("n", Integer, nullable=False, server_default="5"), StepMode.TRANSACTION, id="constant"
        ),
        pytest.param(
            Column("n", Integer, server_default=text("(-5)")), StepMode.TRANSACTION, id="in parentheses"
        ),
        pytest.param(
            Column("n", Integer, server_default=text("true")), StepMode.TRANSACTION, id="truth value"
        ),
        pytest.param(Column("n", Integer, ForeignKey("authors.id")), StepMode.TRANSACTION, id="reference"),
        pytest.param(
            Column("n", Text, server_default=func.current_timestamp()), StepMode.REBUILD, id="moment"
        ),
        pytest.param(Column("n", Integer, server_default=text("1 + 1")), StepMode.REBUILD, id="expression"),
        pytest.param(
            Column("n", Integer, ForeignKey("authors.id"), server_default="1"), StepMode.REBUILD, id="both"
        ),
        pytest.param(Column("n", Integer, Computed("pages + 1")), StepMode.TRANSACTION, id="virtual"),
        pytest.param(
            Column("n", Integer, Computed("pages + 1", persisted=True)), StepMode.REBUILD, id="stored"
        ),
        pytest.param(Column("a b", String(5, collation="NOCASE")), StepMode.TRANSACTION, id="collation"),
    ],
)
def test_adds_columns_itself_where_it_can(shop, column, mode):
    before = shop.schema()

    (step,) = shop.migrate(add_column("books", column))
    rows = shop.rows("SELECT id, title, author_id, pages FROM books")
    has_column = (column.name,) in shop.rows("SELECT name FROM pragma_table_xinfo('books')")
    shop.go_back([step])

    assert (step.mode, step.reversibility, step.destructive) == (mode, Reversibility.FULL, False)
    assert has_column and rows == [(3, "one", 1, 7)]
    assert shop.schema() == before


def test_a_column_and_its_foreign_key_are_one_step(shop):
    column = Column("editor", Integer, ForeignKey("authors.id", ondelete="SET NULL"))
    key = ops.CreateForeignKeyOp("fk_editor", "books", "authors", ["editor"], ["id"], ondelete="SET NULL")

    (step,) = shop.migrate(add_column("books", column), detect(key))

    reference = "CONSTRAINT fk_editor REFERENCES authors (id) ON DELETE SET NULL"
    assert step.statements == (f'ALTER TABLE "books" ADD COLUMN "editor" INTEGER {reference}',)
    assert len(step.changes) == 2


def test_a_column_without_value_fails_where_there_are_rows(shop):
    (step,) = shop.steps(add_column("books", Column("n", Integer, nullable=False)))

    with pytest.raises(sqlite3.OperationalError, match="NOT NULL"):
        shop.execute(step)

    assert shop.rows("SELECT * FROM books") == [(3, "one", 1, 7)]


def test_drops_a_column_itself_where_it_can(shop):
    before = shop.schema()

    (step,) = shop.migrate(drop_column("authors", "motto"))
    shop.go_back([step])

    assert (step.mode, step.destructive, step.reversibility) == (
        StepMode.TRANSACTION,
        True,
        Reversibility.SCHEMA_ONLY,
    )
    assert shop.schema() == before
    assert shop.rows("SELECT * FROM authors") == [(1, "Ann", None)]
    assert shop.rows("SELECT * FROM books") == [(3, "one", 1, 7)]


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param("a INT UNIQUE, b INT", id="unique"),
        pytest.param("a INT, b INT, UNIQUE (a, b)", id="unique of two"),
        pytest.param("a INT, b INT, CHECK (a > b)", id="check"),
        pytest.param("a INT, b INT, FOREIGN KEY (a) REFERENCES p (id)", id="foreign key"),
        pytest.param("b INT, a INT PRIMARY KEY", id="key"),
    ],
)
def test_drops_a_column_that_sqlite_cannot(tmp_path, definition):
    database = StoredDatabase(tmp_path / "x.db", "CREATE TABLE t (DEF)".replace("DEF", definition))
    database.write("CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (2)")
    database.write("CREATE INDEX i ON t (a) WHERE b > 0; INSERT INTO t (a, b) VALUES (2, 1)")
    before = database.schema()

    (step,) = database.migrate(drop_column("t", "a"))
    after = database.schema()
    rows = database.rows("SELECT * FROM t")
    database.go_back([step])

    assert after["table", "t"] == "create table t ( b int )" and len(after) == 2
    assert rows == [(1,)]
    assert database.schema() == before


def test_drops_an_index_before_its_column(shop):
    shop.write("DROP VIEW listed; DROP TRIGGER shout")

    steps = shop.migrate(drop_column("books", "title"), detect(ops.DropIndexOp("ix_title", "books")))

    assert [(each.kind, each.mode) for each in steps] == [
        ("drop_index", StepMode.TRANSACTION),
        ("drop_column", StepMode.TRANSACTION),
    ]


def test_creates_tables_and_indexes(shop):
    before = shop.schema()
    table = Table(
        "loans",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("book", Integer, ForeignKey("books.id")),
        Column("due", Text, server_default="soon"),
        CheckConstraint("book > 0", name="ck"),
    )
    Table("books", table.metadata, Column("id", Integer, primary_key=True))
    index = ops.CreateIndexOp(
        "ix_due", "loans", [text("lower(due) DESC")], unique=True, sqlite_where=text("book > 5")
    )

    steps = shop.migrate(detect(index), detect(ops.CreateTableOp.from_table(table)))
    made = shop.schema()
    shop.go_back(steps)

    assert [each.kind for each in steps] == ["create_table", "create_index"]
    assert (
        made["index", "ix_due"] == "create unique index ix_due on loans ( lower ( due ) desc ) where book > 5"
    )
    assert shop.schema() == before


def test_dropping_what_others_refer_to_deletes_none_of_their_rows(shop):
    shop.write("DROP VIEW listed")
    key = ops.CreateForeignKeyOp(None, "books", "authors", ["author_id"], ["id"])
    before = shop.schema()

    steps = shop.migrate(
        detect(ops.DropTableOp("authors")), detect(ops.DropConstraintOp.from_constraint(key.to_constraint()))
    )
    rows = shop.rows("SELECT * FROM books")
    shop.write("DELETE FROM books")
    shop.go_back(steps)

    assert [each.kind for each in steps] == ["drop_unique", "drop_table"]
    assert (steps[1].destructive, steps[1].reversibility) == (True, Reversibility.SCHEMA_ONLY)
    assert rows == [(3, "one", 1, 7)]
    assert shop.schema() == before


def test_refuses_to_drop_what_others_go_on_referring_to(shop):
    shop.write("DROP VIEW listed")

    with pytest.raises(SqliteRefusal, match="table books refers to authors, which is not there"):
        shop.steps(detect(ops.DropTableOp("authors")))


def test_drops_tables_that_refer_to_each_other(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        """
        CREATE TABLE a (id INTEGER PRIMARY KEY, b INT REFERENCES b, a INT REFERENCES a ON DELETE RESTRICT);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a);
        CREATE TABLE c (b INT REFERENCES b ON DELETE RESTRICT);
        CREATE TABLE d (id INT);
        INSERT INTO a VALUES (1, 1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1); INSERT INTO d VALUES (1);
        """,
    )
    before = database.schema()

    steps = database.migrate(*(detect(ops.DropTableOp(name)) for name in "abcd"))
    after = database.schema()
    database.go_back(steps)

    assert [each.object for each in steps] == ["c", "d", "a, b"]
    assert after == {}
    assert database.schema() == before


def test_a_renamed_table_takes_along_what_names_it(shop):
    before = shop.schema()

    steps = shop.migrate(
        detect(ops.RenameTableOp("authors", "Writers")),
        alter_column("Writers", "name", modify_nullable=False),
    )
    after = shop.schema()
    shop.write("INSERT INTO books VALUES (4, 'two', 1, 8)")
    shop.go_back(steps)

    assert "references writers ( id ) on delete cascade" in after["table", "books"]
    assert "join writers" in after["view", "listed"]
    assert shop.schema() == before


@pytest.mark.parametrize("new_name", ["Books", "BOOKS"])
def test_a_name_may_change_its_case(shop, new_name):
    before = shop.schema()

    steps = shop.migrate(
        detect(ops.RenameTableOp("books", new_name)), alter_column(new_name, "title", modify_name="Title")
    )
    tables = shop.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    columns = shop.rows("SELECT name FROM pragma_table_info('books')")
    shop.go_back(steps)

    assert tables == [(new_name,), ("authors",)]
    assert columns == [("id",), ("Title",), ("author_id",), ("pages",)]
    assert shop.schema() == before


def test_a_renamed_column_takes_along_what_names_it(shop):
    before = shop.schema()

    steps = shop.migrate(alter_column("books", "title", modify_name="book name", modify_nullable=False))
    after = shop.schema()
    shop.go_back(steps)

    assert [each.mode for each in steps] == [StepMode.TRANSACTION, StepMode.REBUILD]
    assert after["index", "ix_title"] == "create index ix_title on books ( book name )"
    assert "set book name = upper ( book name )" in after["trigger", "shout"]
    assert "not null" in after["table", "books"]
    assert shop.schema() == before


def test_columns_may_take_each_others_names(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (a, b, c, d); INSERT INTO t VALUES (1, 2, 3, 4);"
    )

    steps = database.migrate(
        alter_column("t", "c", modify_name="x"),
        alter_column("t", "a", modify_name="b"),
        alter_column("t", "b", modify_name="a"),
        alter_column("t", "d", modify_name="c"),
    )
    columns = database.rows("SELECT name FROM pragma_table_info('t')")
    database.go_back(steps)

    assert [name for (name,) in columns] == ["b", "a", "x", "c"]
    assert database.schema() == {("table", "t"): "create table t ( a , b , c , d )"}


def test_a_table_may_take_the_name_of_one_that_is_dropped(shop):
    shop.write(
        "CREATE TABLE novels (id INTEGER PRIMARY KEY); INSERT INTO novels VALUES (77); DROP VIEW listed"
    )

    shop.migrate(detect(ops.RenameTableOp("novels", "books")), detect(ops.DropTableOp("books")))

    assert shop.rows("SELECT * FROM books") == [(77,)]


def test_a_new_table_may_take_the_name_of_one_that_is_renamed(tmp_path):
    database = StoredDatabase(tmp_path / "x.db", "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);")
    table = Table("t", MetaData(), Column("b", Integer))
    before = database.schema()

    steps = database.migrate(
        detect(ops.RenameTableOp("t", "old")),
        detect(ops.CreateTableOp.from_table(table)),
        detect(ops.CreateUniqueConstraintOp("u", "t", ["b"])),
        alter_column("old", "a", modify_nullable=False),
    )
    rows = database.rows("SELECT a FROM old")
    database.go_back(steps)

    assert rows == [(1,)]
    assert database.schema() == before


@pytest.mark.parametrize("key", ["books.title", "novels.name"])
def test_hints_may_use_old_names_and_new_ones(shop, key):
    shop.write("DROP VIEW listed; DROP TRIGGER shout; INSERT INTO books VALUES (9, NULL, NULL, NULL)")

    shop.migrate(
        detect(ops.RenameTableOp("books", "novels")),
        alter_column("novels", "title", modify_name="name"),
        alter_column("novels", "name", modify_nullable=False),
        hints=Hints(fill={key: "'?'"}),
    )

    assert shop.rows("SELECT id, name FROM novels ORDER BY id") == [(3, "one"), (9, "?")]


def test_a_key_is_made_before_what_points_to_it(tmp_path):
    database = StoredDatabase(tmp_path / "x.db", "CREATE TABLE c (x TEXT); CREATE TABLE p (x TEXT);")
    database.write("INSERT INTO p VALUES ('a'); INSERT INTO c VALUES ('a');")

    steps = database.migrate(
        detect(ops.CreateForeignKeyOp(None, "c", "p", ["x"], ["x"])),
        detect(ops.CreateIndexOp("ux", "p", ["x"], unique=True)),
    )

    assert [each.kind for each in steps] == ["create_index", "add_foreign_key"]


def test_keys_are_made_before_what_points_to_them_also_where_both_change(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE a (x TEXT); CREATE TABLE b (x TEXT); CREATE TABLE c (x TEXT);"
    )

    steps = database.migrate(
        detect(ops.CreateForeignKeyOp(None, "a", "b", ["x"], ["x"])),
        detect(ops.CreateForeignKeyOp(None, "b", "c", ["x"], ["x"])),
        detect(ops.CreateForeignKeyOp(None, "c", "c", ["x"], ["x"])),
        detect(ops.CreateUniqueConstraintOp("ub", "b", ["x"])),
        detect(ops.CreateUniqueConstraintOp("uc", "C", ["x"])),
    )

    assert [each.changes[0].table for each in steps] == ["c", "b", "a"]


def test_a_column_may_take_the_name_of_one_that_is_dropped(tmp_path):
    database = StoredDatabase(tmp_path / "x.db", "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2);")
    before = database.schema()

    steps = database.migrate(drop_column("t", "a"), alter_column("t", "b", modify_name="a"))
    rows = database.rows("SELECT a FROM t")
    database.go_back(steps)

    assert rows == [(2,)]
    assert database.schema() == before


def test_a_column_that_comes_back_is_a_new_one(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (a, b INTEGER UNIQUE); INSERT INTO t VALUES (1, 2);"
    )

    (step,) = database.migrate(drop_column("t", "b"), add_column("t", Column("b", Integer)))

    assert (step.mode, step.destructive, step.reversibility) == (
        StepMode.REBUILD,
        True,
        Reversibility.SCHEMA_ONLY,
    )
    assert database.rows("SELECT a, b FROM t") == [(1, None)]


def test_parts_are_compiled_one_after_the_other(shop):
    column = Column("n", Integer)
    parts = [
        [add_column("books", column)],
        [],
        [alter_column("books", "n", modify_name="m")],
        [drop_column("books", "m")],
    ]
    before = shop.schema()
    with shop.connect() as connection:
        compiled = compile_sqlite_parts(connection, parts, Hints())

    for each in compiled:
        for step in each:
            shop.execute(step)

    assert [[step.kind for step in each] for each in compiled] == [
        ["add_column"],
        [],
        ["change_type"],
        ["drop_column"],
    ]
    assert shop.schema() == before


async def test_steps_are_made_and_looked_for_through_aiosqlite(shop):
    engine = create_async_engine(f"sqlite+aiosqlite:///{shop.path}", poolclass=NullPool)
    change = alter_column("books", "pages", modify_nullable=False)

    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA query_only = ON")
        steps = await connection.run_sync(compile_sqlite_steps, [change], Hints())
        effect = await connection.run_sync(find_sqlite_effect, steps[0].probe)
    await engine.dispose()

    assert steps == shop.steps(change)
    assert effect is Effect.NOT_APPLIED


def test_functions_and_collations_of_the_program_are_known(shop):
    engine = create_engine(f"sqlite:///{shop.path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def install(connection, _):
        connection.create_function("initial", 1, lambda value: value and value[0], deterministic=True)
        connection.create_collation("backwards", lambda one, other: (one < other) - (one > other))

    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE names (n TEXT COLLATE backwards, CHECK (initial(n) > ''))")
        connection.exec_driver_sql("CREATE INDEX ix_initial ON names (initial(n))")
        (step,) = compile_sqlite_steps(
            connection, [alter_column("names", "n", modify_nullable=False)], Hints()
        )
        for each in step.statements:
            connection.exec_driver_sql(each)
        stored = (
            connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE tbl_name = 'names'")
            .scalars()
            .all()
        )
    engine.dispose()

    assert stored == [
        "CREATE TABLE \"names\" (n TEXT COLLATE backwards NOT NULL, CHECK (initial(n) > ''))",
        "CREATE INDEX ix_initial ON names (initial(n))",
    ]


def test_the_same_plan_is_made_again(shop):
    operations = [
        detect(ops.CreateUniqueConstraintOp(f"u{name}", table, [name]))
        for table, name in [("books", "title"), ("authors", "name"), ("books", "pages"), ("authors", "motto")]
    ]

    assert shop.steps(*operations) == shop.steps(*operations)


def test_sql_of_the_author_stays_where_it_is(shop):
    steps = shop.migrate(
        add_column("authors", Column("born", Integer)),
        detect(ops.ExecuteSQLOp("UPDATE authors SET born = 1900 WHERE name LIKE 'A%:n'")),
        detect(ops.ExecuteSQLOp("UPDATE authors SET born = 1900")),
        alter_column("authors", "born", modify_nullable=False),
    )

    assert [each.kind for each in steps] == ["add_column", "run_sql", "run_sql", "change_type"]
    assert [each.reversibility for each in steps[1:3]] == [Reversibility.NONE, Reversibility.NONE]
    assert shop.rows("SELECT born FROM authors") == [(1900,)]


def test_what_sqlite_has_no_place_for_is_no_step(shop):
    commented = alter_column("books", "title", modify_comment="the title")
    numbered = ReplaceColumnOp(
        "books", Column("id", Integer), Column("id", Integer, Identity()), what="identity"
    )

    assert (
        shop.steps(commented, detect(numbered), detect(ops.CreateTableCommentOp("books", "all of them")))
        == []
    )


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        pytest.param(CreateEnumOp("mood", ["sad"]), "CreateEnumOp", id="enumeration"),
        pytest.param(
            ops.AddColumnOp("books", Column("a", ARRAY(Integer))), "cannot be written for SQLite", id="type"
        ),
        pytest.param(
            ops.CreateIndexOp("ix_title", "books", ["pages"]), "already exists", id="index that is there"
        ),
        pytest.param(ops.DropConstraintOp("nonsense", "books"), "what kind of constraint", id="kind"),
        pytest.param(ops.DropIndexOp("nonsense"), "no index nonsense", id="index"),
        pytest.param(ops.DropTableOp("nonsense"), "no table nonsense", id="table"),
        pytest.param(ops.DropColumnOp("books", "nonsense"), "no column nonsense", id="column"),
        pytest.param(ops.DropColumnOp("nonsense", "a"), "no table nonsense", id="column of no table"),
        pytest.param(
            ops.DropColumnOp("books", "a", schema="other"),
            "attached databases are not changed: other",
            id="schema",
        ),
    ],
)
def test_refuses_what_cannot_be(shop, operation, message):
    with pytest.raises(SqliteRefusal, match=message):
        shop.steps(detect(operation))


def test_virtual_tables_are_left_alone(shop):
    shop.write("CREATE VIRTUAL TABLE found USING fts5(title); INSERT INTO found VALUES ('x')")

    shop.migrate(alter_column("books", "pages", modify_nullable=False))

    assert shop.rows("SELECT * FROM found WHERE found MATCH 'x'") == [("x",)]
    with pytest.raises(SqliteRefusal, match="table found cannot be changed"):
        shop.steps(alter_column("found", "title", modify_nullable=False))


def test_nothing_is_known_of_other_probes(shop):
    with shop.connect() as connection:
        assert find_sqlite_effect(connection, Probe()) is Effect.UNKNOWN
