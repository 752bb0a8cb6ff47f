"""Log in: a username and a password open a session."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.authentication.sessions.declaration import VerifyPassword
from fastapi_easy.application.authentication.sessions.throttle import Throttle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.events import SessionOpened, SessionRefused
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.errors import Error, Fault, Invalid, Outcome, RateLimited, Unauthenticated
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus

MAX_USERNAME: Final = 255
"""Characters of a username at most."""

MAX_PASSWORD: Final = 1024
"""Characters of a password at most: hashing longer ones would take longer."""

_ID_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class LogIn:
    """Open a session for whoever has this username and password.

    Attributes:
        username: As somebody wrote it.

        password: Never logged, never part of an error.
    """

    username: str
    password: str = field(repr=False)


class LogInHandler:
    """Carries out `LogIn`.

    Args:
        verify: The program's own check of passwords.

        throttle: Slows down whoever tries passwords.

        clock: Tells the time.

        events: Are told of each session that is opened or refused.
    """

    def __init__(self, verify: VerifyPassword, throttle: Throttle, clock: Clock, events: EventBus) -> None:
        self._verify = verify
        self._throttle = throttle
        self._clock = clock
        self._events = events

    async def __call__(self, command: LogIn, context: Context, /) -> Outcome[Session]:
        """Return a new session, with an id that nobody had before.

        Fails with:
            Invalid: A text is empty or too long.

            RateLimited: There were too many attempts for the account, or from the address; the password was not
                looked at.

            Unauthenticated: The password is wrong, or there is no such account; it never says which.

            Unavailable: What counts attempts does not answer.
        """
        if faults := _faults_of(command):
            return Failure(Invalid(faults))
        begun = await self._throttle.begin(command.username, context.address)
        if isinstance(begun, Failure):
            error = begun.failure()
            return await self._refuse(command, context, error) if isinstance(error, RateLimited) else begun
        attempt = begun.unwrap()
        try:
            principal = await self._verify(command.username, command.password)
        except Exception:
            # A call that is cancelled has counted: its password may have been looked at.
            await self._throttle.was_not_made(attempt)
            raise
        if principal is None or not principal.id:
            return await self._refuse(command, context, Unauthenticated("Session"))
        await self._throttle.succeeded(attempt)
        now = self._clock.now()
        session = Session(
            id=secrets.token_urlsafe(_ID_BYTES),
            principal_id=principal.id,
            roles=principal.roles,
            tenant=principal.tenant,
            scopes=principal.scopes,
            opened_at=now.replace(microsecond=0),
            renewed_at=now.replace(microsecond=0),
        )
        opened = SessionOpened(
            key=principal.id,
            actor=principal.id,
            tenant=principal.tenant,
            address=context.address,
            correlation_id=context.correlation_id,
            occurred_at=now,
        )
        await self._events.publish([opened])
        return Success(session)

    async def _refuse(self, command: LogIn, context: Context, error: Error) -> Failure[Error]:
        refused = SessionRefused(
            key=command.username,
            address=context.address,
            throttled=isinstance(error, RateLimited),
            correlation_id=context.correlation_id,
            occurred_at=self._clock.now(),
        )
        await self._events.publish([refused])
        return Failure(error)


def _faults_of(command: LogIn) -> tuple[Fault, ...]:
    texts = (("username", command.username, MAX_USERNAME), ("password", command.password, MAX_PASSWORD))
    return tuple(
        Fault(f"/{name}", f"Must have 1 to {longest} characters", "string_length")
        for name, text, longest in texts
        if not 0 < len(text) <= longest
    )
