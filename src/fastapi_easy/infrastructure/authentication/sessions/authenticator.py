"""Verifies the cookies of sessions."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.authentication.session import Session, SessionRules
from fastapi_easy.domain.errors import Outcome, Unauthenticated
from fastapi_easy.domain.ports.authenticator import CredentialPlace, Credentials, SecurityScheme
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.session_codec import SessionCodec
from fastapi_easy.domain.principal import Principal

_logger: Final = logging.getLogger(__name__)

_REFUSED: Final = Failure(Unauthenticated("Session"))


class SessionAuthenticator:
    """Implements `Authenticator` for the cookie of a session.

    Args:
        codec: Reads cookies.

        rules: How long sessions last.

        clock: Tells the time.

        cookie: The name of the cookie.

        is_current: Asked for each call whether the session still counts; without it only its age decides.
    """

    def __init__(
        self,
        codec: SessionCodec,
        rules: SessionRules,
        clock: Clock,
        cookie: str,
        is_current: Callable[[Session], Awaitable[bool]] | None = None,
    ) -> None:
        self.scheme = SecurityScheme(
            name="session",
            place=CredentialPlace.COOKIE,
            parameter=cookie,
            description="The cookie of a browser that has logged in; changes need X-CSRF-Token as well.",
        )
        self._codec = codec
        self._rules = rules
        self._clock = clock
        self._is_current = is_current

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        """Return who has logged in; `None` for another cookie.

        Fails with:
            Unauthenticated: The cookie is forged, or its session is over.
        """
        scheme = self.scheme
        if (credentials.place, credentials.parameter) != (scheme.place, scheme.parameter):
            return Success(None)
        session = self._codec.read(credentials.value)
        if session is None or not self._rules.is_live(session, self._clock.now()):
            _logger.debug("a session cookie is forged, or its session is over")
            return _REFUSED
        if self._is_current is not None and not await self._is_current(session):
            _logger.debug("a session of %s does not count any more", session.principal_id)
            return _REFUSED
        return Success(session.principal())
