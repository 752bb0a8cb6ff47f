"""CREATE TABLE statements are read, and printed as they were written."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition import edits
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import (
    parse_column,
    parse_constraint,
    parse_table,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    normal_form,
    quote,
    split_tokens,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal

WORDS = st.sampled_from(
    ["a", "Title", "order", "key", "größe", "x$1", "desc", "generated", "type name", 'q"q', "]"]
)
GAPS = st.sampled_from([" ", "\n\t", " /* , ) ( ' */ ", " -- it's (\n", "  "])
EXPRESSIONS = st.sampled_from(
    [
        "1",
        "a > ')' ",
        "coalesce(1, (2))",
        "'it''s, (' <> \"b,\"",
        "x'00' IS NOT NULL",
        "1 -- )\n + 2",
        "[a,] + 1",
    ]
)
CONFLICTS = st.sampled_from(["", " ON CONFLICT REPLACE", " on conflict Abort"])
ACTIONS = st.lists(
    st.sampled_from(
        ["ON DELETE SET NULL", "on update CASCADE", "ON DELETE NO ACTION", "MATCH FULL", "ON DELETE RESTRICT"]
    ),
    max_size=2,
)
DEFERRED = st.sampled_from(
    ["", " DEFERRABLE", " NOT DEFERRABLE INITIALLY IMMEDIATE", " DEFERRABLE INITIALLY DEFERRED"]
)
TYPES = st.sampled_from(
    ["", "INTEGER", "VARCHAR(20)", "NUMERIC(10, -2)", '"quoted type"', "double precision"]
)
DEFAULTS = st.sampled_from(
    ["5", "-5", "+1.5e3", "'it''s'", "NULL", "CURRENT_TIMESTAMP", "(1 + (2))", "x'ff'", "true", "abc"]
)


def spelled(draw: st.DrawFn, name: str) -> str:
    quotings = [quote(name), "`" + name.replace("`", "``") + "`"]
    if "]" not in name:
        quotings.append(f"[{name}]")
    if name in {"a", "Title", "größe", "x$1"}:
        quotings.append(name)
    return draw(st.sampled_from(quotings))


@st.composite
def names(draw: st.DrawFn) -> str:
    return spelled(draw, draw(WORDS))


@st.composite
def references(draw: st.DrawFn) -> str:
    columns = draw(st.sampled_from(["", "(id)", ' ( "id" )']))
    return f"REFERENCES {draw(names())}{columns} {' '.join(draw(ACTIONS))}{draw(DEFERRED)}"


@st.composite
def clauses(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["", 'CONSTRAINT "c n" ', "constraint c "]))
    return name + draw(
        st.one_of(
            st.builds("NOT NULL{}".format, CONFLICTS),
            st.builds("UNIQUE{}".format, CONFLICTS),
            st.builds("CHECK ({})".format, EXPRESSIONS),
            st.builds("DEFAULT {}".format, DEFAULTS),
            st.builds("COLLATE {}".format, st.sampled_from(["NOCASE", '"rtrim"'])),
            references(),
        )
    )


@st.composite
def columns(draw: st.DrawFn, name: str) -> str:
    parts = [spelled(draw, name), draw(TYPES), *draw(st.lists(clauses(), max_size=3))]
    return draw(GAPS).join(part for part in parts if part)


@st.composite
def constraints(draw: st.DrawFn, column: str) -> str:
    name = draw(st.sampled_from(["", 'CONSTRAINT "t n" ', "constraint t "]))
    return name + draw(
        st.one_of(
            st.builds("UNIQUE ({}){}".format, st.just(quote(column)), CONFLICTS),
            st.builds("CHECK ({}){}".format, EXPRESSIONS, CONFLICTS),
            st.builds("FOREIGN KEY ({}) {}".format, st.just(quote(column)), references()),
        )
    )


@st.composite
def tables(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(WORDS, min_size=1, max_size=4, unique_by=str.lower))
    items = [draw(columns(each)) for each in chosen]
    items += draw(st.lists(constraints(chosen[0]), max_size=3))
    gap = draw(GAPS)
    return f"CREATE TABLE {draw(names())}{draw(GAPS)}({f'{gap},{gap}'.join(items)}{gap})"


def accepted(text: str) -> bool:
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(text)
        except sqlite3.Error:
            return False
    return True


def columns_in_sqlite(text: str) -> list[tuple[str, str, int, str | None]]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(text)
        ((name,),) = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = database.execute(f"PRAGMA table_xinfo({quote(name)})").fetchall()
    return [(row[1], row[2], row[3], row[4]) for row in rows]


@settings(deadline=None, max_examples=60)
@given(tables())
def test_prints_what_it_has_read(text):
    assert parse_table(text).text == text


@settings(deadline=None, max_examples=60)
@given(tables().filter(accepted))
def test_reads_what_sqlite_reads(text):
    found = [
        (
            each.name,
            " ".join(part.strip("\"'") for part in each.type.split(" ")),
            each.clause("not null") is not None,
        )
        for each in parse_table(text).columns
    ]

    stored = columns_in_sqlite(text)
    assert [(name, not_null) for name, _, not_null in found] == [(row[0], bool(row[2])) for row in stored]
    assert [normal_form(kind) for _, kind, _ in found] == [normal_form(row[1]) for row in stored]


@settings(deadline=None, max_examples=60)
@given(tables().filter(accepted), st.data())
def test_what_is_edited_is_still_a_table_of_the_other_columns(text, data):
    table = parse_table(text)
    dropped = data.draw(st.sampled_from(table.columns))

    edited = edits.add_column(table, '"new one" INTEGER DEFAULT 7')
    for _, each in list(edited.constraints()):
        edited = edits.drop_constraint(edited, each)
    edited = edits.drop_column(edited, dropped.name)
    edited = edits.add_constraint(edited, 'CHECK ("new one" > 0)')

    left = [each.name for each in table.columns if each.name != dropped.name]
    assert parse_table(edited.text).text == edited.text
    assert [row[0] for row in columns_in_sqlite(edited.text)] == [*left, "new one"]


@settings(deadline=None, max_examples=40)
@given(tables())
def test_tokens_are_the_text(text):
    assert "".join(each.text for each in split_tokens(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("CREATE VIRTUAL TABLE t USING fts5(a)", id="virtual"),
        pytest.param("CREATE TABLE t AS SELECT 1", id="of a query"),
        pytest.param("CREATE TABLE t (a", id="cut off"),
        pytest.param("CREATE TABLE t (a CHECK (1)", id="open parenthesis"),
        pytest.param("CREATE TABLE t (a 'open)", id="open quote"),
        pytest.param("CREATE TABLE t (a INT PRIMARY BALL)", id="unknown clause"),
        pytest.param("CREATE TABLE t (a) NONSENSE", id="unknown option"),
        pytest.param("", id="nothing"),
    ],
)
def test_refuses_what_it_does_not_understand(text):
    with pytest.raises(SqliteRefusal):
        parse_table(text)


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("a INT /* why */ NOT NULL", lambda c: edits.set_nullable(c, True), "a INT /* why */ "),
        ("a INT NULL", lambda c: edits.set_nullable(c, False), "a INT NOT NULL"),
        ("a INT NOT NULL", lambda c: edits.set_nullable(c, False), "a INT NOT NULL"),
        ("a DEFAULT 5 CHECK (a > 0)", lambda c: edits.set_default(c, "'x'"), "a DEFAULT 'x' CHECK (a > 0)"),
        ("a DEFAULT 5 CHECK (a > 0)", lambda c: edits.set_default(c, None), "a CHECK (a > 0)"),
        ("a", lambda c: edits.set_type(c, "VARCHAR(5)"), "a VARCHAR(5)"),
        ("a INT COLLATE nocase", lambda c: edits.set_type(c, "TEXT"), "a TEXT COLLATE nocase"),
        (
            "a INT COLLATE nocase",
            lambda c: edits.set_type(c, 'TEXT COLLATE "rtrim"'),
            'a TEXT COLLATE "rtrim"',
        ),
        ("a INT DEFAULT 5", lambda c: edits.set_computed(c, "AS (1)"), "a INT AS (1)"),
        ("a AS (1) STORED NOT NULL", lambda c: edits.set_computed(c, None), "a NOT NULL"),
    ],
)
def test_edits_one_clause(before, edit, after):
    assert edit(parse_column(before)).text == after


@pytest.mark.parametrize(
    ("dropped", "left"),
    [
        ("a", "CREATE TABLE t (\n b INT, -- of b\n c INT -- of c\n)"),
        ("b", "CREATE TABLE t (\n a INT, -- of a\n c INT -- of c\n)"),
        ("c", "CREATE TABLE t (\n a INT, -- of a\n b INT -- of b\n )"),
    ],
)
def test_comments_of_other_columns_stay(dropped, left):
    table = parse_table("CREATE TABLE t (\n a INT, -- of a\n b INT, -- of b\n c INT -- of c\n)")

    assert edits.drop_column(table, dropped).text == left


def test_reads_what_a_constraint_is_about():
    found = parse_constraint(
        'CONSTRAINT "n" FOREIGN KEY (a, [b c]) REFERENCES `p` (x, "y") ON DELETE SET NULL'
    )

    assert (found.kind, found.name, found.columns, found.references, found.referred) == (
        "references",
        "n",
        ("a", "b c"),
        "p",
        ("x", "y"),
    )
