"""Cases about rows of system tables that a unit of work writes."""

import uuid
from typing import Final

import pytest
from returns.result import Failure

from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, value_of

TABLE: Final = SystemTable(
    name="fe_conformance",
    fields=(
        Field(name="id", kind=Kind.UUID),
        Field(name="number", kind=Kind.INTEGER, nullable=True),
        Field(name="is_true", kind=Kind.BOOLEAN, nullable=True),
        Field(name="text", kind=Kind.TEXT, nullable=True),
        Field(name="document", kind=Kind.JSON, nullable=True),
    ),
    key=("id",),
)


class SystemRowCases(Suite):
    """Cases about `UnitOfWork.keep`, as a part of `UnitOfWorkConformance`."""

    async def test_rows_become_durable_with_the_change(self, store: Store) -> None:
        await require_system_table(store)
        row = new_row(number=2**62, is_true=True, text="é\U0001f600 'x'", document={"a": [1, None, "b"]})
        async with store.unit_of_work() as work:
            _ = await add_one(work.repository("notes"), title="a")
            _ = value_of(await work.keep([row, new_row(), new_row()]))
            inside = await found(store, row)
            _ = value_of(await work.commit())

        assert inside is None
        kept = await found(store, row)
        assert kept is not None
        assert {**kept, "id": row.values["id"]} == row.values

    async def test_rows_are_discarded_with_the_change(self, store: Store) -> None:
        await require_system_table(store)
        row = new_row()
        async with store.unit_of_work() as work:
            _ = await add_one(work.repository("notes"), title="a")
            _ = value_of(await work.keep([row]))

        assert await found(store, row) is None

    async def test_nothing_but_rows_commits(self, store: Store) -> None:
        await require_system_table(store)
        row = new_row()
        async with store.unit_of_work() as work:
            _ = value_of(await work.keep([row]))
            _ = value_of(await work.commit())

        assert await found(store, row) is not None

    async def test_rows_stay_when_a_write_after_them_is_refused(self, store: Store) -> None:
        await require_system_table(store)
        taken = await add_one(store.notes, title="taken")
        row = new_row()
        async with store.unit_of_work() as work:
            _ = value_of(await work.keep([row]))
            refused = await work.repository("notes").add({"id": taken.id, "title": "again"})
            _ = value_of(await work.commit())

        assert isinstance(refused, Failure)
        assert isinstance(refused.failure(), AlreadyExists)
        assert await found(store, row) is not None

    async def test_the_next_transaction_begins_without_rows(self, store: Store) -> None:
        await require_system_table(store)
        first, second = new_row(), new_row()
        async with store.unit_of_work() as work:
            _ = value_of(await work.keep([first]))
            _ = value_of(await work.commit())
            _ = value_of(await work.keep([second]))

        assert (await found(store, first) is None, await found(store, second) is None) == (False, True)


async def require_system_table(store: Store) -> None:
    """Create the system table; skip the test if the store cannot have one."""
    if store.read_system_rows is None:
        pytest.skip("the store keeps no rows of the system's own tables")
    _ = await store.read_system_rows(TABLE)


def new_row(**values: object) -> JournalRow:
    """Return a row that no other test has."""
    nothing = dict.fromkeys(field.name for field in TABLE.fields)
    return JournalRow(TABLE, {**nothing, "id": uuid.uuid4(), **values})


async def found(store: Store, row: JournalRow) -> dict[str, object] | None:
    """Return the stored row, or `None`."""
    assert store.read_system_rows is not None
    kept = await store.read_system_rows(TABLE)
    return next((dict(each) for each in kept if str(each["id"]) == str(row.values["id"])), None)
