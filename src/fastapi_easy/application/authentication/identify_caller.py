"""Identifies a caller by the credentials that an interface found, with the authenticators of the application."""

import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unauthenticated
from fastapi_easy.domain.ports.authenticator import Authenticator, CredentialPlace, Credentials
from fastapi_easy.domain.principal import ANONYMOUS, Principal

Place: TypeAlias = tuple[CredentialPlace, str]
"""Where credentials may be: a place, and the name of the header or the cookie."""

LONGEST_CREDENTIALS: Final = 8192
"""Characters of credentials; longer ones are refused before anybody looks at them."""

_VISIBLE: Final = re.compile(f"[!-~]{{1,{LONGEST_CREDENTIALS}}}")

_ANONYMOUS: Final = Success(ANONYMOUS)


class IdentifyCaller:
    """Return whose the credentials of a call are.

    Args:
        authenticators: Those for the same place are asked in this order, until one recognises the credentials.

    Attributes:
        places: Where an interface looks for credentials, in this order: only the first that it finds count. A bearer
            comes first and a cookie last, because a browser sends cookies unasked.

        challenge: The authentication scheme that callers without credentials are told of, as in `WWW-Authenticate`.
    """

    __slots__ = ("_known", "_only", "challenge", "places")

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        found: dict[Place, list[Authenticator]] = {}
        for each in sorted(authenticators, key=lambda each: each.scheme.place.value):
            found.setdefault((each.scheme.place, each.scheme.parameter), []).append(each)
        self.places: tuple[Place, ...] = tuple(found)
        has_bearer = any(place is CredentialPlace.BEARER for place, _ in found)
        self.challenge = "Bearer" if has_bearer else "APIKey"
        # Made once: every reason has the same answer (RFC 6750 3.1).
        refusals = {
            place: Failure(
                Unauthenticated(
                    'Bearer error="invalid_token"' if place[0] is CredentialPlace.BEARER else self.challenge
                )
            )
            for place in found
        }
        # Looked through, not looked up: there are one or two, and the hash of an enumeration is a call of Python.
        self._known = tuple((*place, tuple(those), refusals[place]) for place, those in found.items())
        self._only = self._known[0][2:] if len(self._known) == 1 else None

    async def __call__(self, credentials: Credentials | None, /) -> Outcome[Principal]:
        """Return whose *credentials* these are.

        Args:
            credentials: Those found in the first of `places` that had any; `None` for a caller who gave none, who
                is anonymous.

        Fails with:
            Unauthenticated: They are malformed or not valid, or nobody recognises them. It never says which.

            Unavailable: What is needed to verify them does not answer.
        """
        if credentials is None:
            return _ANONYMOUS
        authenticators, refusal = self._only or self._those_for(credentials)
        if _VISIBLE.fullmatch(credentials.value) is not None:
            for authenticator in authenticators:
                verified = await authenticator.authenticate(credentials)
                if type(verified) is Failure:
                    return refusal if isinstance(verified.failure(), Unauthenticated) else verified
                principal = verified.unwrap()
                if principal is not None:
                    known: Outcome[Any] = verified
                    return known
        return refusal

    def _those_for(
        self, credentials: Credentials
    ) -> tuple[tuple[Authenticator, ...], Failure[Unauthenticated]]:
        for place, parameter, authenticators, refusal in self._known:
            if place is credentials.place and parameter == credentials.parameter:
                return authenticators, refusal
        raise LookupError(
            f"no authenticator looks for credentials in {credentials.place} {credentials.parameter}"
        )
