"""The sessions of an application, as an interface needs them."""

from dataclasses import dataclass, replace

from returns.result import Failure, Success

from fastapi_easy.application.authentication.sessions.log_in import LogInHandler
from fastapi_easy.application.authentication.sessions.log_out import LogOutHandler
from fastapi_easy.domain.authentication.session import Session, SessionRules
from fastapi_easy.domain.errors import Outcome, Unauthenticated
from fastapi_easy.domain.ports.authenticator import Authenticator, Credentials
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.session_codec import SessionCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUseCases:
    """The sessions of an application.

    Attributes:
        log_in, log_out: The use cases.

        authenticator: Verifies the text of a session.

        codec: Writes and reads the texts of sessions.

        rules: How long sessions last.

        clock: Tells the time.

        path: Of the routes.

        is_secure: Whether cookies are sent over HTTPS only.
    """

    log_in: LogInHandler
    log_out: LogOutHandler
    authenticator: Authenticator
    codec: SessionCodec
    rules: SessionRules
    clock: Clock
    path: str
    is_secure: bool

    async def find_session(self, text: str) -> Outcome[Session]:
        """Return the session with *text*.

        Fails with:
            Unauthenticated: It is forged, over, or does not count any more.
        """
        scheme = self.authenticator.scheme
        verified = await self.authenticator.authenticate(Credentials(scheme.place, scheme.parameter, text))
        if isinstance(verified, Failure):
            return verified
        session = self.codec.read(text)
        return Failure(Unauthenticated("Session")) if session is None else Success(session)

    def renew(self, session: Session) -> Session:
        """Return *session* as its browser is to have it: with a new idle time, if that is due."""
        now = self.clock.now()
        return (
            replace(session, renewed_at=now.replace(microsecond=0))
            if self.rules.is_renewal_due(session, now)
            else session
        )
