"""First come, first served; and who waits for whom."""

import asyncio

from fastapi_easy.domain.locks.lease import Busy, Grant, LockCapability, WaitEdge
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseSuite, Party, Stores
from fastapi_easy.testing.conformance.store import value_of

SHORT = 0.4
"""Seconds of a wait that nobody prolongs."""


class LiningUp(LeaseSuite):
    """Tickets, and what they are worth."""

    async def test_who_waits_comes_before_who_does_not(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob, eve = (Party(each, "x") for each in (stores.here, stores.there, stores.here))
        _ = await ada.take(lock)
        ticket = await bob.line_up(lock)
        _ = await ada.release(lock)

        assert await eve.ask(lock) == Busy(None, 1)
        _ = await bob.take(lock, ticket=ticket)

    async def test_who_came_first_is_first(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        parties = [Party(stores.number(number % 3), "x") for number in range(5)]
        tickets = [await each.line_up(lock) for each in parties]

        assert tickets == sorted(set(tickets))
        for turn, party in enumerate(parties):
            for ahead in range(1, len(parties) - turn):
                late = turn + ahead
                answer = await parties[late].ask(lock, ticket=tickets[late])
                assert isinstance(answer, Busy)
                assert answer.ahead == ahead
            _ = await party.take(lock, ticket=tickets[turn])
            _ = await party.release(lock)

    async def test_asking_again_keeps_the_place(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        ticket = await ada.line_up(lock)
        _ = await bob.line_up(lock)

        assert await ada.line_up(lock) == ticket

    async def test_who_gives_up_lets_the_next_one_pass(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        _ = await ada.line_up(lock)
        ticket = await bob.line_up(lock)
        assert isinstance(await bob.ask(lock, ticket=ticket), Busy)

        value_of(await stores.here.dequeue(lock, ada.owner))

        _ = await bob.take(lock, ticket=ticket)

    async def test_who_is_not_heard_of_any_more_is_passed(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        _ = await ada.line_up(lock, SHORT)
        ticket = await bob.line_up(lock)
        await asyncio.sleep(SHORT * 1.2)

        _ = await bob.take(lock, ticket=ticket)

    async def test_a_grant_ends_the_wait(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        _ = await ada.take(lock, ticket=await ada.line_up(lock))
        _ = await ada.release(lock)

        assert isinstance(await bob.ask(lock), Grant)

    async def test_who_waits_for_whom_is_known(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.DEADLOCK)
        ada, bob, eve = (Party(each, "x") for each in (stores.here, stores.there, stores.here))
        other = f"{lock}:other"
        first, second = await ada.take(lock), await bob.take(other)
        places = [
            (bob, lock, await bob.line_up(lock)),
            (eve, lock, await eve.line_up(lock)),
            (ada, other, await ada.line_up(other)),
        ]

        edges = [each for each in value_of(await stores.there.edges()) if each.name in {lock, other}]

        holders = {lock: (ada.owner, first), other: (bob.owner, second)}
        assert sorted(edges, key=lambda each: each.ticket) == [
            WaitEdge(name, party.owner, holders[name][0], ticket, holders[name][1])
            for party, name, ticket in places
        ]
        _ = await ada.release(lock)
        assert [each.name for each in value_of(await stores.here.edges()) if each.name == lock] == []

    async def test_those_who_wait_are_listed_in_their_order(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        parties = [Party(stores.number(number % 2), "x") for number in range(4)]
        _ = await parties[0].take(lock)
        for each in parties[1:]:
            _ = await each.line_up(lock)

        (listed,) = value_of(await stores.there.inspect(lock))

        assert listed.owner == parties[0].owner
        assert list(listed.waiters) == [each.owner for each in parties[1:]]
