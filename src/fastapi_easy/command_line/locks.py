"""`locks`: who holds which lock, and taking one away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from returns.result import Failure

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.operators import written_by_operators
from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.interfaces.cli.diagnosis import absent_file
from fastapi_easy.interfaces.cli.tasks import CommandError, Lock


def list_locks(application: Application, prefix: str) -> Sequence[Lock]:
    """Return the leases of *application* whose names begin with *prefix*.

    Raises:
        CommandError: It has none that another process could see, or they do not answer.
    """
    if _is_absent(application):
        return []
    held = _query_locks(application, lambda locks: locks.inspect(prefix))
    return [
        Lock(
            name=each.name,
            token=each.token,
            age=each.age,
            remaining=each.remaining,
            owner=each.owner,
            waiters=each.waiters,
        )
        for each in held
    ]


def evict_lock(application: Application, name: str, token: int, reason: str) -> bool:
    """Take the lease *token* of *name* from its holder; return whether it was held.

    Raises:
        CommandError: The locks cannot be seen from here, do not answer, or cannot do that.
    """
    if _is_absent(application):
        return False
    return bool(_query_locks(application, lambda locks: locks.evict(name, token=token, reason=reason)))


def _is_absent(application: Application) -> bool:
    """Return whether the file of the locks does not exist yet: to open it would create it, and it holds nothing."""
    settings = application.settings()
    url = settings.locks.url or settings.databases["default"].url
    return absent_file(url.get_secret_value()) is not None


def _query_locks(
    application: Application, question: Callable[[LockProvider], Awaitable[Outcome[Any]]]
) -> Any:
    locks: LockProvider = application.locks()
    if LockCapability.TTL in locks.capabilities and not locks.capabilities & {
        LockCapability.DURABLE,
        LockCapability.CROSS_HOST,
    }:
        raise CommandError(
            "the locks of this application are in process memory and cannot be seen from another process"
        )

    async def ask() -> Outcome[Any]:
        async with written_by_operators(application):
            try:
                return await question(locks)
            finally:
                await locks.aclose()

    answer = asyncio.run(ask())
    if isinstance(answer, Failure):
        error = answer.failure()
        raise CommandError(
            "the lock store does not support eviction: only the holder can release the lock"
            if isinstance(error, Unsupported)
            else "the lock store does not answer"
        )
    return answer.unwrap()
