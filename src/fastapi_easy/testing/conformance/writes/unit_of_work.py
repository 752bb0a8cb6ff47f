"""The conformance suite of `UnitOfWork`."""

import asyncio
import dataclasses
import datetime
import uuid
from typing import Any, Final

import pytest
import pytest_asyncio
from returns.result import Failure, Success

from fastapi_easy.domain.changes.events import EntityCreated
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, DeclarationError, NotFound
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.store import Store, add_one, add_titles, titles, value_of
from fastapi_easy.testing.conformance.writes.exclusive_use import ExclusiveUseCases
from fastapi_easy.testing.conformance.writes.journal_rows import SystemRowCases

CREATED: Final = EntityCreated(
    resource="notes",
    key=1,
    values={"title": "a"},
    occurred_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
)


class _Interrupted(Exception):
    pass


class UnitOfWorkConformance(SystemRowCases, ExclusiveUseCases):
    """The conformance suite of a unit of work. Subclass, and override the fixture `store`."""

    @pytest_asyncio.fixture(autouse=True)
    async def _only_where_there_are_transactions(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)

    async def test_uncommitted_writes_are_seen_inside_and_nowhere_else(self, store: Store) -> None:
        kept = await add_one(store.notes, title="kept")
        changed = await add_one(store.notes, title="changed")
        removed = await add_one(store.notes, title="removed")

        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            added = await add_one(notes, title="added")
            _ = value_of(await notes.update(changed.id, Patch({"title": "CHANGED"})))
            _ = value_of(await notes.remove(removed.id))
            inside = await _titles(notes)
            outside = await _titles(store.notes)

            assert value_of(await notes.read(added.id)) == added
            assert value_of(await work.entities("notes").find_by_id(changed.id)).title == "CHANGED"
            assert await notes.read(removed.id) == Failure(NotFound("notes", removed.id))
            assert await store.notes.read(added.id) == Failure(NotFound("notes", added.id))

        assert inside == ["kept", "CHANGED", "added"]
        assert outside == ["kept", "changed", "removed"]
        assert value_of(await store.notes.read(kept.id)) == kept

    async def test_every_way_of_reading_sees_the_writes_before_it(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            await add_title(notes, "a")
            page = value_of(await notes.select(Query(page=PageRequest(count=Count.EXACT))))
            found = value_of(await work.entities("notes").find_all(Query()))
            streamed = [row async for rows in notes.stream(Query(), chunk=1) for row in rows]
            affected = value_of(await notes.update_where(Everything(), Patch({"rank": 1}), max_affected=5))

            assert (titles(page.items), page.total) == (["a"], 1)
            assert titles(found.items) == ["a"]
            assert titles(streamed) == ["a"]
            assert affected == 1
            assert await notes.count(Where("rank", Operator.EQUALS, 1)) == Success(1)

    async def test_leaving_without_commit_discards_every_write(self, store: Store) -> None:
        row = await add_one(store.notes, title="before")

        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            await add_title(notes, "a")
            _ = value_of(await notes.update(row.id, Patch({"title": "changed"})))
            _ = value_of(await notes.add_all([{"title": "b"}, {"title": "c"}]))

        assert await _titles(store.notes) == ["before"]
        assert value_of(await store.notes.read(row.id)) == row

    async def test_leaving_by_an_exception_discards_every_write_and_lets_it_pass(self, store: Store) -> None:
        async def interrupted() -> None:
            async with store.unit_of_work() as work:
                await add_title(work.repository("notes"), "a")
                raise _Interrupted

        with pytest.raises(_Interrupted):
            await interrupted()

        assert await _titles(store.notes) == []

    async def test_leaving_by_cancellation_discards_every_write(self, store: Store) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def never_done() -> None:
            async with store.unit_of_work() as work:
                await add_title(work.repository("notes"), "a")
                written.set_result(None)
                _ = await asyncio.Event().wait()

        task = asyncio.ensure_future(never_done())
        await written
        _ = task.cancel()
        _ = await asyncio.wait([task])

        assert task.cancelled()
        assert await _titles(store.notes) == []

    async def test_units_of_work_given_up_anywhere_leave_the_store_usable(self, store: Store) -> None:
        async def work_on() -> None:
            async with store.unit_of_work() as work:
                notes = work.repository("notes")
                await add_title(notes, "a")
                _ = value_of(await notes.add_all([{"title": "b"} for _ in range(50)]))
                _ = value_of(await notes.count(Everything()))

        for moment in range(25):
            task = asyncio.ensure_future(work_on())
            _ = await asyncio.wait([task], timeout=moment * 0.0005)
            _ = task.cancel()
            _ = await asyncio.wait([task])

        assert await _titles(store.notes) == []
        assert type(await store.notes.add({"title": "c"})) is Success

    async def test_commit_makes_every_write_durable(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            await add_title(work.repository("notes"), "a")
            _ = await add_one(work.repository("tokens"), label="t")
            committed = await work.commit()

            assert await _titles(store.notes) == ["a"]

        assert committed == Success(None)
        assert await _titles(store.notes) == ["a"]
        assert await store.tokens.count(Everything()) == Success(1)

    async def test_what_follows_a_commit_begins_anew(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            await add_title(work.repository("notes"), "a")
            _ = value_of(await work.commit())
            await add_title(work.repository("notes"), "b")
            _ = value_of(await work.commit())
            await add_title(work.repository("notes"), "c")
            inside = await _titles(work.repository("notes"))

        assert inside == ["a", "b", "c"]
        assert await _titles(store.notes) == ["a", "b"]

    async def test_a_repository_stays_good_across_a_commit(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            await add_title(notes, "a")
            _ = value_of(await work.commit())
            await add_title(notes, "b")

        assert await _titles(store.notes) == ["a"]

    async def test_committing_nothing_succeeds(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            assert await work.commit() == Success(None)

    async def test_a_refused_write_leaves_the_others_as_they_were(self, store: Store) -> None:
        _ = await add_one(store.notes, title="before", code="taken")

        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            await add_title(notes, "a")
            refused = await notes.add({"title": "b", "code": "taken"})
            refused_many = await notes.add_all([{"title": "b"}, {"title": "b", "code": "taken"}])
            await add_title(notes, "c")
            committed = await work.commit()

        assert refused == refused_many == Failure(AlreadyExists("notes", ("code",)))
        assert committed == Success(None)
        assert await _titles(store.notes) == ["before", "a", "c"]

    async def test_unique_values_may_change_hands_inside(self, store: Store) -> None:
        first = await add_one(store.notes, title="a", code="x")
        second = await add_one(store.notes, title="b", code="y")

        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            _ = value_of(await notes.update(first.id, Patch({"code": None})))
            _ = value_of(await notes.update(second.id, Patch({"code": "x"})))
            _ = value_of(await notes.update(first.id, Patch({"code": "y"})))
            _ = value_of(await work.commit())

        assert value_of(await store.notes.read(first.id)).code == "y"
        assert value_of(await store.notes.read(second.id)).code == "x"

    async def test_an_entity_may_come_and_go_and_come_again_inside(self, store: Store) -> None:
        first, second = uuid.uuid4(), uuid.uuid4()

        async with store.unit_of_work() as work:
            tokens = work.repository("tokens")
            _ = await add_one(tokens, id=first, label="first")
            _ = value_of(await tokens.remove(first))
            _ = await add_one(tokens, id=first, label="second")
            _ = await add_one(tokens, id=second, label="b")
            _ = value_of(await tokens.remove(second))
            _ = value_of(await work.commit())

        assert value_of(await store.tokens.read(first)).label == "second"
        assert await store.tokens.count(Everything()) == Success(1)

    async def test_of_many_units_of_work_that_claim_a_value_one_commits(self, store: Store) -> None:
        async def claim() -> Any:
            async with store.unit_of_work() as work:
                added = await work.repository("notes").add({"title": "a", "code": "same"})
                await asyncio.sleep(0.01)
                return added if isinstance(added, Failure) else await work.commit()

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            tasks = [group.create_task(claim()) for _ in range(5)]
        outcomes = [task.result() for task in tasks]

        assert outcomes.count(Success(None)) == 1
        assert outcomes.count(Failure(AlreadyExists("notes", ("code",)))) == 4
        assert await _titles(store.notes) == ["a"]

    async def test_events_are_published_after_the_commit_and_in_their_order(self, store: Store) -> None:
        other = dataclasses.replace(CREATED, key=2)
        seen: list[list[str]] = []

        async def look(_: EntityCreated) -> None:
            seen.append(await _titles(store.notes))

        end = store.event_bus.subscribe(EntityCreated, look)
        async with store.unit_of_work() as work:
            await add_title(work.repository("notes"), "a")
            work.record(CREATED)
            work.record(other)
            before = list(store.event_bus.events)
            _ = value_of(await work.commit())
        end()

        assert before == []
        assert store.event_bus.events == [CREATED, other]
        assert seen == [["a"], ["a"]]

    async def test_events_are_published_once(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            work.record(CREATED)
            _ = value_of(await work.commit())
            _ = value_of(await work.commit())

        assert store.event_bus.events == [CREATED]

    async def test_events_are_there_to_be_looked_at_until_the_commit(self, store: Store) -> None:
        other = dataclasses.replace(CREATED, key=2)

        async with store.unit_of_work() as work:
            before = list(work.events)
            work.record(CREATED)
            work.record(other)
            recorded = list(work.events)
            _ = value_of(await work.commit())
            after = list(work.events)
            work.record(other)
            again = list(work.events)

        assert (before, recorded, after, again) == ([], [CREATED, other], [], [other])

    async def test_events_of_what_is_discarded_are_forgotten(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            await add_title(work.repository("notes"), "a")
            work.record(CREATED)

        async with store.unit_of_work() as work:
            _ = value_of(await work.commit())

        assert store.event_bus.events == []

    async def test_a_resource_is_asked_for_by_itself_or_by_name(self, store: Store) -> None:
        await add_titles(store, "a")

        async with store.unit_of_work() as work:
            assert await _titles(work.repository(store.resources["notes"])) == ["a"]
            assert await _titles(work.repository("notes")) == ["a"]

    async def test_a_resource_that_is_not_declared_is_refused(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            with pytest.raises(DeclarationError):
                _ = work.repository("nobody")

    async def test_a_resource_of_another_database_is_refused(self, store: Store) -> None:
        stranger = dataclasses.replace(store.resources["notes"], name="strangers", database="elsewhere")

        async with store.unit_of_work() as work:
            with pytest.raises(DeclarationError):
                _ = work.repository(stranger)

    async def test_beginning_takes_no_connection(self, store: Store) -> None:
        async def begin(others: int) -> None:
            async with store.unit_of_work():
                if others:
                    await begin(others - 1)

        async with asyncio.timeout(10):
            await begin(100)

    async def test_is_a_unit_of_work(self, store: Store) -> None:
        assert isinstance(store.unit_of_work(), UnitOfWork)


async def add_title(notes: Any, title: str) -> None:
    """Add one note to *notes*."""
    _ = await add_one(notes, title=title)


async def _titles(notes: Any) -> list[str]:
    return titles(value_of(await notes.select(Query(page=PageRequest(limit=100)))).items)
