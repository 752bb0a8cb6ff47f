"""Each edit of a schema is detected, on each server, and nothing else; and carrying it out leaves no difference."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, MetaData

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from tests.e2e.carrying_out import carry_out, clear
from tests.e2e.column_edits import COLUMN_EDITS
from tests.e2e.rule_edits import RULE_EDITS
from tests.e2e.schema_edits import ALL, Edit, shop
from tests.e2e.scratch_engines import ScratchEngines
from tests.thorough import one_in

CASES = [
    pytest.param(server, edit, id=f"{server}-{name}")
    for server in ALL
    for name, edit in (COLUMN_EDITS | RULE_EDITS).items()
    if server in edit.on
]


@pytest.fixture(scope="module")
def databases() -> Iterator[ScratchEngines]:
    """A database on each server."""
    with ExitStack() as opened:
        yield ScratchEngines(opened)


def find(connection: Connection, metadata: MetaData, hints: Hints | None = None) -> list[Detected]:
    """What is detected of *metadata*, in a database whose tables are all ours."""
    declared = DeclaredTables(metadata=metadata)
    return detect(connection, declared, hints or Hints(), ["author", "book", "visit", "genre", "hen", "egg"])


@pytest.mark.parametrize(("name", "edit"), one_in(2, CASES))
def test_detects_each_edit_and_nothing_else(databases: ScratchEngines, name: str, edit: Edit) -> None:
    before, after = shop(), shop()
    edit.before(before)
    edit.edit(after)
    with databases[name].connect() as connection:
        clear(connection)
        before.create_all(connection)
        connection.commit()

        found = find(connection, after)

        assert [(str(each.change.kind), each.change.object) for each in found] == edit.expected(name)
        carry_out(connection, found, after)
        assert find(connection, after) == []
