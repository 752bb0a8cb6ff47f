"""What every inbox promises."""

import asyncio
import uuid

import pytest
import pytest_asyncio

from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, run_concurrently, value_of


class InboxConformance(Suite):
    """The suite of `Inbox`: subclass it, and override `store`."""

    @pytest_asyncio.fixture
    async def inbox(self, store: Store) -> Inbox:
        """Return the inbox of the database under test, prepared."""
        make = technology_of(store.database).inbox
        if make is None:
            pytest.skip("the technology has no inbox")
        inbox = make(store.database)
        assert not value_of(await inbox.prepare())
        return inbox

    async def test_a_message_is_accepted_once_by_each_consumer(self, store: Store, inbox: Inbox) -> None:
        message = uuid.uuid4().hex

        first = [await _accept(store, inbox, message, consumer) for consumer in ("a", "b", "A")]
        again = [await _accept(store, inbox, message, consumer) for consumer in ("a", "b", "A")]
        assert (first, again) == ([True] * 3, [False] * 3)

    async def test_a_rollback_forgets_a_message(self, store: Store, inbox: Inbox) -> None:
        message = uuid.uuid4().hex
        async with store.unit_of_work() as work:
            assert value_of(await inbox.accept_in(work, "a", message)) is True
            assert value_of(await inbox.accept_in(work, "a", message)) is False
            _ = await add_one(work.repository("notes"), title="undone")

        assert await _accept(store, inbox, message) is True
        assert value_of(await store.notes.count(EVERYTHING)) == 0

    async def test_of_many_who_handle_a_message_at_once_one_does(self, store: Store, inbox: Inbox) -> None:
        message = uuid.uuid4().hex

        async def handle(number: int) -> bool:
            async with store.unit_of_work() as work:
                is_first = value_of(await inbox.accept_in(work, "a", message))
                if is_first:
                    _ = await add_one(work.repository("notes"), title=str(number))
                _ = value_of(await work.commit())
                return is_first

        assert sorted(await run_concurrently(6, handle)) == [False] * 5 + [True]
        assert value_of(await store.notes.count(EVERYTHING)) == 1

    @pytest.mark.parametrize("commits", [True, False])
    async def test_who_comes_second_waits_for_the_end_of_the_first(
        self, store: Store, inbox: Inbox, *, commits: bool
    ) -> None:
        message = uuid.uuid4().hex
        async with store.unit_of_work() as work:
            assert value_of(await inbox.accept_in(work, "a", message)) is True
            second = asyncio.create_task(_accept(store, inbox, message))
            await asyncio.sleep(0)
            if commits:
                _ = value_of(await work.commit())

        assert await second is not commits

    async def test_long_names_are_told_apart(self, store: Store, inbox: Inbox) -> None:
        common = uuid.uuid4().hex * 20

        assert await _accept(store, inbox, common + "a", common) is True
        assert await _accept(store, inbox, common + "b", common) is True
        assert await _accept(store, inbox, common + "a", common) is False
        assert await _accept(store, inbox, common + "a", common + "b") is True

    async def test_old_notes_are_removed(self, store: Store, inbox: Inbox) -> None:
        messages = [uuid.uuid4().hex for _ in range(3)]
        while value_of(await inbox.remove_older(-3600.0, 100)):
            pass
        for each in messages:
            assert await _accept(store, inbox, each) is True

        assert value_of(await inbox.remove_older(3600.0, 10)) == 0
        assert value_of(await inbox.remove_older(-3600.0, 2)) == 2
        assert value_of(await inbox.remove_older(-3600.0, 2)) == 1
        for each in messages:
            assert await _accept(store, inbox, each) is True


async def _accept(store: Store, inbox: Inbox, message: str, consumer: str = "a") -> bool:
    async with store.unit_of_work() as work:
        is_first = value_of(await inbox.accept_in(work, consumer, message))
        _ = value_of(await work.commit())
        return is_first
