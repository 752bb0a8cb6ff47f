"""Cases about granting a lease to one owner at a time."""

import asyncio
from dataclasses import replace

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Unsupported
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability
from fastapi_easy.domain.locks.renewal import MAX_RENEWALS, Renewal
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseStores, LeaseSuite, LockClient
from fastapi_easy.testing.conformance.store import value_of

TTL = 0.4
"""Seconds of a lease that is to run out."""

MOST_CONNECTIONS = 3
"""Of one process, however many leases it has."""

AWKWARD = {
    "colon": "invoice:42",
    "case": "Invoice:42",
    "accents": "façade ☃ 𝄞",
    "wildcards": "a_b%c*d?e[f]",
    "quotes": 'it\'s "quoted" \\ `ticked` $1 {braces}',
    "a blank at the end": "blank ",
    "as long as may be": "x" * 200,
}


class LeaseGrantCases(LeaseSuite):
    """Cases about granting, renewing and releasing leases."""

    async def test_a_free_name_is_granted_and_others_are_told_who_has_it(
        self, stores: LeaseStores, lock: str
    ) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")

        granted, refused = await ada.try_acquire(lock), await bob.try_acquire(lock)

        assert isinstance(granted, Acquired)
        assert isinstance(refused, Busy)
        assert refused.holder in {ada.owner, None}

    async def test_two_owners_in_one_process_exclude_each_other(self, stores: LeaseStores, lock: str) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.local, "bob")
        _ = await ada.acquire(lock)

        assert isinstance(await bob.try_acquire(lock), Busy)

    async def test_the_same_owner_gets_the_same_token_again(self, stores: LeaseStores, lock: str) -> None:
        ada = LockClient(stores.local, "ada")

        assert await ada.acquire(lock) == await ada.acquire(lock)

    async def test_what_was_given_back_is_granted_to_the_next_with_a_larger_token(
        self, stores: LeaseStores, lock: str
    ) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        first = await ada.acquire(lock)

        assert await ada.release(lock) is True
        assert await bob.acquire(lock) > first

    async def test_tokens_grow_whoever_asks(self, stores: LeaseStores, lock: str) -> None:
        tokens = []
        for turn in range(20):
            client = LockClient(stores.store_at(turn % 3), "party")
            tokens.append(await client.acquire(lock))
            _ = await client.release(lock)

        assert tokens == sorted(set(tokens))

    async def test_only_the_owner_gives_back_and_only_once(self, stores: LeaseStores, lock: str) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        _ = await ada.acquire(lock)

        assert await bob.release(lock) is False
        assert isinstance(await bob.try_acquire(lock), Busy)
        assert await ada.release(lock) is True
        assert await ada.release(lock) is False

    async def test_only_the_holder_renews(self, stores: LeaseStores, lock: str) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        token = await ada.acquire(lock)

        assert await ada.renew(lock, token) is True
        assert await bob.renew(lock, token) is False
        assert await ada.renew(lock, token - 1) is False
        _ = await ada.release(lock)
        assert await ada.renew(lock, token) is False

    async def test_many_are_renewed_at_once_and_a_lost_one_keeps_none_from_it(
        self, stores: LeaseStores, lock: str
    ) -> None:
        clients = [LockClient(stores.local, "party") for _ in range(7)]
        names = [f"{lock}:{letter}" for letter in "gcaebdf"]
        held = [await each.acquire(name) for each, name in zip(clients, names, strict=True)]
        _ = await clients[1].release(names[1])
        _ = await clients[3].release(names[3])
        _ = await LockClient(stores.remote, "bob").acquire(names[3])
        asked = [
            Renewal(name, client.owner, token, 20.0 + number)
            for number, (name, client, token) in enumerate(zip(names, clients, held, strict=True))
        ]
        asked[5] = replace(asked[5], token=held[5] - 1)
        asked[6] = replace(asked[6], owner=clients[0].owner)

        renewed = value_of(await stores.local.renew(asked))

        assert list(renewed) == [True, False, True, False, True, False, False]
        if LockCapability.TTL in stores.local.capabilities:
            listed = {each.name: each.remaining or 0.0 for each in value_of(await stores.local.inspect(lock))}
            for number in (0, 2, 4):
                assert 15 + number < listed[names[number]] <= 20 + number
            assert all(listed[names[number]] > 25 for number in (3, 5, 6))

    async def test_as_many_as_are_asked_for_at_once_are_renewed(self, stores: LeaseStores, lock: str) -> None:
        client = LockClient(stores.local, "party")
        token = await client.acquire(lock)
        unknown = [Renewal(f"{lock}:{each}", client.owner, token, 30) for each in range(MAX_RENEWALS - 1)]

        renewed = value_of(await stores.local.renew([*unknown, Renewal(lock, client.owner, token, 30)]))

        assert list(renewed) == [False] * len(unknown) + [True]

    async def test_a_lease_runs_out_and_is_then_somebody_elses(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.TTL)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        first = await ada.acquire(lock, TTL)
        await asyncio.sleep(TTL * 1.2)

        second = await bob.acquire(lock)

        assert second > first
        assert await ada.renew(lock, first) is False
        assert await ada.release(lock) is False
        assert await bob.renew(lock, second) is True

    async def test_a_lease_that_ran_out_is_not_renewed_even_when_nobody_wants_it(
        self, stores: LeaseStores, lock: str
    ) -> None:
        stores.require(LockCapability.TTL)
        ada = LockClient(stores.local, "ada")
        token = await ada.acquire(lock, TTL)
        await asyncio.sleep(TTL * 1.2)

        assert await ada.renew(lock, token) is False
        assert await ada.acquire(lock) > token

    async def test_a_renewed_lease_does_not_run_out(self, stores: LeaseStores, lock: str) -> None:
        stores.require(LockCapability.TTL)
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        token = await ada.acquire(lock, TTL)
        for _ in range(4):
            await asyncio.sleep(TTL / 2)
            assert await ada.renew(lock, token, TTL) is True

        assert isinstance(await bob.try_acquire(lock), Busy)

    async def test_one_of_many_who_ask_at_once_gets_it(self, stores: LeaseStores, lock: str) -> None:
        for number in range(3):
            # They connect one after the other: that takes its time on a busy machine.
            _ = value_of(await stores.store_at(number).inspect(lock))
        for _ in range(5):
            clients = [LockClient(stores.store_at(number % 3), "party") for number in range(12)]

            answers = await asyncio.gather(*(each.try_acquire(lock) for each in clients))

            winners = [
                client
                for client, answer in zip(clients, answers, strict=True)
                if isinstance(answer, Acquired)
            ]
            assert len(winners) == 1
            _ = await winners[0].release(lock)

    @pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
    async def test_a_name_is_taken_byte_for_byte(self, stores: LeaseStores, lock: str, name: str) -> None:
        own = f"{lock[-12:]}{name}"[:200]
        others = {own.swapcase(), own.strip(), own[:-1], own.replace("_", "x").replace("%", "y")} - {own}
        ada = LockClient(stores.local, "ada")
        _ = await ada.acquire(own)

        assert isinstance(await LockClient(stores.remote, "bob").try_acquire(own), Busy)
        for other in others:
            _ = await LockClient(stores.remote, "bob").acquire(other)
        assert [each.name for each in value_of(await stores.overview.inspect(own)) if each.name == own] == [
            own
        ]

    async def test_what_is_held_is_listed_by_prefix_in_order(self, stores: LeaseStores, lock: str) -> None:
        ada = LockClient(stores.local, "ada")
        names = [f"{lock}%_{letter}" for letter in "cab"]
        tokens = {name: await LockClient(stores.local, "ada").acquire(name) for name in names}
        _ = await ada.acquire(f"{lock}xy")
        _ = await ada.release(f"{lock}xy")
        _ = await LockClient(stores.local, "ada").acquire(f"{lock}__d")

        listed = value_of(await stores.overview.inspect(f"{lock}%_"))

        assert [(each.name, each.token) for each in listed] == sorted(tokens.items())
        for each in listed:
            assert 0 <= each.age < 10
            expected = LockCapability.TTL in stores.local.capabilities
            assert (each.remaining is not None and 20 < each.remaining <= 30.1) is expected

    async def test_a_lease_is_taken_from_its_holder_by_its_token(
        self, stores: LeaseStores, lock: str
    ) -> None:
        ada, bob = LockClient(stores.local, "ada"), LockClient(stores.remote, "bob")
        token = await ada.acquire(lock)
        if LockCapability.EVICTABLE not in stores.local.capabilities:
            refused = await stores.remote.evict(lock, token)
            assert isinstance(refused, Failure)
            assert isinstance(refused.failure(), Unsupported)
            return

        assert await stores.remote.evict(lock, token - 1) == Success(False)
        assert await stores.remote.evict(lock, token) == Success(True)
        assert await stores.remote.evict(lock, token) == Success(False)
        assert await ada.renew(lock, token) is False
        assert await bob.acquire(lock) > token

    async def test_a_store_that_was_closed_is_opened_by_the_next_call(
        self, stores: LeaseStores, lock: str
    ) -> None:
        ada = LockClient(stores.local, "ada")
        token = await ada.acquire(lock)
        await stores.local.close()

        bob = LockClient(stores.local, "bob")
        if LockCapability.TTL in stores.local.capabilities:
            assert isinstance(await bob.try_acquire(lock), Busy)
            assert await ada.renew(lock, token) is True
        else:
            assert await bob.acquire(lock) > token

    async def test_a_reachable_store_passes_its_check(self, stores: LeaseStores) -> None:
        assert await stores.local.answers() == Success(None)

    async def test_connections_are_few_and_are_counted_from_the_first_on(
        self, stores: LeaseStores, lock: str
    ) -> None:
        before = stores.local.pool

        _ = await asyncio.gather(
            *(LockClient(stores.local, "party").try_acquire(f"{lock}:{each}") for each in range(20))
        )

        pool = stores.local.pool
        assert before is None
        if pool is not None:
            assert 1 <= pool.open <= pool.limit <= MOST_CONNECTIONS
            # A store of session locks uses its connection as long as it is open.
            assert (pool.in_use <= 1, pool.waiting or 0) == (True, 0)
        await stores.local.close()
        assert stores.local.pool is None

    async def test_a_healthy_store_reports_no_warnings(self, stores: LeaseStores) -> None:
        assert list(value_of(await stores.local.check())) == []
