"""A table that is built anew loses nothing: rows, children, and what stands around it."""

import sqlite3

import pytest
from alembic.operations import ops
from sqlalchemy import CheckConstraint, Column, Computed, Integer, String, Text, text

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, StepMode
from fastapi_easy.infrastructure.migrations.relational.operations import (
    ChangePrimaryKeyOp,
    Detected,
    ReplaceColumnOp,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from tests.unit.infrastructure.migrations.sqlite.sqlite_migration import (
    StoredDatabase,
    add_column,
    alter_column,
    detect,
    drop_column,
)

SHOP = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE [my books] (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- the key
  title VARCHAR(20) COLLATE NOCASE, -- the title
  price NUMERIC(10, 2) CHECK (price >= 0),
  kind TEXT UNIQUE ON CONFLICT REPLACE,
  author_id INTEGER REFERENCES authors ON DELETE CASCADE ON UPDATE SET NULL,
  parent INTEGER CONSTRAINT "the series" REFERENCES "my books" (id) DEFERRABLE INITIALLY DEFERRED,
  shouted TEXT GENERATED ALWAYS AS (upper(title)) VIRTUAL,
  kept TEXT AS (lower(title)) STORED,
  CHECK (title <> 'forbidden')
);
CREATE INDEX "ix title" ON [my books] (lower(title) DESC, price ASC);
CREATE UNIQUE INDEX partial ON [my books] (price) WHERE price > 100;
CREATE TABLE log (line TEXT);
CREATE TRIGGER "on sale" AFTER UPDATE OF price ON [my books]
BEGIN INSERT INTO log VALUES ('sold; at ' || new.price); END;
CREATE TRIGGER elsewhere AFTER DELETE ON authors
BEGIN UPDATE [my books] SET title = 'gone' WHERE author_id = old.id; END;
CREATE VIEW listed AS SELECT title, name FROM [my books] JOIN authors ON authors.id = author_id;
CREATE TRIGGER instead INSTEAD OF INSERT ON listed BEGIN INSERT INTO log VALUES (new.title); END;
CREATE TABLE reviews (id INTEGER PRIMARY KEY, book INTEGER NOT NULL REFERENCES "my books" ON DELETE CASCADE);
INSERT INTO authors VALUES (1, 'Ann');
INSERT INTO [my books] (id, title, price, kind, author_id, parent) VALUES
  (3, 'One', 1.5, 'a', 1, NULL), (8, 'Two', 20, 'b', 1, 3), (9, 'Last', 0, 'c', NULL, NULL);
DELETE FROM [my books] WHERE id = 9;
INSERT INTO reviews VALUES (1, 3), (2, 8);
"""


@pytest.fixture
def shop(tmp_path):
    return StoredDatabase(tmp_path / "shop.db", SHOP)


def test_keeps_rows_children_and_the_highest_key(shop):
    rows = shop.rows("SELECT * FROM [my books]")

    (step,) = shop.migrate(alter_column("my books", "title", modify_nullable=False))

    assert (step.mode, step.reversibility, step.destructive, step.rewrites) == (
        StepMode.REBUILD,
        Reversibility.FULL,
        False,
        True,
    )
    assert [each.facts.get("rebuild") for each in step.changes] == [True]
    assert shop.rows("SELECT * FROM [my books]") == rows
    assert shop.rows("SELECT * FROM reviews") == [(1, 3), (2, 8)]
    assert shop.rows("SELECT * FROM log") == []
    assert shop.rows("SELECT * FROM sqlite_sequence") == [("my books", 9)]
    assert shop.rows("PRAGMA foreign_key_check") == []


def test_changes_nothing_but_the_clause_that_is_meant(shop):
    before = shop.schema()

    shop.migrate(alter_column("my books", "title", modify_nullable=False))

    changed = dict(before)
    table = ("table", "my books")
    changed[table] = changed[table].replace("collate nocase", "collate nocase not null", 1)
    assert shop.schema() == changed


def test_keeps_comments(shop):
    shop.migrate(drop_column("my books", "kind"), add_column("my books", Column("pages", Integer)))

    ((stored,),) = shop.rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'my books'")
    assert "-- the key\n" in stored and "-- the title\n" in stored


def test_goes_back_to_the_very_same_schema(shop):
    before, rows = shop.schema(), shop.rows("SELECT * FROM [my books]")

    steps = shop.migrate(
        alter_column("my books", "title", modify_type=Text(), modify_nullable=False),
        add_column("my books", Column("pages", Integer, nullable=False, server_default=text("(1 + 1)"))),
        detect(ops.CreateUniqueConstraintOp("uq", "my books", ["title", "price"])),
    )
    shop.go_back(steps)

    assert len(steps) == 1
    assert shop.schema() == before
    assert shop.rows("SELECT * FROM [my books]") == rows
    assert shop.rows("SELECT * FROM reviews") == [(1, 3), (2, 8)]
    assert shop.rows("SELECT * FROM sqlite_sequence") == [("my books", 9)]


def test_triggers_views_and_actions_work_afterwards(shop):
    shop.migrate(alter_column("my books", "title", modify_nullable=False))

    shop.write("""
        UPDATE [my books] SET price = 7 WHERE id = 3;
        INSERT INTO listed (title) VALUES ('seen');
        INSERT INTO [my books] (title, author_id) VALUES ('New', 1);
    """)
    keys = shop.rows("SELECT id FROM [my books] ORDER BY id")
    shop.write("DELETE FROM authors WHERE id = 1")

    assert keys == [(3,), (8,), (10,)]
    assert shop.rows("SELECT * FROM log") == [("sold; at 7",), ("seen",)]
    assert shop.rows("SELECT count(*) FROM [my books]") == [(0,)]
    assert shop.rows("SELECT count(*) FROM reviews") == [(0,)]


def test_keeps_the_violations_there_were_and_adds_none(shop):
    with_orphan = "PRAGMA foreign_keys = OFF; INSERT INTO reviews VALUES (7, 999);"
    shop.write(with_orphan)

    shop.migrate(alter_column("my books", "title", modify_nullable=False))

    assert shop.rows("SELECT * FROM reviews") == [(1, 3), (2, 8), (7, 999)]


def test_a_foreign_key_that_rows_violate_changes_nothing(shop):
    shop.write(
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, reader INTEGER); INSERT INTO loans VALUES (1, 5);"
    )
    before = shop.schema()
    (step,) = shop.steps(detect(ops.CreateForeignKeyOp(None, "loans", "authors", ["reader"], ["id"])))

    with pytest.raises(sqlite3.IntegrityError):
        shop.execute(step)

    assert shop.schema() == before


def test_not_null_fails_with_nulls_and_changes_nothing(shop):
    before = shop.schema()
    (step,) = shop.steps(alter_column("my books", "parent", modify_nullable=False))

    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        shop.execute(step)

    assert shop.schema() == before
    assert shop.rows("SELECT count(*) FROM [my books]") == [(2,)]


@pytest.mark.parametrize("key", ["my books.parent", "MY BOOKS.Parent"])
def test_not_null_fills_nulls_with_what_the_hint_says(shop, key):
    hints = Hints(fill={key: "id"})

    (step,) = shop.migrate(alter_column("my books", "parent", modify_nullable=False), hints=hints)

    assert step.reversibility is Reversibility.SCHEMA_ONLY
    assert shop.rows("SELECT id, parent FROM [my books]") == [(3, 3), (8, 3)]


def test_a_hint_about_an_untouched_column_changes_nothing(shop):
    hints = Hints(fill={"my books.parent": "id"})

    shop.migrate(alter_column("my books", "title", modify_nullable=False), hints=hints)

    assert shop.rows("SELECT id, parent FROM [my books]") == [(3, None), (8, 3)]


def test_a_new_column_gets_what_the_hint_says_without_firing_triggers(shop):
    shop.write("CREATE TRIGGER busy AFTER UPDATE ON [my books] BEGIN INSERT INTO log VALUES ('fired'); END;")
    column = Column("pages", Integer, nullable=False)

    shop.migrate(add_column("my books", column), hints=Hints(fill={"my books.pages": "price * 2"}))

    assert shop.rows("SELECT id, pages FROM [my books]") == [(3, 3), (8, 40)]
    assert shop.rows("SELECT * FROM log") == []


def test_constraints_with_a_way_out_lose_no_rows(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        """
        CREATE TABLE t (a INTEGER NOT NULL ON CONFLICT IGNORE, b TEXT, UNIQUE (a) ON CONFLICT REPLACE);
        INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, NULL);
        """,
    )
    unique = ops.CreateUniqueConstraintOp(None, "t", ["b"], sqlite_on_conflict="REPLACE")
    (step,) = database.steps(detect(unique))

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        database.execute(step)

    assert database.rows("SELECT * FROM t") == [(1, "x"), (2, "x"), (3, None)]


@pytest.mark.parametrize(
    ("definition", "rows"),
    [
        pytest.param("CREATE TABLE t (a TEXT, b INTEGER)", [(5, "x", 1), (9, "y", None)], id="hidden rowids"),
        pytest.param(
            "CREATE TABLE t (a TEXT, b INTEGER, rowid TEXT)", [(5, "x", 1), (9, "y", None)], id="taken name"
        ),
        pytest.param(
            "CREATE TABLE t (a TEXT PRIMARY KEY DESC, b INTEGER)",
            [(5, "x", 1), (9, "y", None)],
            id="text key",
        ),
    ],
)
def test_keeps_rowids(tmp_path, definition, rows):
    database = StoredDatabase(
        tmp_path / "x.db",
        definition,
        "INSERT INTO t (_rowid_, a, b) VALUES (9, 'y', NULL), (5, 'x', 1)",
    )

    database.migrate(alter_column("t", "a", modify_nullable=False))

    assert database.rows("SELECT _rowid_, a, b FROM t ORDER BY _rowid_") == rows


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param("CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER) WITHOUT ROWID", id="without rowid"),
        pytest.param(
            "CREATE TABLE t (a TEXT, b INTEGER, PRIMARY KEY (b, a)) STRICT, WITHOUT ROWID", id="strict"
        ),
        pytest.param(
            "CREATE TABLE t (a TEXT, b INTEGER, rowid TEXT, _rowid_ TEXT, oid TEXT)", id="no name left"
        ),
        pytest.param(
            "CREATE TABLE t(\"a\" TEXT,[b]INTEGER,`select` TEXT DEFAULT 'it''s')", id="four quotings"
        ),
        pytest.param("CREATE TABLE t (a TEXT, b INTEGER, UNIQUE (a) CHECK (b > 0))", id="no comma"),
    ],
)
def test_keeps_other_forms_of_tables(tmp_path, definition):
    database = StoredDatabase(tmp_path / "x.db", definition, "INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2)")
    before = database.schema()

    steps = database.migrate(alter_column("t", "b", modify_nullable=False, modify_server_default="7"))
    rows = database.rows("SELECT a, b FROM t ORDER BY b")
    database.write("INSERT INTO t (a) VALUES ('z')")
    defaulted = database.rows("SELECT b FROM t WHERE a = 'z'")
    database.go_back(steps)

    assert rows == [("x", 1), ("y", 2)]
    assert defaulted == [(7,)]
    assert database.schema() == before


@pytest.mark.parametrize(
    "name", ["order", 'with "quotes"', "it's", "ümlaut ß", "a.b", "semi;colon", "-- no comment"]
)
def test_takes_any_name(tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE NAME (NAME TEXT, n TEXT);"
        "CREATE INDEX i ON NAME (NAME DESC);"
        "INSERT INTO NAME VALUES ('x', '1');".replace("NAME", quoted),
    )
    before = database.schema()

    steps = database.migrate(
        alter_column(name, name, modify_nullable=False), alter_column(name, "n", modify_type=Integer())
    )
    rows = database.rows("SELECT * FROM NAME".replace("NAME", quoted))
    database.go_back(steps)

    assert rows == [("x", 1)]
    assert database.schema() == before


def test_tables_of_the_names_it_would_use_stay(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        """
        CREATE TABLE t (a TEXT); CREATE TABLE fe_new_t (x); CREATE TABLE fe_check_t (x);
        INSERT INTO t VALUES ('1'); INSERT INTO fe_new_t VALUES (2); INSERT INTO fe_check_t VALUES (3);
        """,
    )

    database.migrate(alter_column("t", "a", modify_type=Integer()))

    assert database.rows("SELECT a, fe_new_t.x, fe_check_t.x FROM t, fe_new_t, fe_check_t") == [(1, 2, 3)]


def test_keeps_statistics(shop):
    shop.write("ANALYZE")
    before = shop.rows("SELECT * FROM sqlite_stat1 ORDER BY 1, 2")

    shop.migrate(alter_column("my books", "title", modify_nullable=False))

    assert shop.rows("SELECT * FROM sqlite_stat1 ORDER BY 1, 2") == before


def test_drops_with_a_column_what_is_about_it_alone(shop):
    shop.write('DROP TRIGGER "on sale"')

    (step,) = shop.migrate(drop_column("my books", "price"))

    schema = shop.schema()
    assert (step.destructive, step.reversibility) == (True, Reversibility.SCHEMA_ONLY)
    assert step.summary == (
        "build table my books anew: drop column price, and with it index ix title, and with it index partial"
    )
    assert "price" not in schema["table", "my books"]
    assert schema["table", "my books"].endswith(", check ( title < > 'forbidden' ) )")
    assert {name for kind, name in schema if kind == "index"} == set()


def test_refuses_to_break_a_trigger(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE t (a, b); CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET b = new.a; END;",
    )

    with pytest.raises(SqliteRefusal, match="trigger of t: no such column: b"):
        database.steps(drop_column("t", "b"))


def test_refuses_to_break_a_view(shop):
    with pytest.raises(SqliteRefusal, match="view listed"):
        shop.steps(drop_column("my books", "author_id"))


def test_a_view_that_is_broken_already_is_in_nobodys_way(shop):
    shop.write("CREATE VIEW broken AS SELECT nonsense FROM authors")

    (step,) = shop.migrate(alter_column("my books", "title", modify_nullable=False))

    assert step.mode is StepMode.REBUILD


def test_refuses_to_take_the_key_from_what_refers_to_it(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE p (a TEXT, b TEXT UNIQUE); CREATE TABLE c (b TEXT REFERENCES p (b));"
    )
    unique = ops.DropConstraintOp.from_constraint(
        ops.CreateUniqueConstraintOp(None, "p", ["b"]).to_constraint()
    )

    with pytest.raises(SqliteRefusal, match="foreign key mismatch"):
        database.steps(detect(unique))


def test_another_primary_key(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT NOT NULL, b TEXT NOT NULL);"
        "INSERT INTO t VALUES (4, 'x', 'y');",
    )
    before = database.schema()

    steps = database.migrate(detect(ChangePrimaryKeyOp("t", ["id"], ["a", "b"], name_after="pk_t")))
    keyed = database.schema()["table", "t"]
    database.go_back(steps)

    assert keyed == (
        "create table t ( id integer , a text not null , b text not null , constraint pk_t primary key ( a , b ) )"
    )
    assert database.schema() == before
    assert database.rows("SELECT * FROM t") == [(4, "x", "y")]


def test_a_key_with_nulls_is_no_key(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (id INTEGER, a TEXT); INSERT INTO t VALUES (NULL, 'x');"
    )
    (step,) = database.steps(detect(ChangePrimaryKeyOp("t", [], ["id"])))

    with pytest.raises(sqlite3.IntegrityError, match="every value of id fits INTEGER"):
        database.execute(step)

    assert database.rows("SELECT * FROM t") == [(None, "x")]


@pytest.mark.parametrize(
    ("dropped", "left"),
    [
        pytest.param(
            ops.CreateCheckConstraintOp(None, "t", "(A  > 0)"),
            "check ( b > 0 ) , unique ( a , b ) , unique ( b )",
            id="check",
        ),
        pytest.param(
            ops.CreateUniqueConstraintOp(None, "t", ["a", "b"]),
            "check ( a > 0 ) , check ( b > 0 ) , unique ( b )",
            id="unique",
        ),
        pytest.param(
            ops.CreateUniqueConstraintOp(None, "t", ["b"]),
            "check ( a > 0 ) , check ( b > 0 ) , unique ( a , b )",
            id="other unique",
        ),
    ],
)
def test_finds_constraints_without_names(tmp_path, dropped, left):
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE t (a INT, b INT, CHECK (a > 0), CHECK (b > 0), UNIQUE (a, b), UNIQUE (b))",
    )

    database.migrate(detect(ops.DropConstraintOp.from_constraint(dropped.to_constraint())))

    assert database.schema()["table", "t"] == f"create table t ( a int , b int , {left} )"


def test_drops_constraints_inside_columns(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        'CREATE TABLE t (a INT UNIQUE ON CONFLICT FAIL, b INT CONSTRAINT "the check" CHECK (b > 0) NOT NULL,'
        " c INT REFERENCES p ON DELETE SET NULL DEFERRABLE DEFAULT 4)",
    )

    database.migrate(
        detect(
            ops.DropConstraintOp.from_constraint(
                ops.CreateUniqueConstraintOp(None, "t", ["a"]).to_constraint()
            )
        ),
        detect(ops.DropConstraintOp("the check", "t", type_="check")),
        detect(
            ops.DropConstraintOp.from_constraint(
                ops.CreateForeignKeyOp(None, "t", "p", ["c"], ["id"], ondelete="SET NULL").to_constraint()
            )
        ),
    )

    assert database.schema()["table", "t"] == "create table t ( a int , b int not null , c int default 4 )"


def test_finds_a_foreign_key_that_does_not_name_its_columns(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a INT REFERENCES p, b INT)",
    )
    key = ops.CreateForeignKeyOp(None, "t", "p", ["a"], [])
    operation = ops.DropConstraintOp(None, "t", "foreignkey", _reverse=key)
    change = Change(
        kind=ChangeKind.DROP_FOREIGN_KEY,
        table="t",
        facts={"columns": ["a"], "references": "p", "referred_columns": []},
    )

    database.migrate(Detected(change=change, operation=operation))

    assert database.schema()["table", "t"] == "create table t ( a int , b int )"


def test_a_constraint_that_is_not_there_is_refused(shop):
    with pytest.raises(SqliteRefusal, match="no constraint nonsense"):
        shop.steps(detect(ops.DropConstraintOp("nonsense", "my books", type_="unique")))


def test_computed_columns(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (a INT, b INT DEFAULT 3); INSERT INTO t VALUES (2, 9);"
    )
    plain, computed = Column("b", Integer), Column("b", Integer, Computed("a * 2", persisted=True))
    before = database.schema()

    steps = database.migrate(detect(ReplaceColumnOp("t", plain, computed, what="computed")))
    rows = database.rows("SELECT * FROM t")
    database.go_back(steps)

    assert rows == [(2, 4)]
    assert (steps[0].destructive, steps[0].reversibility) == (True, Reversibility.SCHEMA_ONLY)
    assert database.schema() == before
    assert database.rows("SELECT * FROM t") == [(2, 4)]


def test_a_new_check_that_rows_violate_changes_nothing(shop):
    constraint = CheckConstraint("price > 10")
    (step,) = shop.steps(detect(ops.CreateCheckConstraintOp("dear", "my books", constraint.sqltext)))

    with pytest.raises(sqlite3.IntegrityError, match="dear"):
        shop.execute(step)

    assert shop.rows("SELECT count(*) FROM [my books]") == [(2,)]


def test_another_collation(tmp_path):
    database = StoredDatabase(tmp_path / "x.db", "CREATE TABLE t (a TEXT NOT NULL COLLATE NOCASE, b INT)")
    operation = ReplaceColumnOp(
        "t", Column("a", String(collation="NOCASE")), Column("a", String(collation="RTRIM")), what="collation"
    )

    database.migrate(detect(operation))

    assert database.schema()["table", "t"] == "create table t ( a text not null collate rtrim , b int )"
