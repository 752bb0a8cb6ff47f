"""Which member of a group of consumers reads a stream of Redis."""

import uuid
from typing import Any, Final

_PREFIX: Final = "fe:broker"

_RENEW: Final = (
    "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0"
)
_RELEASE: Final = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"


class PartitionLease:
    """Lets one member at a time read a stream for a consumer, so that nothing overtakes what is delivered again.

    Groups of Redis give the next message to whoever asks, whether the one before was handled or not.

    Args:
        redis: A client that is connected.

        consumer: The group.

        stream: The stream.

        seconds: After which it ends, unless it is renewed.
    """

    def __init__(self, redis: Any, consumer: str, stream: str, seconds: float) -> None:
        self.member = uuid.uuid4().hex
        self._redis = redis
        self._name = f"{_PREFIX}:member:{consumer}:{stream}"
        self._later = f"{_PREFIX}:later:{consumer}:{stream}"
        self._milliseconds = max(1, round(seconds * 1000))
        self._is_held = False

    async def hold(self) -> tuple[bool, bool]:
        """Take the lease, or renew it; return whether it is held, and whether it was held before."""
        was_held = self._is_held
        self._is_held = bool(
            await self._redis.eval(_RENEW, 1, self._name, self.member, self._milliseconds)
            if was_held
            else await self._redis.set(self._name, self.member, nx=True, px=self._milliseconds)
        )
        return self._is_held, was_held

    async def release(self) -> None:
        """Let another member go on at once, if it is held."""
        if self._is_held:
            self._is_held = False
            await self._redis.eval(_RELEASE, 1, self._name, self.member)

    async def postpone(self, seconds: float) -> None:
        """Let nobody be given the oldest message for *seconds*."""
        if seconds > 0:
            await self._redis.set(self._later, "1", px=max(1, round(seconds * 1000)))

    async def postponed(self) -> float:
        """Return for how many seconds the oldest message is not to be delivered."""
        left: int = await self._redis.pttl(self._later)
        return max(0, left) / 1000
