"""What a request with a cookie has to show beyond it, and what its browser is given back."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.ports import CredentialPlace, Credentials
from fastapi_easy.interfaces.http.authentication.cookies import Header, SessionCookies
from fastapi_easy.interfaces.http.authentication.csrf import SAFE_METHODS, OriginRule, token_in
from fastapi_easy.interfaces.http.problems import Problem
from fastapi_easy.interfaces.http.request_problems import NO_CSRF_TOKEN, OTHER_SITE

_COOKIES: Final = "fastapi_easy.session_cookies"
"""Where a scope keeps the headers that its response is to have."""


class CookieGuard:
    """Guards requests that are identified by a cookie.

    Args:
        use_cases: The sessions of the application; `None` where cookies are those of authenticators of its own, about
            which only the origin of a request is known.

        origins: Which pages may make a browser send requests.
    """

    def __init__(self, use_cases: SessionUseCases | None, origins: OriginRule) -> None:
        self._use_cases = use_cases
        self._origins = origins

    def find_problem(
        self, scope: Scope, headers: Mapping[bytes, bytes], credentials: Credentials | None
    ) -> Problem | None:
        """Return why a request is refused before anybody looks at its cookie; `None` when it is not.

        Args:
            scope: Of the request.

            headers: Those of the request by lower-case name.

            credentials: Those it is identified by: bearers and headers are sent by programs only.
        """
        if credentials is None or credentials.place is not CredentialPlace.COOKIE:
            return None
        # A WebSocket is opened by a GET, and everything can come after it.
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return None
        if not self._origins.permits(headers):
            return OTHER_SITE
        session = self._find_session(credentials)
        if session is None or self._use_cases is None or scope["type"] != "http":
            return None
        is_right = self._use_cases.codec.is_csrf_token(token_in(headers), session.id)
        return None if is_right else NO_CSRF_TOKEN

    def renew(self, scope: Scope, credentials: Credentials | None) -> None:
        """Let the response to a request that was identified give its browser the session anew, if that is due."""
        use_cases = self._use_cases
        session = None if credentials is None else self._find_session(credentials)
        if session is None or use_cases is None:
            return
        renewed = use_cases.renew(session)
        if renewed is not session:
            scope[_COOKIES] = cookies_with(use_cases, renewed)

    def _find_session(self, credentials: Credentials) -> Session | None:
        """Return the session of *credentials*; `None` where they are none, or forged: they identify nobody then."""
        use_cases = self._use_cases
        if use_cases is None or credentials.place is not CredentialPlace.COOKIE:
            return None
        if credentials.parameter != use_cases.authenticator.scheme.parameter:
            return None
        return use_cases.codec.read(credentials.value)


def cookies_of(use_cases: SessionUseCases) -> SessionCookies:
    """Return what writes the cookies of *use_cases*."""
    return SessionCookies(use_cases.authenticator.scheme.parameter, use_cases.is_secure)


def cookies_with(use_cases: SessionUseCases, session: Session) -> tuple[Header, ...]:
    """Return the headers that give a browser *session*."""
    left = use_cases.rules.expires_at(session) - use_cases.clock.now()
    token = use_cases.codec.csrf_token(session.id)
    return cookies_of(use_cases).store(use_cases.codec.write(session), token, int(left.total_seconds()))


class RenewedCookies:
    """ASGI app around others that adds the cookies of renewed sessions to their responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                added: tuple[Header, ...] = scope.get(_COOKIES, ())
                if added:
                    # In front: the last header tells the outer layers which ones are there already.
                    message["headers"] = [*added, *message.get("headers", ())]
            await send(message)

        await self._app(scope, receive, send_with_cookies)
