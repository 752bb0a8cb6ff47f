"""What is read in SQL that somebody wrote by hand."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.statements.changes import changes_in, expanded

Read = tuple[str, str, dict[str, Any]]

OPAQUE: list[Read] = [("run_sql", "", {})]


def read(dialect: Dialect, sql: str, *facts: str) -> list[Read]:
    """Kind, object and *facts* of each change; of facts only those that say something."""
    return [
        (
            each.kind.value,
            each.object,
            {name: value for name, value in each.facts.items() if name in {*facts, "command"}},
        )
        for each in changes_in(sql, dialect)
    ]


TABLE: list[tuple[Dialect, str, list[Read]]] = [
    ("postgresql", "DROP TABLE users", [("drop_table", "users", {})]),
    ("postgresql", 'drop table if exists "Users", public.b, other.c', [
        ("drop_table", "Users", {}), ("drop_table", "b", {}), ("drop_table", "other.c", {}),
    ]),
    ("postgresql", "DROP TABLE Users", [("drop_table", "users", {})]),
    ("mysql", "DROP TABLE Users", [("drop_table", "Users", {})]),
    ("sqlite", "DROP TABLE [my users]", [("drop_table", "my users", {})]),
    ("mysql", "/*!50000 DROP TABLE users */", [("drop_table", "users", {})]),
    ("mysql", "/*M!100100 DROP TABLE users */", [("drop_table", "users", {})]),
    ("postgresql", "/* outer /* DROP TABLE a */ */ DROP TABLE b", [("drop_table", "b", {})]),
    ("mysql", "# DROP TABLE a\nDROP TABLE b -- DROP TABLE c", [("drop_table", "b", {})]),
    ("mysql", "SELECT 1--1; DROP TABLE b", [("drop_table", "b", {})]),
    ("postgresql", "SELECT 'DROP TABLE a; '';'; SELECT $x$;DROP TABLE b$x$; SELECT E'\\';DROP TABLE c'", []),
    ("mysql", r"SELECT 'it\'s; DROP TABLE a'", []),
    ("postgresql", "DROP SCHEMA shop CASCADE", [("drop_schema", "shop", {})]),
    ("mysql", "DROP DATABASE shop", [("drop_schema", "shop", {})]),
    ("postgresql", "DROP INDEX CONCURRENTLY IF EXISTS ix", [("drop_index", "ix", {})]),
    ("mysql", "DROP INDEX ix ON users", [("drop_index", "users.ix", {})]),
    ("postgresql", "DROP MATERIALIZED VIEW v", [("drop_view", "v", {})]),
    ("postgresql", "DROP FUNCTION f(int) CASCADE", [("run_sql", "f", {"command": "drop_function"})]),
    ("postgresql", "DROP OWNED BY somebody", OPAQUE),
    ("postgresql", "TRUNCATE TABLE ONLY a, b CASCADE", [
        ("run_sql", "a", {"command": "truncate"}), ("run_sql", "b", {"command": "truncate"}),
    ]),
    ("mysql", "ALTER TABLE a DROP PARTITION p", [("run_sql", "a", {"command": "truncate"})]),
    ("sqlite", "DELETE FROM users", [("run_sql", "users", {"command": "delete"})]),
    ("postgresql", "DELETE FROM users WHERE NOT (1 = 2)", [("run_sql", "users", {"command": "delete"})]),
    ("postgresql", "DELETE FROM users WHERE TRUE", [("run_sql", "users", {"command": "delete"})]),
    ("postgresql", "DELETE FROM users WHERE id = 3", [("run_sql", "users", {"command": "delete_where"})]),
    ("postgresql", "WITH gone AS (DELETE FROM users RETURNING *) SELECT 1", OPAQUE),
    ("postgresql", "UPDATE users SET a = 1", [("backfill", "users", {})]),
    ("postgresql", "INSERT INTO users SELECT * FROM old", [("run_sql", "users", {"command": "insert"})]),
    ("mysql", "REPLACE INTO users VALUES (1)", [("backfill", "users", {})]),
    ("sqlite", "INSERT OR REPLACE INTO users VALUES (1)", [("backfill", "users", {})]),
    ("postgresql", "INSERT INTO u VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 2", [("backfill", "u", {})]),
    ("postgresql", "SELECT count(*), max(id) FROM users FOR UPDATE", []),
    ("postgresql", "SELECT drop_everything()", OPAQUE),
    ("postgresql", "SELECT public.drop_everything ()", OPAQUE),
    ("postgresql", 'SELECT "drop_everything"()', OPAQUE),
    ("postgresql", "SELECT * INTO other FROM users", OPAQUE),
    ("postgresql", "DO $$ BEGIN DROP TABLE users; END $$", OPAQUE),
    ("postgresql", "CALL tidy_up()", OPAQUE),
    ("postgresql", "COPY users FROM '/tmp/x'", OPAQUE),
    ("postgresql", "EXPLAIN SELECT 1; EXPLAIN ANALYZE DELETE FROM users", OPAQUE),
    ("postgresql", "GRANT SELECT ON users TO reader; ANALYZE users", []),
    ("postgresql", "REVOKE SELECT ON users FROM reader", OPAQUE),
    ("postgresql", "CREATE EXTENSION IF NOT EXISTS citext", [("run_sql", "citext", {"command": "create_extension"})]),
    ("postgresql", "CREATE TABLE a AS SELECT 1", [("create_table", "a", {}), ("run_sql", "a", {"command": "insert"})]),
    ("postgresql", "CREATE VIEW v AS SELECT 1", [("run_sql", "v", {"command": "create_view"})]),
    ("sqlite", "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END; DROP TABLE c", OPAQUE),
    ("postgresql", "CREATE RULE r AS ON INSERT TO a DO INSTEAD DELETE FROM b", OPAQUE),
    ("postgresql", "BEGIN; COMMIT; START TRANSACTION; ROLLBACK; END", [
        ("run_sql", "", {"command": each}) for each in ("begin", "commit", "begin", "rollback", "commit")
    ]),
    ("postgresql", "SAVEPOINT a; ROLLBACK TO a; RELEASE a", []),
    ("postgresql", "LOCK TABLE a IN ACCESS EXCLUSIVE MODE", [("run_sql", "a", {"command": "lock_table"})]),
    ("postgresql", "SET LOCAL lock_timeout = '2s'", [("run_sql", "", {"command": "set_lock_timeout"})]),
    ("postgresql", "SET lock_timeout TO 0", [("run_sql", "", {"command": "set_lock_timeout_off"})]),
    ("postgresql", "SET statement_timeout = DEFAULT", [("run_sql", "", {"command": "set_statement_timeout_off"})]),
    ("mysql", "SET SESSION lock_wait_timeout = 2, sql_mode = ''", [
        ("run_sql", "", {"command": "set_lock_timeout"}), ("run_sql", "", {"command": "set_sql_mode"}),
    ]),
    ("mysql", "SET @@SESSION.sql_mode = ''", [("run_sql", "", {"command": "set_sql_mode"})]),
    ("postgresql", "SET search_path = other", OPAQUE),
    ("mysql", "SET foreign_key_checks = 0", OPAQUE),
    ("sqlite", "PRAGMA foreign_keys = OFF", OPAQUE),
    ("sqlite", "PRAGMA foreign_key_check", []),
    ("postgresql", "VACUUM (FULL, ANALYZE) a", [("run_sql", "a", {"command": "vacuum_full"})]),
    ("postgresql", "VACUUM ANALYZE a", [("run_sql", "a", {"command": "vacuum"})]),
    ("postgresql", "CLUSTER a USING ix", [("run_sql", "a", {"command": "cluster"})]),
    ("postgresql", "REINDEX (VERBOSE) TABLE CONCURRENTLY a", [("run_sql", "a", {"command": "reindex"})]),
    ("postgresql", "REINDEX INDEX ix", [("run_sql", "ix", {"command": "reindex"})]),
    ("postgresql", "REFRESH MATERIALIZED VIEW v", [("run_sql", "v", {"command": "refresh_view"})]),
    ("postgresql", "ALTER TABLE p DETACH PARTITION c", [("run_sql", "p", {"command": "detach_partition"})]),
    ("postgresql", "ALTER TABLE a SET UNLOGGED", [("run_sql", "a", {"command": "set_unlogged"})]),
    ("postgresql", "COMMENT ON COLUMN public.a.b IS 'x'", [("change_comment", "a.b", {})]),
    ("postgresql", "ALTER TABLE a RENAME TO b", [("rename_table", "a", {})]),
    ("mysql", "RENAME TABLE a TO b, c TO d", [("rename_table", "a", {}), ("rename_table", "c", {})]),
    ("mysql", "ALTER TABLE a RENAME b", [("rename_table", "a", {})]),
    ("postgresql", "ALTER TABLE a SET SCHEMA other", [("rename_table", "a", {})]),
    ("postgresql", "ALTER TABLE a RENAME b TO c", [("rename_column", "a.b", {})]),
    ("postgresql", "ALTER TABLE a RENAME CONSTRAINT b TO c", []),
    ("postgresql", "ALTER TABLE IF EXISTS ONLY a DROP COLUMN IF EXISTS b CASCADE", [("drop_column", "a.b", {})]),
    ("sqlite", "ALTER TABLE a DROP b", [("drop_column", "a.b", {})]),
    ("postgresql", "ALTER TABLE a ALTER b DROP NOT NULL, ALTER COLUMN c SET NOT NULL", [
        ("drop_not_null", "a.b", {}), ("set_not_null", "a.c", {}),
    ]),
    ("postgresql", "ALTER TABLE a ALTER b SET DEFAULT 1, ALTER b DROP DEFAULT", [
        ("change_default", "a.b", {}), ("change_default", "a.b", {}),
    ]),
    ("postgresql", "ALTER TABLE a ALTER b SET STATISTICS 100, ALTER b SET STORAGE MAIN", []),
    ("postgresql", "ALTER TABLE a ALTER b DROP EXPRESSION", [("change_computed", "a.b", {})]),
    ("postgresql", "ALTER TABLE a ALTER b ADD GENERATED ALWAYS AS IDENTITY", [("change_identity", "a.b", {})]),
    ("postgresql", "ALTER TABLE a DISABLE TRIGGER ALL", OPAQUE),
    ("postgresql", "ALTER TABLE a OWNER TO somebody", []),
    ("mysql", "ALTER TABLE a MODIFY b int NOT NULL", [("change_type", "a.b", {}), ("set_not_null", "a.b", {})]),
    ("mysql", "ALTER TABLE a CHANGE b c int", [("rename_column", "a.b", {}), ("change_type", "a.c", {})]),
    ("mysql", "ALTER TABLE a ENGINE = MyISAM", [("change_table_options", "a", {})]),
    ("mysql", "ALTER TABLE a DROP PRIMARY KEY, DROP FOREIGN KEY fk, DROP INDEX ix", [
        ("drop_primary_key", "a", {}), ("drop_foreign_key", "a.fk", {}), ("drop_index", "a.ix", {}),
    ]),
    ("mysql", "ALTER TABLE a ADD INDEX ix (b), ADD UNIQUE KEY uq (c), ADD (d int, e int)", [
        ("create_index", "a.ix", {}), ("add_unique", "a.uq", {}), ("add_column", "a.d", {}), ("add_column", "a.e", {}),
    ]),
    ("postgresql", "ALTER TABLE a DROP CONSTRAINT ck", [("drop_check", "a.ck", {})]),
    ("postgresql", "ALTER TABLE a VALIDATE CONSTRAINT fk", [("validate_constraint", "a.fk", {})]),
    ("postgresql", "ALTER TABLE a ADD CONSTRAINT x EXCLUDE USING gist (b WITH &&)", [("add_exclusion", "a.x", {})]),
    ("postgresql", "ALTER TYPE mood ADD VALUE 'sad' BEFORE 'glad'", [("add_enum_label", "mood.sad", {})]),
    ("postgresql", "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", [("rename_enum_label", "mood.sad", {})]),
    ("postgresql", "ALTER TYPE mood OWNER TO somebody", OPAQUE),
    ("postgresql", "ALTER SCHEMA a RENAME TO b", [("rename_schema", "a", {})]),
    ("postgresql", "CREATE SCHEMA IF NOT EXISTS a; CREATE SEQUENCE b; CREATE TYPE c AS ENUM ('d')", [
        ("create_schema", "a", {}), ("create_sequence", "b", {}), ("create_type", "c", {}),
    ]),
    ("postgresql", "SELECT 'a; DROP TABLE b", OPAQUE),
    ("postgresql", "/* DROP TABLE b", OPAQUE),
    ("mongodb", "DROP TABLE b", OPAQUE),
    ("postgresql", " ;; ", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"), [pytest.param(*each, id=f"{each[0]}: {each[1][:60]}") for each in TABLE]
)
def test_reads(dialect: Dialect, sql: str, expected: list[Read]) -> None:
    assert read(dialect, sql) == expected


INDEX = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON ONLY a USING gin (lower(b), c) INCLUDE (d) WHERE e > 1"
FOREIGN_KEY = (
    "ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (b, c) REFERENCES d (e, f) MATCH FULL"
    " ON UPDATE CASCADE ON DELETE SET NULL NOT VALID"
)
FACTS: list[tuple[Dialect, str, dict[str, Any]]] = [
    ("postgresql", INDEX, {"unique": True, "concurrently": True, "if_exists": True, "method": "gin",
                      "columns": ("lower(b)", "c"), "include": ("d",), "where": "e > 1"}),
    ("mysql", "CREATE INDEX ix ON a (b) ALGORITHM=INPLACE LOCK = SHARED",
     {"unique": False, "concurrently": False, "if_exists": False, "columns": ("b",), "algorithm": "shared"}),
    ("postgresql", FOREIGN_KEY,
     {"constraint_name": "fk", "columns": ("b", "c"), "references": "d", "referred_columns": ("e", "f"),
      "on_delete": "SET NULL", "on_update": "CASCADE", "validated_later": True}),
    ("postgresql", "ALTER TABLE a ADD CONSTRAINT uq UNIQUE USING INDEX ix",
     {"constraint_name": "uq", "using_index": True}),
    ("postgresql", "ALTER TABLE a ADD CHECK (b > (1)) NOT VALID",
     {"constraint_name": None, "expression": "b > (1)", "validated_later": True}),
    ("postgresql", "ALTER TABLE a ADD COLUMN b varchar(20) NOT NULL DEFAULT 'x'::varchar(20) UNIQUE CHECK (b <> '')",
     {"type_after": "varchar(20)", "nullable": False, "default": "'x'::varchar(20)", "volatile_default": False,
      "identity": False, "inline_unique": True, "inline_check": True, "expression": "b <> ''", "if_exists": False}),
    ("postgresql", "ALTER TABLE a ADD b uuid DEFAULT gen_random_uuid()",
     {"type_after": "uuid", "nullable": True, "default": "gen_random_uuid()", "volatile_default": True,
      "identity": False, "if_exists": False}),
    ("postgresql", "ALTER TABLE a ADD b timestamptz DEFAULT now()",
     {"type_after": "timestamptz", "nullable": True, "default": "now()", "volatile_default": False,
      "identity": False, "if_exists": False}),
    ("postgresql", "ALTER TABLE a ADD b int GENERATED ALWAYS AS (c + 1) STORED",
     {"type_after": "int", "nullable": True, "default": None, "identity": False, "computed": "stored",
      "expression": "c + 1", "if_exists": False}),
    ("postgresql", "ALTER TABLE a ADD b bigint GENERATED BY DEFAULT AS IDENTITY",
     {"type_after": "bigint", "nullable": False, "default": None, "identity": True, "if_exists": False}),
    ("postgresql", "ALTER TABLE a ADD b int DEFAULT NULL REFERENCES c ON DELETE SET DEFAULT",
     {"type_after": "int", "nullable": True, "default": None, "identity": False, "inline_references": True,
      "references": "c", "if_exists": False}),
    ("mysql", "ALTER TABLE a ADD b int DEFAULT (1 + 1) COMMENT 'x' AFTER c, ALGORITHM=COPY",
     {"type_after": "int", "nullable": True, "default": "(1 + 1)", "volatile_default": True, "identity": False,
      "if_exists": False, "algorithm": "copy"}),
    ("postgresql", "ALTER TABLE a ALTER b TYPE numeric(5, 2) USING b::numeric", {"type_after": "numeric(5, 2)"}),
    ("mysql", "CREATE OR REPLACE TABLE a (b int REFERENCES c (d), CONSTRAINT e PRIMARY KEY (b), f varchar(9) NOT NULL)",
     {"if_exists": False, "replaces": True, "columns": ("b", "f"), "column_types": ("int", "varchar(9)"),
      "inline_references": True}),
    ("postgresql", "DROP TABLE IF EXISTS a CASCADE", {"if_exists": True, "cascade": True}),
    ("postgresql", "UPDATE a SET b = 0, c = d, e = NULL WHERE b IS NULL", {"columns": ("b",)}),
    ("postgresql", "UPDATE a SET b = 0, c = 'x', e = NULL, f = now()", {"columns": ("b", "c", "f")}),
    ("postgresql", "UPDATE a SET b = 0 WHERE b IS NULL AND c = 1", {"columns": ()}),
    ("postgresql", "UPDATE a SET b = 0 FROM c", {"columns": ()}),
    ("mysql", "UPDATE a SET b = 0 LIMIT 10", {"columns": ()}),
    ("postgresql", "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", {"command": "insert", "if_exists": True}),
    ("postgresql", "INSERT INTO a VALUES (1)", {"command": "insert", "if_exists": False}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "sql", "facts"), [pytest.param(*each, id=f"{each[0]}: {each[1][:60]}") for each in FACTS]
)
def test_reads_the_circumstances(dialect: Dialect, sql: str, facts: dict[str, Any]) -> None:
    [found] = changes_in(sql, dialect)

    assert found.facts == {**facts, "statement": sql}


def test_each_change_has_the_text_of_its_own_statement() -> None:
    found = changes_in("-- first\nDROP TABLE a;\nALTER TABLE b DROP c, DROP d ;", "postgresql")

    assert [each.facts.get("statement") for each in found] == [
        "DROP TABLE a",
        *["ALTER TABLE b DROP c, DROP d"] * 2,
    ]


def test_takes_over_what_the_author_says_of_the_step() -> None:
    step = Change(
        kind=ChangeKind.RUN_SQL,
        name="tidy",
        facts=Facts(statement="DROP TABLE a; CALL x()", reversible=True, declared_risk="caution"),
    )

    found = list(expanded([step], "postgresql"))

    assert [(each.kind, each.object, each.facts.get("declared_risk")) for each in found] == [
        (ChangeKind.DROP_TABLE, "a", "caution"),
        (ChangeKind.RUN_SQL, "tidy", "caution"),
    ]
    assert list(expanded(found, "postgresql")) == found


DIALECT = st.sampled_from(get_args(Dialect))
STATEMENTS = st.sampled_from([(dialect, sql) for dialect, sql, _ in TABLE if dialect == "postgresql"])


@given(DIALECT, st.text(max_size=60))
@settings(deadline=None, max_examples=150)
def test_any_text_can_be_read(dialect: Dialect, text: str) -> None:
    for each in changes_in(text, dialect):
        assert each.facts.get("statement", "") in text


WORDS = (
    "NOT NULL ALTER TABLE COLUMN ADD DROP SET TYPE USING CREATE INDEX ON IF EXISTS CONSTRAINT CHECK UNIQUE PRIMARY KEY"
    " FOREIGN REFERENCES UPDATE DELETE FROM WHERE DEFAULT INSERT INTO VALUES RENAME TO VALIDATE TRUNCATE GENERATED AS"
    " MODIFY REINDEX LOCK ( ) ; , . = ' \" ` [ ] $$ -- /* */ 1 a b"
)
PIECES = st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=12)


@given(DIALECT, PIECES)
@settings(deadline=None, max_examples=400)
def test_any_sequence_of_words_can_be_read(dialect: Dialect, pieces: list[str]) -> None:
    text = " ".join(pieces)

    assert all(isinstance(each, Change) for each in changes_in(text, dialect))


@given(st.lists(STATEMENTS, max_size=4), st.sampled_from([";", " ;\n", ";/* x; */", ";-- y;\n"]))
@settings(deadline=None, max_examples=100)
def test_a_script_does_what_its_statements_do(statements: list[tuple[Dialect, str]], between: str) -> None:
    whole = [sql for _, sql in statements if "'a; DROP" not in sql and "/* DROP" not in sql]

    together = changes_in(between.join(whole), "postgresql")

    assert together == [each for sql in whole for each in changes_in(sql, "postgresql")]


@given(
    DIALECT.filter(lambda each: each != "mongodb"),
    st.sampled_from(["", " ", "\n", "/* a */", "-- b\n", ";", "SELECT 1;", "SELECT '--';", "SELECT '/*';"]),
    st.sampled_from(["drop table t", "DROP\nTABLE/**/t", "Drop Table If Exists t"]),
)
@settings(deadline=None, max_examples=60)
def test_a_deletion_is_found_wherever_it_stands(dialect: Dialect, before: str, deletion: str) -> None:
    assert [(each.kind, each.table) for each in changes_in(before + deletion, dialect)] == [
        (ChangeKind.DROP_TABLE, "t")
    ]
