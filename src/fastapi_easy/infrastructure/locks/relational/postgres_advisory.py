"""Session-level advisory locks of PostgreSQL."""

import hashlib
from collections.abc import Sequence
from typing import Final

from fastapi_easy.infrastructure.locks.relational.session_locks import POOLED_ADVICE, SessionLockStore

_NAMESPACE: Final = "fastapi_easy"
_LOCK: Final = """
SELECT CASE WHEN pg_try_advisory_lock(CAST(:key AS bigint))
            THEN CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) END
"""
_SELECT_HELD: Final = """
SELECT CAST(classid AS bigint) << 32 | CAST(objid AS bigint) FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid()
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""Every lock of the connection: as many as `SessionLockStore` allows."""

_CONFIGURE_SESSION: Final = """
SELECT count(set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '10' WHEN 'tcp_keepalives_interval' THEN '5'
                              WHEN 'tcp_keepalives_count' THEN '3' ELSE '0' END, false))
  FROM pg_settings
 WHERE name IN ('idle_session_timeout', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count')
"""
_SESSION_PROBES: Final = 3
"""How often the session is asked for its number: behind a pooler one answer will differ."""


class PostgresAdvisoryLockStore(SessionLockStore):
    """Implements `LeaseStore` with `pg_try_advisory_lock`, which never waits."""

    async def lock(self, name: str) -> int | None:
        """Lock *name* if nobody else has."""
        micros = await self.execute(_LOCK, key=key_of(name))
        return None if micros is None else int(micros)

    async def unlock(self, name: str) -> bool:
        """Unlock *name*; return whether the connection had it, which is an answer and no error of the server."""
        return bool(await self.execute("SELECT pg_advisory_unlock(CAST(:key AS bigint))", key=key_of(name)))

    async def find_locked(self, names: Sequence[str]) -> frozenset[str]:
        """Return which of *names* the connection still has."""
        held = {key for (key,) in await self.fetch_rows(_SELECT_HELD)}
        return frozenset(each for each in names if key_of(each) in held)

    async def find_problems(self) -> Sequence[str]:
        """Report a pooler that gives each statement another session."""
        sessions = {await self.execute("SELECT pg_backend_pid()") for _ in range(_SESSION_PROBES)}
        return () if len(sessions) == 1 else [POOLED_ADVICE]

    async def configure_session(self) -> None:
        """Never end a session for being idle, and notice within half a minute that the other machine is gone."""
        _ = await self.execute(_CONFIGURE_SESSION)


def key_of(name: str) -> int:
    """Return the number for *name*, the same on every machine.

    It has 64 bits: with five billion names at once two of them are likely to share one.
    """
    digest = hashlib.blake2b(f"{_NAMESPACE}\x1f{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
