"""The access tokens of an identity provider as credentials."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError, Outcome, Unauthenticated
from fastapi_easy.domain.ports.authenticator import CredentialPlace, Credentials, SecurityScheme
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.jwt.claims import ClaimNames
from fastapi_easy.infrastructure.authentication.jwt.options import (
    KeySource,
    RemoteKeys,
    SharedSecret,
    TokenRules,
)
from fastapi_easy.infrastructure.authentication.jwt.refused import TokenRefused

_logger: Final = logging.getLogger("fastapi_easy.authentication")


class JwtAuthenticator:
    """Implements `Authenticator` for the JSON Web Tokens that one issuer makes for this API.

    A token is accepted that is signed with a key of the issuer by an algorithm of one family, names the issuer and
    the audience, has `sub` and `exp`, is valid now, and is an access token: neither a refresh token nor an ID token.

    Args:
        issuer: Exactly as tokens say in `iss`, like `https://id.example/realms/shop`.

        audience: The name of this API, or several, one of which tokens have in `aud`.

        keys: Where the keys to verify signatures come from; the issuer's discovery document, unless given.

        claims: The claims that say who the caller is.

        rules: What else tokens have to be like.

        name: The name of the security scheme in documents.

        now: Returns seconds since some fixed moment, to measure how old keys are.

    Raises:
        DeclarationError: The arguments contradict each other, or PyJWT is not installed.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str | Sequence[str],
        keys: KeySource = RemoteKeys(),
        claims: ClaimNames = ClaimNames(),
        rules: TokenRules = TokenRules(),
        name: str = "bearer",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            from fastapi_easy.infrastructure.authentication.jwt.key_sources import discovery_url, open_key_set
            from fastapi_easy.infrastructure.authentication.jwt.token_verifier import TokenVerifier
        except ModuleNotFoundError as error:
            raise DeclarationError([f'tokens need {error.name}: pip install "fastapi_easy[jwt]"']) from None
        if not rules.algorithms:
            rules = replace(rules, algorithms=("HS256",) if isinstance(keys, SharedSecret) else ("RS256",))
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        key_set = open_key_set(issuer, keys, frozenset(rules.algorithms), now)
        verifier = TokenVerifier(
            issuer=issuer, audience=audiences, keys=key_set, rules=rules, claims=claims, now=now
        )
        if not audiences or "" in audiences:
            raise DeclarationError(
                [
                    "there is no audience: name this API as its tokens do, or those of other APIs would be accepted"
                ]
            )
        self._recall: Callable[[str], Outcome[Principal | None] | None] = verifier.recall
        self._verify: Callable[[str], Awaitable[Outcome[Principal | None]]] = verifier.verify
        self._close: Callable[[], Awaitable[None]] = key_set.aclose
        is_discovered = isinstance(keys, RemoteKeys) and keys.url is None
        self._scheme = SecurityScheme(
            name=name,
            place=CredentialPlace.BEARER,
            format="JWT",
            openid_url=discovery_url(issuer) if is_discovered else "",
            description=f"An access token of {issuer}.",
        )

    @property
    def scheme(self) -> SecurityScheme:
        """The header `Authorization`, after the word `Bearer`."""
        return self._scheme

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        """Return whom the token is about; `None` where it is no token, or one of another issuer.

        Fails with:
            Unauthenticated: It is a token of this issuer, and not valid.

            Unavailable: The keys of the issuer are not known.
        """
        # Most tokens come again and again: those are not worth another coroutine.
        known = self._recall(credentials.value)
        if known is not None:
            return known
        try:
            return await self._verify(credentials.value)
        except TokenRefused as refused:
            _logger.debug("a token was refused: %s", refused.reason)
            return Failure(Unauthenticated())

    async def aclose(self) -> None:
        """End what fetches keys."""
        await self._close()
