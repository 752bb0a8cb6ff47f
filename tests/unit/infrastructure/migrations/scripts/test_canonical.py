"""The checksum of a script: the same for what executes the same."""

import pytest

from fastapi_easy.infrastructure.migrations.scripts.canonical import checksum_of
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal

SCRIPT = '''"""isbn

Create Date: 2026-11-30
"""
from alembic import op

revision = 'a1'


def upgrade():
    op.add_column('books', sa.Column('isbn', sa.String(13)))
'''


def checksum(text):
    return checksum_of(text, "a1_isbn.py")


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(SCRIPT.replace("'", '"'), id="quotes"),
        pytest.param(SCRIPT.replace("'books', ", "\n        'books',\n        "), id="line breaks"),
        pytest.param(SCRIPT.replace("(13)))", "(13),),)"), id="trailing commas"),
        pytest.param(SCRIPT.replace("2026", "2027"), id="docstring of the module"),
        pytest.param(SCRIPT.replace("e():\n", 'e():\n    """Upgrade."""\n'), id="docstring of a function"),
        pytest.param(f"{SCRIPT}\n# fe: allow DS103 a.b reason='x' until=2027-01-01\n", id="comments"),
    ],
)
def test_what_is_written_otherwise_is_the_same(same):
    assert same != SCRIPT
    assert checksum(same) == checksum(SCRIPT)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(SCRIPT.replace("13", "14"), id="number"),
        pytest.param(SCRIPT.replace("13", "'13'"), id="type of a value"),
        pytest.param(SCRIPT.replace("'a1'", "'a2'"), id="revision"),
        pytest.param(SCRIPT + "    op.drop_table('books')\n", id="another statement"),
        pytest.param(SCRIPT.replace("upgrade", "downgrade"), id="another function"),
    ],
)
def test_what_does_something_else_is_not(other):
    assert checksum(other) != checksum(SCRIPT)


def test_the_same_on_every_version_of_python():
    # Recorded in databases: when this has to change, every applied script seems to be edited.
    assert checksum("x = f'{1 + 2!r:>4}' if (y := [None, True, ...]) else b'\\0'") == (
        "e434bbb5d6fe26b337f44ec1f34b45736658a75ec7392ef4aaa554adbae6a98f"
    )


def test_what_is_no_python_is_refused_with_its_line():
    with pytest.raises(ScriptRefusal, match=r"a1_isbn.py cannot be read as Python: line 2: "):
        checksum("x = 1\ndef (")
