"""Identifies the caller of each request with the authenticators of the application."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

from returns.result import Failure
from starlette.types import Scope

from fastapi_easy.application.authentication.identify_caller import IdentifyCaller
from fastapi_easy.domain import Outcome, Principal
from fastapi_easy.domain.errors import Unauthenticated
from fastapi_easy.domain.ports import Authenticator, CredentialPlace, SecurityScheme
from fastapi_easy.interfaces.http.authentication.cookie_guard import CookieGuard
from fastapi_easy.interfaces.http.authentication.credentials import find_credentials
from fastapi_easy.interfaces.http.exchange import (
    Exchange,
    HttpResponse,
    ProblemError,
    StreamedResponse,
    problem_error,
)
from fastapi_easy.interfaces.http.http_resource import Endpoint
from fastapi_easy.interfaces.http.scopes.correlation import correlation_id_of

OnRefused: TypeAlias = Callable[[CredentialPlace, str, str], Awaitable[None]]
"""Is told where refused credentials were, the address they came from, and the correlation id of the request."""

_IDENTIFIED: Final = "fastapi_easy.identified"
"""Where a scope keeps who identified its caller, and as whom."""


class CallerIdentification:
    """Finds the caller of a request, once for each.

    Args:
        authenticators: Returns those that the application has by now.

        cookie_guard: Refuses what pages of other sites have made browsers send.

        public: Returns what anonymous callers may do, by resource; `None` while that is not known.

        on_refused: Is told of credentials that do not count.
    """

    def __init__(
        self,
        authenticators: Callable[[], Sequence[Authenticator]],
        cookie_guard: CookieGuard,
        public: Callable[[], Mapping[str, Sequence[str]] | None] = lambda: None,
        on_refused: OnRefused | None = None,
    ) -> None:
        self.public = public
        self._cookie_guard = cookie_guard
        self._on_refused = on_refused
        self._authenticators = authenticators
        self._current = authenticators()
        self._identify = IdentifyCaller(self._current)

    def wrap(self, endpoint: Endpoint) -> Endpoint:
        """Let *endpoint* answer callers that are known, or anonymous; all others are told to authenticate."""

        async def identified(exchange: Exchange, segment: bytes) -> HttpResponse | StreamedResponse | None:
            outcome = await self.identify(exchange.scope, exchange.headers)
            if type(outcome) is Failure:
                raise problem_error(outcome.failure())
            exchange.principal = outcome.unwrap()
            return await endpoint(exchange, segment)

        return identified

    async def identify(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Outcome[Principal]:
        """Return the caller of a request.

        Args:
            scope: Remembers the outcome, so that a request is identified once.

            headers: Those of the request by lower-case name; repeated ones joined by a comma and a space.

        Fails with:
            Unauthenticated: The credentials are not valid.

            Unavailable: What is needed to verify them does not answer.

        Raises:
            ProblemError: They are a cookie, and a page of another site may have made the browser send it.
        """
        known: tuple[CallerIdentification, Outcome[Principal]] | None = scope.get(_IDENTIFIED)
        # An application inside of this one has authenticators of its own, and relies on no others.
        if known is not None and known[0] is self:
            return known[1]
        current = self._authenticators()
        if current is not self._current:
            # A provider of a list makes a new list each time, of the same authenticators.
            if [*current] != [*self._current]:
                self._identify = IdentifyCaller(current)
            self._current = current
        identify = self._identify
        credentials = find_credentials(headers, identify.places)
        is_cookie = credentials is not None and credentials.place is CredentialPlace.COOKIE
        if is_cookie and (problem := self._cookie_guard.find_problem(scope, headers, credentials)):
            raise ProblemError(problem)
        outcome = await identify(credentials)
        if (
            self._on_refused is not None
            and credentials is not None
            and isinstance(outcome, Failure)
            and isinstance(outcome.failure(), Unauthenticated)
        ):
            client = scope.get("client")
            address = "" if client is None else str(client[0])
            await self._on_refused(credentials.place, address, correlation_id_of(scope, headers))
        if is_cookie and not isinstance(outcome, Failure):
            self._cookie_guard.renew(scope, credentials)
        scope[_IDENTIFIED] = self, outcome
        return outcome

    async def identify_again(self, headers: Mapping[bytes, bytes]) -> Outcome[Principal]:
        """Return the caller of a request that lasts, by the same credentials, as they count by now.

        Fails with: what `identify` fails with.
        """
        return await self._identify(find_credentials(headers, self._identify.places))

    def schemes(self) -> tuple[SecurityScheme, ...]:
        """Return how callers may authenticate, for documents."""
        return tuple(each.scheme for each in self._authenticators())


def identification_in(scope: Scope) -> CallerIdentification | None:
    """Return what has identified the caller of *scope*; `None` where it was not one of these."""
    known: tuple[CallerIdentification, Outcome[Principal]] | None = scope.get(_IDENTIFIED)
    return None if known is None else known[0]
