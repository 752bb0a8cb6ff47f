"""What a script does, recorded without a database."""

import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations.ops import AlterColumnOp, CreateTableOp, ExecuteSQLOp
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.infrastructure.migrations.relational.operations import CreateEnumOp, DropEnumOp
from fastapi_easy.infrastructure.migrations.scripts.describing.spelling import Spelling
from fastapi_easy.infrastructure.migrations.scripts.operations_of import asked_in
from fastapi_easy.infrastructure.migrations.scripts.recording import record
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal

POSTGRES, MYSQL, SQLITE = postgresql.dialect(), mysql.dialect(), sqlite.dialect()


def recorded(body, dialect=POSTGRES):
    names = {"op": op, "sa": sa, "postgresql": postgresql}
    text = "def upgrade():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")
    exec(compile(text, "/somewhere/a1_isbn.py", "exec"), names)  # noqa: S102 (a script of a test)
    return record(names["upgrade"], Path("a1_isbn.py"), dialect)


def operations(body, dialect=POSTGRES):
    return [each.operation for each in recorded(body, dialect)]


def statements(body, dialect=POSTGRES):
    return [each.sqltext for each in operations(body, dialect) if isinstance(each, ExecuteSQLOp)]


def changes(body, dialect=POSTGRES):
    return [each.detected.change for each in asked_in(recorded(body, dialect), Spelling(dialect), set())]


def kinds(body, dialect=POSTGRES):
    return [(each.kind, each.object) for each in changes(body, dialect)]


def test_the_line_of_each_operation_is_known():
    found = recorded("op.drop_table('a')\n\nfor name in 'bc':\n    op.drop_table(name)")

    assert [(each.operation.table_name, each.line) for each in found] == [("a", 2), ("b", 5), ("c", 5)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "op.execute('DELETE FROM a; DELETE FROM b;')", ["DELETE FROM a", "DELETE FROM b"], id="two"
        ),
        pytest.param("op.execute(\"SELECT ';'\")", ["SELECT ';'"], id="semicolon in a literal"),
        pytest.param(
            'op.execute("CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql")',
            ["CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql"],
            id="function",
        ),
        pytest.param(
            r"op.execute('SELECT \'5%\', \'10\\:30\'')", ["SELECT '5%', '10:30'"], id="percent and colon"
        ),
        pytest.param(
            """op.execute('INSERT INTO a VALUES (\\'{"b":true}\\')')""",
            ["INSERT INTO a VALUES ('{\"b\":true}')"],
            id="a colon that is no parameter",
        ),
        pytest.param(
            "op.execute(sa.text('DELETE FROM a WHERE b = :b').bindparams(b='it''s'))",
            ["DELETE FROM a WHERE b = 'its'"],
            id="parameters",
        ),
        pytest.param(
            "op.bulk_insert(sa.table('a', sa.column('b', sa.String)), [{'b': 'x'}, {'b': 'it\\'s'}])",
            ["INSERT INTO a (b) VALUES ('x')", "INSERT INTO a (b) VALUES ('it''s')"],
            id="rows",
        ),
        pytest.param(
            "op.get_bind().execute(sa.text('DELETE FROM a'))", ["DELETE FROM a"], id="through the connection"
        ),
        pytest.param(
            "if op.get_bind().dialect.name == 'postgresql':\n    op.execute('SELECT 1')",
            ["SELECT 1"],
            id="dialect",
        ),
    ],
)
def test_statements_are_written_out_one_each(body, expected):
    assert statements(body) == expected


def test_statements_in_an_autocommit_block_are_executed_without_a_transaction():
    (found,) = operations("with op.get_context().autocommit_block():\n    op.execute('VACUUM')")

    assert found.execution_options == {"isolation_level": "AUTOCOMMIT"}


def test_operations_of_a_batch_are_those_of_the_table():
    body = """
        with op.batch_alter_table('books') as batch:
            batch.drop_column('a')
            batch.drop_constraint('u', type_='unique')
    """

    assert kinds(body, SQLITE) == [(ChangeKind.DROP_COLUMN, "books.a"), (ChangeKind.DROP_UNIQUE, "books.u")]


def test_enumerations_are_operations_of_their_own():
    body = """
        kind = postgresql.ENUM('a', 'b', name='kind')
        kind.create(op.get_bind(), checkfirst=True)
        kind.drop(op.get_bind())
    """

    created, dropped = operations(body)

    assert (type(created), created.name, created.labels) == (CreateEnumOp, "kind", ("a", "b"))
    assert (type(dropped), dropped.name, dropped.labels) == (DropEnumOp, "kind", ("a", "b"))


def test_a_table_brings_its_indexes_and_a_column_its_rules():
    body = """
        op.create_table('a', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('b', sa.Text(), index=True))
        op.add_column('a', sa.Column('c', sa.Integer(), sa.ForeignKey('d.id'), unique=True, index=False))
    """

    found = changes(body)

    assert [each.kind for each in found] == [
        ChangeKind.CREATE_TABLE,
        ChangeKind.CREATE_INDEX,
        ChangeKind.ADD_COLUMN,
        ChangeKind.ADD_FOREIGN_KEY,
        ChangeKind.ADD_UNIQUE,
    ]
    assert {each.facts["new_table"] for each in found} == {True}


def test_an_alteration_of_several_things_is_several_changes():
    body = """
        op.alter_column('a', 'b', new_column_name='c', type_=sa.BigInteger(), existing_type=sa.Integer(),
                        nullable=False, server_default='0', comment='count')
    """

    assert kinds(body) == [
        (ChangeKind.RENAME_COLUMN, "a.b"),
        (ChangeKind.CHANGE_TYPE, "a.c"),
        (ChangeKind.CHANGE_DEFAULT, "a.c"),
        (ChangeKind.SET_NOT_NULL, "a.c"),
        (ChangeKind.CHANGE_COMMENT, "a.c"),
    ]
    altered = [each for each in operations(body, MYSQL) if isinstance(each, AlterColumnOp)]
    assert len(altered) == 1


def test_rules_get_the_facts_that_they_ask_for():
    body = """
        op.add_column('a', sa.Column('b', sa.Integer(), nullable=False))
        op.alter_column('a', 'c', type_=sa.String(20), existing_type=sa.String(50))
        op.create_index('i', 'a', ['b'], unique=True, postgresql_where=sa.text('b > 0'), postgresql_concurrently=True)
        op.create_foreign_key('f', 'a', 'd', ['b'], ['id'], ondelete='CASCADE')
        op.create_check_constraint('k', 'a', sa.text('b > 0'))
    """

    added, changed, index, reference, check = (each.facts for each in changes(body))

    assert (added["type_after"], added["nullable"], added["default"]) == ("INTEGER", False, None)
    assert (changed["type_before"], changed["type_after"], changed["rewrites"]) == (
        "VARCHAR(50)",
        "VARCHAR(20)",
        True,
    )
    assert (index["columns"], index["unique"], index["where"], index["concurrently"]) == (
        ("b",),
        True,
        "b > 0",
        True,
    )
    assert (reference["references"], reference["on_delete"]) == ("d", "CASCADE")
    assert (check["expression"], check["constraint_name"]) == ("b > 0", "k")


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        pytest.param(
            "x = 1\nrows = op.get_bind().execute(sa.text('SELECT 1')).fetchall()",
            3,
            "NoneType",
            id="reads rows",
        ),
        pytest.param("sa.inspect(op.get_bind())", 2, "without a database", id="inspects"),
        pytest.param("op.run_async(print)", 2, "talks to the database itself", id="asynchronous"),
        pytest.param("raise RuntimeError('no')", 2, "RuntimeError: no", id="raises"),
        pytest.param(
            "op.get_bind().execute(sa.text('DELETE FROM a WHERE b = :b'), {'b': 1})",
            2,
            "parameters apart from it",
            id="parameters apart",
        ),
        pytest.param(
            "op.execute(sa.text('DELETE FROM a WHERE b = :b'))", 2, "without a value: b", id="no value"
        ),
        pytest.param(
            "raise NotImplementedError('nothing undoes this')", 2, "nothing undoes this", id="no way back"
        ),
    ],
)
def test_what_only_a_database_can_answer_is_refused_with_its_line(body, line, said):
    with pytest.raises(ScriptRefusal, match=said) as refused:
        recorded(body)

    assert str(refused.value).startswith(f"a1_isbn.py, line {line}: ")


def test_alembic_is_free_again_afterwards():
    recorded("op.drop_table('a')")

    with pytest.raises((NameError, AttributeError)):
        op.drop_table("a")


def test_a_created_table_can_be_filled_at_once():
    body = """
        made = op.create_table('a', sa.Column('b', sa.Text()))
        op.bulk_insert(made, [{'b': 'x'}])
    """

    assert [type(each) for each in operations(body)] == [CreateTableOp, ExecuteSQLOp]
