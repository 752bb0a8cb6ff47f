"""What every outbox promises."""

import asyncio
import datetime
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from fastapi_easy.domain.changes.events import EntityDeleted
from fastapi_easy.domain.outbox.entity import entity_of
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxLag
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.testing.conformance.messages.relays import RelayCases
from fastapi_easy.testing.conformance.messages.written import (
    LEASE,
    OutboxSuite,
    claimed,
    created,
    eventually,
    keep_events,
    keys,
    read_all,
    tell,
    updated,
)
from fastapi_easy.testing.conformance.store import Store, value_of


class ClaimCases(OutboxSuite):
    """Cases about who publishes what."""

    async def test_a_message_is_read_as_it_was_written(self, store: Store, outbox: Outbox) -> None:
        event = updated(
            7,
            version="3",
            before={"title": "é\U0001f600 'x'", "price": None},
            actor="ada",
            tenant="acme",
            by_system=True,
            correlation_id="call-1",
        )
        gone = EntityDeleted(resource="books", key=7, occurred_at=event.occurred_at)
        await tell(store, event, gone)

        message, last = await read_all(outbox)
        assert (message.id, message.resource, message.verb, message.name) == (
            event.id,
            "books",
            "updated",
            "books.updated",
        )
        assert (message.key, message.version, message.entity) == (7, "3", f"books:{entity_of(7)}")
        assert (message.tenant, message.actor, message.by_system) == ("acme", "ada", True)
        assert (message.correlation_id, message.occurred_at) == ("call-1", event.occurred_at)
        assert message.trace == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        assert (message.values, message.before) == ({"id": 7, "title": "a"}, event.before)
        assert list(message.changed) == ["title"]
        assert (last.verb, last.values, list(last.changed), last.before) == ("deleted", None, [], None)
        assert last.number > message.number

    async def test_what_was_rolled_back_left_no_message(self, store: Store, outbox: Outbox) -> None:
        async with store.unit_of_work() as work:
            await keep_events(work, store, [created(1)])
        await tell(store, created(2))

        assert keys(await read_all(outbox)) == [2]

    async def test_messages_of_one_unit_of_work_are_in_their_order(
        self, store: Store, outbox: Outbox
    ) -> None:
        events = [updated(number % 3, version=str(number)) for number in range(60)]
        async with store.unit_of_work() as work:
            await keep_events(work, store, events)
            _ = value_of(await work.commit())

        read = await read_all(outbox)
        assert [each.position for each in read] == list(
            range(int(read[0].position or 0), int(read[-1].position or 0) + 1)
        )
        for key in range(3):
            assert [each.version for each in read if each.key == key] == [str(n) for n in range(key, 60, 3)]

    async def test_of_each_entity_the_oldest_message_is_claimed(self, store: Store, outbox: Outbox) -> None:
        await tell(store, created(1), created(2), updated(1), created(3), updated(1))

        first = await claimed(outbox, limit=2)
        second = await claimed(outbox)
        assert (keys(first), keys(second), await claimed(outbox)) == ([1, 2], [3], [])
        assert {each.attempts for each in (*first, *second)} == {1}

        assert value_of(await outbox.mark_published([first[0], second[0]])) == 2
        assert [each.message.verb for each in await claimed(outbox)] == ["updated"]

    async def test_entities_of_two_resources_with_one_key_do_not_wait_for_each_other(
        self, store: Store, outbox: Outbox
    ) -> None:
        other = EntityDeleted(resource="notes", key=1, occurred_at=created(1).occurred_at)
        await tell(store, created(1), other)

        both = await claimed(outbox)
        assert len(both) == 2
        assert len({each.message.entity for each in both}) == 2

    async def test_relays_that_claim_at_once_claim_different_messages(
        self, store: Store, outbox: Outbox
    ) -> None:
        await tell(store, *(created(key) for key in range(12)))

        found = await asyncio.gather(*(claimed(outbox, limit=5) for _ in range(4)))
        rest = await claimed(outbox)
        assert sorted(keys([*(one for each in found for one in each), *rest])) == list(range(12))

    async def test_who_has_lost_a_claim_changes_nothing(self, store: Store, outbox: Outbox) -> None:
        await tell(store, created(1))
        (lost,) = await claimed(outbox, lease=0.02)

        (held,) = await eventually(lambda: claimed(outbox))
        assert held.attempts == 2
        assert value_of(await outbox.mark_published([lost])) == 0
        assert value_of(await outbox.release([lost])) == 0
        assert value_of(await outbox.retry_later(lost, 0.0, "late")) is False
        assert value_of(await outbox.park(lost, "late")) is False
        assert value_of(await outbox.mark_published([held, lost])) == 1
        assert value_of(await outbox.mark_published([held])) == 0

    async def test_what_is_given_back_untried_was_never_claimed(self, store: Store, outbox: Outbox) -> None:
        await tell(store, created(1), created(2))
        first = await claimed(outbox)

        assert value_of(await outbox.release(first)) == 2
        again = await claimed(outbox)
        assert [(each.message.key, each.attempts) for each in again] == [(1, 1), (2, 1)]

    async def test_a_message_that_failed_is_claimed_again_after_its_delay(
        self, store: Store, outbox: Outbox
    ) -> None:
        await tell(store, created(1), updated(1), created(2))
        one, two = await claimed(outbox)

        assert value_of(await outbox.retry_later(one, LEASE, "$no")) is True
        assert value_of(await outbox.retry_later(two, 0.02, "no")) is True
        (again,) = await eventually(lambda: claimed(outbox))
        assert (again.message.key, again.attempts) == (2, 2)
        assert await claimed(outbox) == []

    async def test_a_parked_message_holds_back_its_entity_only(self, store: Store, outbox: Outbox) -> None:
        await tell(store, created(1), updated(1), updated(1), created(2))
        bad, _ = await claimed(outbox)
        assert value_of(await outbox.park(bad, "$it is poison")) is True

        lag = value_of(await outbox.lag())
        assert (lag.waiting, lag.parked, lag.behind_parked) == (1, 1, 2)
        assert await claimed(outbox) == []
        (parked,) = value_of(await outbox.find_parked(10))
        assert (parked.message, parked.error) == (bad.message, "$it is poison")
        assert (parked.attempts, parked.waiting) == (1, 2)
        assert abs(parked.parked_at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(hours=1)

    async def test_a_parked_message_is_published_after_all(self, store: Store, outbox: Outbox) -> None:
        await tell(store, created(1), updated(1), created(2))
        bad, other = await claimed(outbox)
        for each in (bad, other):
            assert value_of(await outbox.park(each, "no")) is True

        assert value_of(await outbox.retry_parked(uuid.uuid4())) == 0
        assert value_of(await outbox.retry_parked(bad.message.id)) == 1
        (again,) = await claimed(outbox)
        assert (again.message.id, again.attempts) == (bad.message.id, 1)
        assert value_of(await outbox.retry_parked(None)) == 1
        assert keys(await claimed(outbox)) == [2]
        assert value_of(await outbox.find_parked(10)) == []

    async def test_what_waits_behind_a_dropped_message_is_published(
        self, store: Store, outbox: Outbox
    ) -> None:
        await tell(store, created(1), updated(1))
        (bad,) = await claimed(outbox)
        _ = value_of(await outbox.park(bad, "no"))

        assert value_of(await outbox.drop_parked(uuid.uuid4())) is False
        assert value_of(await outbox.drop_parked(bad.message.id)) is True
        assert value_of(await outbox.drop_parked(bad.message.id)) is False
        (behind,) = await claimed(outbox)
        assert behind.message.verb == "updated"
        assert len(await read_all(outbox)) == 2

    async def test_lag_is_of_what_can_be_published(self, store: Store, outbox: Outbox) -> None:
        assert value_of(await outbox.lag()) == OutboxLag(waiting=0, oldest=0.0, parked=0, behind_parked=0)

        await tell(store, created(1), updated(1))
        lag = value_of(await outbox.lag())
        assert (lag.waiting, lag.parked, lag.behind_parked) == (2, 0, 0)
        # Its messages are of 2026-03-04.
        assert lag.oldest > 0.0

    async def test_a_batch_that_nobody_claimed_is_marked_as_nothing(self, outbox: Outbox) -> None:
        nobody: Sequence[ClaimedMessage] = ()

        assert value_of(await outbox.mark_published(nobody)) == 0
        assert value_of(await outbox.release(nobody)) == 0


class PositionCases(OutboxSuite):
    """Cases about the order in which messages are read, and about their end."""

    async def test_positions_ascend_and_are_given_once(self, store: Store, outbox: Outbox) -> None:
        before = value_of(await outbox.last_position())
        await tell(store, created(1), created(2), updated(1))

        assert value_of(await outbox.read_after(before, 10)) == ([], True)
        assert value_of(await outbox.assign_positions(2)) == 2
        some, is_more = value_of(await outbox.read_after(before, 10))
        assert ([each.position for each in some], is_more) == ([before + 1, before + 2], True)
        assert value_of(await outbox.assign_positions(10)) == 1
        assert value_of(await outbox.assign_positions(10)) == 0
        last, is_more = value_of(await outbox.read_after(before + 1, 1))
        assert ([each.position for each in last], is_more) == ([before + 2], False)
        assert (value_of(await outbox.last_position()), value_of(await outbox.first_position())) == (
            before + 3,
            before + 1,
        )

    async def test_whoever_reads_along_positions_misses_no_slow_transaction(
        self, store: Store, outbox: Outbox
    ) -> None:
        if store.database.technology == "SQLite":
            pytest.skip("SQLite has one writer at a time")
        async with store.unit_of_work() as slow:
            await keep_events(slow, store, [created(1)])
            await tell(store, created(2))
            (seen,) = await read_all(outbox)
            _ = value_of(await slow.commit())

        assert seen.key == 2
        assert value_of(await outbox.assign_positions(10)) == 1
        (late,), _ = value_of(await outbox.read_after(seen.position or 0, 10))
        assert late.key == 1

    async def test_positions_that_are_given_at_once_have_no_gaps(self, store: Store, outbox: Outbox) -> None:
        before = value_of(await outbox.last_position())
        await tell(store, *(created(key) for key in range(10)))

        numbers = await asyncio.gather(*(outbox.assign_positions(4) for _ in range(4)))
        assert sum(value_of(each) for each in numbers) == 10
        messages, _ = value_of(await outbox.read_after(before, 100))
        assert [each.position for each in messages] == list(range(before + 1, before + 11))

    async def test_what_is_old_is_removed_and_its_position_never_given_again(
        self, store: Store, outbox: Outbox
    ) -> None:
        await tell(store, created(1), created(2), created(3))
        read = await read_all(outbox)
        done, dropped, waiting = await claimed(outbox)
        _ = value_of(await outbox.mark_published([done]))
        _ = value_of(await outbox.park(dropped, "no"))
        assert waiting.message.key == 3

        async def expired(moment: datetime.datetime, **options: Any) -> list[Any]:
            return keys(value_of(await outbox.read_expired(moment, 10, **options)))

        later = read[-1].occurred_at + datetime.timedelta(seconds=1)
        assert await expired(later, published=True) == [1]
        _ = value_of(await outbox.drop_parked(dropped.message.id))
        assert await expired(later, published=True) == [1, 2]
        assert await expired(later, published=False) == [1, 2, 3]
        assert await expired(read[1].occurred_at, published=False) == [1]
        assert keys(value_of(await outbox.read_expired(later, 1, published=False))) == [1]

        last = value_of(await outbox.last_position())
        assert value_of(await outbox.remove([each.id for each in read[:2]])) == 2
        assert value_of(await outbox.remove([read[0].id])) == 0
        assert value_of(await outbox.remove([])) == 0
        assert value_of(await outbox.first_position()) == last
        assert value_of(await outbox.remove([read[2].id])) == 1
        assert (value_of(await outbox.first_position()), value_of(await outbox.last_position())) == (
            last + 1,
            last,
        )
        await tell(store, created(4))
        assert [each.position for each in await read_all(outbox)] == [last + 1]


class OutboxConformance(ClaimCases, PositionCases, RelayCases):
    """The suite of `Outbox`: subclass it, and override `store`."""
