"""The named locks of MySQL and MariaDB."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from fastapi_easy.infrastructure.locks.relational.session_locks import POOLED_ADVICE, SessionLockStore

_DIGITS: Final = 60
"""Hexadecimal digits of a key: MySQL 8 allows 64 characters, of which `fe:` takes three."""

_LOCK: Final = """
SELECT CASE GET_LOCK(:key, 0) WHEN 1 THEN CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) WHEN 0 THEN 0 END
"""
_SELECT_HELD: Final = """
SELECT r.lock_key FROM JSON_TABLE(:keys, '$[*]' COLUMNS (lock_key VARCHAR(64) PATH '$')) AS r
 WHERE IS_USED_LOCK(r.lock_key) = CONNECTION_ID()
"""
_MAX_IDLE_SECONDS: Final = 31_536_000
"""A year, the maximum of `wait_timeout`."""

_SESSION_PROBES: Final = 3
"""How often the session is asked for its number: behind a pooler one answer will differ."""


class MySqlNamedLockStore(SessionLockStore):
    """Implements `LeaseStore` with `GET_LOCK`, which is told not to wait."""

    async def lock(self, name: str) -> int | None:
        """Lock *name* if nobody else has."""
        micros = await self.execute(_LOCK, key=key_of(name))
        if micros is None:
            # NULL is no answer: the statement was killed, or took too long.
            raise OSError("GET_LOCK was interrupted")
        return int(micros) or None

    async def unlock(self, name: str) -> bool:
        """Unlock *name*; return whether the connection had it."""
        return bool(await self.execute("SELECT RELEASE_LOCK(:key)", key=key_of(name)))

    async def find_locked(self, names: Sequence[str]) -> frozenset[str]:
        """Return which of *names* the connection still has."""
        keys = {key_of(each): each for each in names}
        rows = await self.fetch_rows(_SELECT_HELD, keys=json.dumps(list(keys)))
        return frozenset(keys[key] for (key,) in rows)

    async def find_problems(self) -> Sequence[str]:
        """Report a pooler that gives each statement another session."""
        sessions = {await self.execute("SELECT CONNECTION_ID()") for _ in range(_SESSION_PROBES)}
        return () if len(sessions) == 1 else [POOLED_ADVICE]

    async def configure_session(self) -> None:
        """Never end a session for being idle."""
        await self.run_command(f"SET SESSION wait_timeout = {_MAX_IDLE_SECONDS}")


def key_of(name: str) -> str:
    """Return a digest of *name*, which may be longer than the name of a lock may."""
    return f"fe:{hashlib.blake2b(name.encode(), digest_size=_DIGITS // 2).hexdigest()}"
