"""Session locks are limited for each process, and the error says so."""

import contextlib

import pytest
from returns.result import Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.composition.leases import open_session_locks
from fastapi_easy.domain import LockLimitReached, TooManyLocks
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.relational.session_locks import MAX_LOCKS
from tests.thorough import only_when_thorough


@pytest.mark.parametrize("server", ["postgres", pytest.param("mariadb", marks=only_when_thorough)])
async def test_one_lock_more_than_a_connection_may_hold_has_an_error_of_its_own(server, request):
    clock = SystemClock()
    locks = LockManager(open_session_locks(request.getfixturevalue(f"{server}_url"), clock), clock)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(locks.aclose)
        for number in range(MAX_LOCKS - 1):
            _ = await stack.enter_async_context(locks.hold(f"limit:{number}"))
        async with locks.hold("limit:last") as last:
            with pytest.raises(
                LockLimitReached, match=f"this process holds {MAX_LOCKS} session locks"
            ) as refused:
                await stack.enter_async_context(locks.hold("limit:more", wait=0.3))
            # Also so many are looked after in one statement.
            assert await last.renew() == Success(None)

        _ = await stack.enter_async_context(locks.hold("limit:more", wait=0))

    assert (refused.value.limit, refused.value.error) == (MAX_LOCKS, TooManyLocks("limit:more"))
