"""One owner at a time, for a time."""

import asyncio

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Unsupported
from fastapi_easy.domain.locks.lease import Busy, Grant, LockCapability
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseSuite, Party, Stores
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


class Leasing(LeaseSuite):
    """Granting, renewing, giving back."""

    async def test_a_free_name_is_granted_and_others_are_told_who_has_it(
        self, stores: Stores, lock: str
    ) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")

        granted, refused = await ada.ask(lock), await bob.ask(lock)

        assert isinstance(granted, Grant)
        assert isinstance(refused, Busy)
        assert refused.holder in {ada.owner, None}

    async def test_two_owners_in_one_process_exclude_each_other(self, stores: Stores, lock: str) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.here, "bob")
        _ = await ada.take(lock)

        assert isinstance(await bob.ask(lock), Busy)

    async def test_the_same_owner_gets_the_same_token_again(self, stores: Stores, lock: str) -> None:
        ada = Party(stores.here, "ada")

        assert await ada.take(lock) == await ada.take(lock)

    async def test_what_was_given_back_is_granted_to_the_next_with_a_larger_token(
        self, stores: Stores, lock: str
    ) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        first = await ada.take(lock)

        assert await ada.release(lock) is True
        assert await bob.take(lock) > first

    async def test_tokens_grow_whoever_asks(self, stores: Stores, lock: str) -> None:
        tokens = []
        for turn in range(20):
            party = Party(stores.number(turn % 3), "party")
            tokens.append(await party.take(lock))
            _ = await party.release(lock)

        assert tokens == sorted(set(tokens))

    async def test_only_the_owner_gives_back_and_only_once(self, stores: Stores, lock: str) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        _ = await ada.take(lock)

        assert await bob.release(lock) is False
        assert isinstance(await bob.ask(lock), Busy)
        assert await ada.release(lock) is True
        assert await ada.release(lock) is False

    async def test_only_the_holder_renews(self, stores: Stores, lock: str) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        token = await ada.take(lock)

        assert await ada.renew(lock, token) is True
        assert await bob.renew(lock, token) is False
        assert await ada.renew(lock, token - 1) is False
        _ = await ada.release(lock)
        assert await ada.renew(lock, token) is False

    async def test_a_lease_runs_out_and_is_then_somebody_elses(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.TTL)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        first = await ada.take(lock, TTL)
        await asyncio.sleep(TTL * 1.2)

        second = await bob.take(lock)

        assert second > first
        assert await ada.renew(lock, first) is False
        assert await ada.release(lock) is False
        assert await bob.renew(lock, second) is True

    async def test_a_lease_that_ran_out_is_not_renewed_even_when_nobody_wants_it(
        self, stores: Stores, lock: str
    ) -> None:
        stores.require(LockCapability.TTL)
        ada = Party(stores.here, "ada")
        token = await ada.take(lock, TTL)
        await asyncio.sleep(TTL * 1.2)

        assert await ada.renew(lock, token) is False
        assert await ada.take(lock) > token

    async def test_a_renewed_lease_does_not_run_out(self, stores: Stores, lock: str) -> None:
        stores.require(LockCapability.TTL)
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        token = await ada.take(lock, TTL)
        for _ in range(4):
            await asyncio.sleep(TTL / 2)
            assert await ada.renew(lock, token, TTL) is True

        assert isinstance(await bob.ask(lock), Busy)

    async def test_one_of_many_who_ask_at_once_gets_it(self, stores: Stores, lock: str) -> None:
        for _ in range(5):
            parties = [Party(stores.number(number % 3), "party") for number in range(12)]

            answers = await asyncio.gather(*(each.ask(lock) for each in parties))

            winners = [
                party for party, answer in zip(parties, answers, strict=True) if isinstance(answer, Grant)
            ]
            assert len(winners) == 1
            _ = await winners[0].release(lock)

    @pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
    async def test_a_name_is_taken_byte_for_byte(self, stores: Stores, lock: str, name: str) -> None:
        own = f"{lock[-12:]}{name}"[:200]
        others = {own.swapcase(), own.strip(), own[:-1], own.replace("_", "x").replace("%", "y")} - {own}
        ada = Party(stores.here, "ada")
        _ = await ada.take(own)

        assert isinstance(await Party(stores.there, "bob").ask(own), Busy)
        for other in others:
            _ = await Party(stores.there, "bob").take(other)
        assert [each.name for each in value_of(await stores.overview.inspect(own)) if each.name == own] == [
            own
        ]

    async def test_what_is_held_is_listed_by_prefix_in_order(self, stores: Stores, lock: str) -> None:
        ada = Party(stores.here, "ada")
        names = [f"{lock}%_{letter}" for letter in "cab"]
        tokens = {name: await Party(stores.here, "ada").take(name) for name in names}
        _ = await ada.take(f"{lock}xy")
        _ = await ada.release(f"{lock}xy")
        _ = await Party(stores.here, "ada").take(f"{lock}__d")

        listed = value_of(await stores.overview.inspect(f"{lock}%_"))

        assert [(each.name, each.token) for each in listed] == sorted(tokens.items())
        for each in listed:
            assert 0 <= each.age < 10
            expected = LockCapability.TTL in stores.here.capabilities
            assert (each.remaining is not None and 20 < each.remaining <= 30.1) is expected

    async def test_a_lease_is_taken_from_its_holder_by_its_token(self, stores: Stores, lock: str) -> None:
        ada, bob = Party(stores.here, "ada"), Party(stores.there, "bob")
        token = await ada.take(lock)
        if LockCapability.EVICTABLE not in stores.here.capabilities:
            refused = await stores.there.evict(lock, token)
            assert isinstance(refused, Failure)
            assert isinstance(refused.failure(), Unsupported)
            return

        assert await stores.there.evict(lock, token - 1) == Success(False)
        assert await stores.there.evict(lock, token) == Success(True)
        assert await stores.there.evict(lock, token) == Success(False)
        assert await ada.renew(lock, token) is False
        assert await bob.take(lock) > token

    async def test_a_store_that_was_closed_is_opened_by_the_next_call(
        self, stores: Stores, lock: str
    ) -> None:
        ada = Party(stores.here, "ada")
        token = await ada.take(lock)
        await stores.here.close()

        bob = Party(stores.here, "bob")
        if LockCapability.TTL in stores.here.capabilities:
            assert isinstance(await bob.ask(lock), Busy)
            assert await ada.renew(lock, token) is True
        else:
            assert await bob.take(lock) > token

    async def test_a_store_that_stands_answers(self, stores: Stores) -> None:
        assert await stores.here.answers() == Success(None)

    async def test_connections_are_few_and_are_counted_from_the_first_on(
        self, stores: Stores, lock: str
    ) -> None:
        before = stores.here.pool

        _ = await asyncio.gather(*(Party(stores.here, "party").ask(f"{lock}:{each}") for each in range(20)))

        pool = stores.here.pool
        assert before is None
        if pool is not None:
            assert 1 <= pool.open <= pool.limit <= MOST_CONNECTIONS
            # That of a session is in use for as long as it stands.
            assert (pool.in_use <= 1, pool.waiting or 0) == (True, 0)
        await stores.here.close()
        assert stores.here.pool is None

    async def test_a_store_in_order_has_nothing_to_say(self, stores: Stores) -> None:
        assert list(value_of(await stores.here.check())) == []
