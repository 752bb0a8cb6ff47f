"""Statements of leases that PostgreSQL and SQLite share."""

from typing import Final

ACQUIRE_STATEMENT: Final = """
INSERT INTO fe_lock AS l (name, owner, token, expires_at, acquired_at)
SELECT :name, :owner, {day}, {now} + :ttl, {now}
 WHERE (NOT EXISTS (SELECT 1 FROM fe_lock_wait w
                     WHERE w.name = :name AND w.expires_at > {now} AND w.ticket < :ticket)
        AND NOT EXISTS (SELECT 1 FROM fe_lock h WHERE h.name = :name AND h.owner <> :owner AND h.expires_at > {now}))
    OR EXISTS (SELECT 1 FROM fe_lock x WHERE x.name = :name AND x.owner = :owner)
ON CONFLICT (name) DO UPDATE SET
  name = :name, owner = :owner, expires_at = {now} + :ttl,
  acquired_at = CASE WHEN l.owner = :owner AND l.expires_at > {now} THEN l.acquired_at ELSE {now} END,
  token = CASE WHEN l.owner = :owner AND l.expires_at > {now} THEN l.token
               ELSE {greatest}(l.token + 1, {day}) END
 WHERE l.owner IS NULL OR l.expires_at <= {now} OR l.owner = :owner
RETURNING token
"""
"""One statement, so that it is atomic. The token is computed from the old row: a sequence would be read before the row
is locked, and so would not grow with each acquisition.

A name that somebody holds is not even locked, so that those who wait for it never keep its holder from renewing. The
name is written, though it stays what it is, since that waits for transactions which guard the lease they had.

`{day}` is the time of day, since tokens grow from one start of a machine to the next, and `{now}` what leases are
measured by."""

SELECT_BUSY: Final = """
SELECT (SELECT owner FROM fe_lock WHERE name = :name AND expires_at > {now}),
       (SELECT count(*) FROM fe_lock_wait WHERE name = :name AND expires_at > {now} AND ticket < :ticket)
"""
DELETE_WAIT: Final = "DELETE FROM fe_lock_wait WHERE owner = :owner"
INSERT_WAIT: Final = """
INSERT INTO fe_lock_wait (name, owner, expires_at) VALUES (:name, :owner, {now} + :ttl)
ON CONFLICT (owner) DO UPDATE SET expires_at = {now} + :ttl RETURNING ticket
"""
