"""Sessions: what a browser is given when somebody has logged in."""

import datetime
from dataclasses import dataclass

from fastapi_easy.domain.principal import Principal, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who has logged in, and when. Times are aware, UTC, in whole seconds.

    Attributes:
        id: New at each log-in; a secret of the browser's.

        principal_id: Who has logged in.

        roles, tenant, scopes: Of that principal, at log-in.

        opened_at: When they logged in.

        renewed_at: When the browser was given the session last; that time counts for the idle limit.
    """

    id: str
    principal_id: str
    roles: frozenset[str] = frozenset()
    tenant: Tenant | None = None
    scopes: frozenset[str] | None = None
    opened_at: datetime.datetime
    renewed_at: datetime.datetime

    def principal(self) -> Principal:
        """Return who has logged in; the claim `session_id` says by which session."""
        return Principal(
            id=self.principal_id,
            roles=self.roles,
            tenant=self.tenant,
            scopes=self.scopes,
            claims={"session_id": self.id},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How long sessions last.

    Attributes:
        lifetime: From log-in on, whatever happens.

        idle: Without a call; each call in the last nine tenths of it gives the browser the session anew.
    """

    lifetime: datetime.timedelta
    idle: datetime.timedelta

    def expires_at(self, session: Session) -> datetime.datetime:
        """Return when *session* ends unless there is another call."""
        return min(session.opened_at + self.lifetime, session.renewed_at + self.idle)

    def is_live(self, session: Session, now: datetime.datetime) -> bool:
        """Return whether *session* has not ended yet."""
        return now < self.expires_at(session)

    def is_renewal_due(self, session: Session, now: datetime.datetime) -> bool:
        """Return whether the browser is to be given *session* anew: not with each call, which would cost a cookie."""
        return now - session.renewed_at >= self.idle / 10
