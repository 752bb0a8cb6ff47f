"""Cases about the wait queue of a lock and its wait-for graph."""

import asyncio

from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, WaitEdge
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseStores, LeaseSuite, LockClient
from fastapi_easy.testing.conformance.store import value_of

SHORT = 0.4
"""Seconds of a wait that nobody prolongs."""


class WaitQueueCases(LeaseSuite):
    """Cases about the order of tickets and about deadlock detection."""

    async def test_who_waits_comes_before_who_does_not(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob, eve = (LockClient(each, "x") for each in (stores.local, stores.remote, stores.local))
        _ = await ada.take(lock)
        ticket = await bob.line_up(lock)
        _ = await ada.release(lock)

        assert await eve.ask(lock) == Busy(None, 1)
        _ = await bob.take(lock, ticket=ticket)

    async def test_who_came_first_is_first(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        clients = [LockClient(stores.store_at(number % 3), "x") for number in range(5)]
        tickets = [await each.line_up(lock) for each in clients]

        assert tickets == sorted(set(tickets))
        for turn, client in enumerate(clients):
            for ahead in range(1, len(clients) - turn):
                late = turn + ahead
                answer = await clients[late].ask(lock, ticket=tickets[late])
                assert isinstance(answer, Busy)
                assert answer.ahead == ahead
            _ = await client.take(lock, ticket=tickets[turn])
            _ = await client.release(lock)

    async def test_asking_again_keeps_the_place(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        ticket = await ada.line_up(lock)
        _ = await bob.line_up(lock)

        assert await ada.line_up(lock) == ticket

    async def test_who_gives_up_lets_the_next_one_pass(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.line_up(lock)
        ticket = await bob.line_up(lock)
        assert isinstance(await bob.ask(lock, ticket=ticket), Busy)

        value_of(await stores.local.dequeue(lock, ada.owner))

        _ = await bob.take(lock, ticket=ticket)

    async def test_who_is_not_heard_of_any_more_is_passed(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.line_up(lock, SHORT)
        ticket = await bob.line_up(lock)
        await asyncio.sleep(SHORT * 1.2)

        _ = await bob.take(lock, ticket=ticket)

    async def test_a_grant_ends_the_wait(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.take(lock, ticket=await ada.line_up(lock))
        _ = await ada.release(lock)

        assert isinstance(await bob.ask(lock), Acquired)

    async def test_who_waits_for_whom_is_known(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.DEADLOCK)
        ada, bob, eve = (LockClient(each, "x") for each in (stores.local, stores.remote, stores.local))
        other = f"{lock}:other"
        first, second = await ada.take(lock), await bob.take(other)
        places = [
            (bob, lock, await bob.line_up(lock)),
            (eve, lock, await eve.line_up(lock)),
            (ada, other, await ada.line_up(other)),
        ]

        edges = [each for each in value_of(await stores.remote.edges()) if each.name in {lock, other}]

        holders = {lock: (ada.owner, first), other: (bob.owner, second)}
        assert sorted(edges, key=lambda each: each.ticket) == [
            WaitEdge(name, client.owner, holders[name][0], ticket, holders[name][1])
            for client, name, ticket in places
        ]
        _ = await ada.release(lock)
        assert [each.name for each in value_of(await stores.local.edges()) if each.name == lock] == []

    async def test_those_who_wait_are_listed_in_their_order(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        clients = [LockClient(stores.store_at(number % 2), "x") for number in range(4)]
        _ = await clients[0].take(lock)
        for each in clients[1:]:
            _ = await each.line_up(lock)

        (listed,) = value_of(await stores.remote.inspect(lock))

        assert listed.owner == clients[0].owner
        assert list(listed.waiters) == [each.owner for each in clients[1:]]
