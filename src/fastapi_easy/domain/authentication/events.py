"""What happens to API keys and sessions. No event holds a secret."""

import datetime
from dataclasses import dataclass
from typing import ClassVar

from fastapi_easy.domain.changes.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(DomainEvent):
    """A key was issued: `api_key.created`. The key of the event is the id of the API key.

    Attributes:
        owner: The id of the principal who calls with it.

        expires_at: From when on it is refused; `None` for never.
    """

    verb: ClassVar[str] = "created"
    resource: str = "api_key"
    owner: str
    expires_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(DomainEvent):
    """A key was revoked: `api_key.revoked`. The key of the event is the id of the API key.

    Attributes:
        owner: The id of the principal who called with it.
    """

    verb: ClassVar[str] = "revoked"
    resource: str = "api_key"
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(DomainEvent):
    """Somebody has logged in: `session.opened`. The key of the event is the id of the principal.

    Attributes:
        address: Where the call came from; empty where nobody knows.
    """

    verb: ClassVar[str] = "opened"
    resource: str = "session"
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(DomainEvent):
    """Somebody has logged out: `session.closed`. The key of the event is the id of the principal.

    Attributes:
        session_id: Of the session that ended, so that a copy of its cookie can be refused.
    """

    verb: ClassVar[str] = "closed"
    resource: str = "session"
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRefused(DomainEvent):
    """A log-in was refused: `session.refused`. The key of the event is the account as it was written.

    Attributes:
        address: Where the call came from; empty where nobody knows.

        throttled: There had been too many attempts, so that the password was not looked at.
    """

    verb: ClassVar[str] = "refused"
    resource: str = "session"
    address: str = ""
    throttled: bool = False
