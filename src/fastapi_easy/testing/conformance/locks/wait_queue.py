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
        _ = await ada.acquire(lock)
        ticket = await bob.enqueue(lock)
        _ = await ada.release(lock)

        assert await eve.try_acquire(lock) == Busy(None, 1)
        _ = await bob.acquire(lock, ticket=ticket)

    async def test_who_came_first_is_first(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        clients = [LockClient(stores.store_at(number % 3), "x") for number in range(5)]
        tickets = [await each.enqueue(lock) for each in clients]

        assert tickets == sorted(set(tickets))
        for turn, client in enumerate(clients):
            for ahead in range(1, len(clients) - turn):
                late = turn + ahead
                answer = await clients[late].try_acquire(lock, ticket=tickets[late])
                assert isinstance(answer, Busy)
                assert answer.ahead == ahead
            _ = await client.acquire(lock, ticket=tickets[turn])
            _ = await client.release(lock)

    async def test_asking_again_keeps_the_place(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        ticket = await ada.enqueue(lock)
        _ = await bob.enqueue(lock)

        assert await ada.enqueue(lock) == ticket

    async def test_who_gives_up_lets_the_next_one_pass(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.enqueue(lock)
        ticket = await bob.enqueue(lock)
        assert isinstance(await bob.try_acquire(lock, ticket=ticket), Busy)

        value_of(await stores.local.dequeue(lock, ada.owner))

        _ = await bob.acquire(lock, ticket=ticket)

    async def test_who_is_not_heard_of_any_more_is_passed(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.enqueue(lock, SHORT)
        ticket = await bob.enqueue(lock)
        await asyncio.sleep(SHORT * 1.2)

        _ = await bob.acquire(lock, ticket=ticket)

    async def test_a_grant_ends_the_wait(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.FIFO)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.acquire(lock, ticket=await ada.enqueue(lock))
        _ = await ada.release(lock)

        assert isinstance(await bob.try_acquire(lock), Acquired)

    async def test_who_waits_for_whom_is_known(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.DEADLOCK)
        ada, bob, eve = (LockClient(each, "x") for each in (stores.local, stores.remote, stores.local))
        other = f"{lock}:other"
        first, second = await ada.acquire(lock), await bob.acquire(other)
        places = [
            (bob, lock, await bob.enqueue(lock)),
            (eve, lock, await eve.enqueue(lock)),
            (ada, other, await ada.enqueue(other)),
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
        _ = await clients[0].acquire(lock)
        for each in clients[1:]:
            _ = await each.enqueue(lock)

        (listed,) = value_of(await stores.remote.inspect(lock))

        assert listed.owner == clients[0].owner
        assert list(listed.waiters) == [each.owner for each in clients[1:]]
