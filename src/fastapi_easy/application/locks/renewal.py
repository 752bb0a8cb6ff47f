"""The renewal of leases, many in one call of their store."""

from collections.abc import Iterator, Sequence

from returns.result import Failure, Success

from fastapi_easy.application.locks.lease_state import LeaseState
from fastapi_easy.domain.errors import LockLost, Outcome
from fastapi_easy.domain.locks.renewal import MAX_RENEWALS, Renewal

_NOT_HELD = "the store no longer holds it for this owner: it expired or was evicted"


async def renew_leases(leases: Sequence[LeaseState]) -> Outcome[dict[LeaseState, str]]:
    """Renew every name of *leases*, which share a store, in one call; mark those as lost that it no longer holds.

    Returns:
        The leases that are lost, each with the first of its names that is.

        Fails with `Unavailable`: nobody knows which were renewed.
    """
    # Before the call: the store may count from the moment it received the request.
    requested_at = leases[0].clock.monotonic()
    asked = [(each, tuple(each.tokens.items())) for each in leases]
    answer = await leases[0].store.renew(
        [
            Renewal(name, lease.owner_of(name), token, lease.ttl_at(requested_at))
            for lease, names in asked
            for name, token in names
        ]
    )
    if isinstance(answer, Failure):
        return answer
    still_held = iter(answer.unwrap())
    lost: dict[LeaseState, str] = {}
    for lease, names in asked:
        missing = [name for name, _ in names if not next(still_held)]
        if missing:
            lost[lease] = missing[0]
            lease.mark_lost(_NOT_HELD)
        elif len(names) == len(lease.tokens):
            # Otherwise another name was acquired meanwhile, by a request that may be older than this one.
            lease.extend(requested_at)
    return Success(lost)


async def renew_lease(lease: LeaseState) -> Outcome[None]:
    """Renew every name of *lease* for as long as it may run.

    Fails with:
        LockLost: The store no longer holds one of them for its owner.

        Unavailable: The store did not answer.
    """
    renewed = await renew_leases([lease])
    if isinstance(renewed, Failure):
        return renewed
    missing = renewed.unwrap().get(lease)
    return Success(None) if missing is None else Failure(LockLost(missing))


def split_into_batches(leases: Sequence[LeaseState]) -> Iterator[Sequence[LeaseState]]:
    """Split *leases* so that no batch has more names than a store is asked for at once, unless one lease alone has."""
    batch: list[LeaseState] = []
    names = 0
    for each in leases:
        if batch and names + len(each.tokens) > MAX_RENEWALS:
            yield batch
            batch, names = [], 0
        batch.append(each)
        names += len(each.tokens)
    if batch:
        yield batch
