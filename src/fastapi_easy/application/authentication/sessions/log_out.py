"""Log out: a session is closed."""

from dataclasses import dataclass

from returns.result import Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.events import SessionClosed
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus


@dataclass(frozen=True, slots=True)
class LogOut:
    """Close *session*. Its browser forgets it; a copy of its cookie is refused where `Sessions.is_current` says so."""

    session: Session


class LogOutHandler:
    """Carries out `LogOut`."""

    def __init__(self, clock: Clock, events: EventBus) -> None:
        self._clock = clock
        self._events = events

    async def __call__(self, command: LogOut, context: Context, /) -> Outcome[None]:
        """Publish `SessionClosed`."""
        session = command.session
        closed = SessionClosed(
            key=session.principal_id,
            actor=session.principal_id,
            tenant=session.tenant,
            session_id=session.id,
            correlation_id=context.correlation_id,
            occurred_at=self._clock.now(),
        )
        await self._events.publish([closed])
        return Success(None)
