"""A token → the principal: everything about it is checked that can be forged."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

import jwt
from jwt.types import Options
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.jwt.claims import (
    ClaimNames,
    check_kind,
    end_of,
    principal_of,
)
from fastapi_easy.infrastructure.authentication.jwt.key_set import Candidates, KeySet
from fastapi_easy.infrastructure.authentication.jwt.options import TokenRules
from fastapi_easy.infrastructure.authentication.jwt.refused import TokenRefused

_OPTIONS: Final[Options] = {"require": ["exp", "iss", "aud", "sub"]}
_SEGMENTS: Final = 3
_REMEMBERED_FOR: Final = 60.0
"""Seconds for which a verified token is not verified again."""

_REMEMBERED: Final = 1024
"""Tokens that are remembered."""


class TokenVerifier:
    """Verifies the tokens of one issuer.

    Args:
        issuer: The value of `iss`.

        audience: The accepted values of `aud`.

        keys: The keys of the issuer.

        rules: What tokens have to be like, with their algorithms.

        claims: The claims that say who the caller is.

        now: Returns seconds since some fixed moment.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: tuple[str, ...],
        keys: KeySet,
        rules: TokenRules,
        claims: ClaimNames,
        now: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._rules = rules
        self._claims = claims
        self._now = now
        self._jwt = jwt.PyJWT({"enforce_minimum_key_length": True})
        self._verified: dict[bytes, tuple[Outcome[Principal | None], float]] = {}
        self._generation = keys.generation

    def recall(self, token: str) -> Outcome[Principal | None] | None:
        """Return what *token* was found to be lately; `None` where it is to be verified."""
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._verified.clear()
        known = self._verified.get(_digest_of(token))
        return known[0] if known is not None and self._now() < known[1] else None

    async def verify(self, token: str) -> Outcome[Principal | None]:
        """Return whom *token* is about; `None` where it is no token of this issuer.

        Fails with:
            Unavailable: The keys of the issuer are not known.

        Raises:
            TokenRefused: It is a token of this issuer, and not valid.
        """
        known = self.recall(token)
        if known is not None:
            return known
        parsed = _parse(token)
        if parsed is None or parsed[1].get("iss") != self._issuer:
            return Success(None)
        header = parsed[0]
        header_type = self._check_header(header)
        found = await self._keys.find(header.get("kid"), header["alg"])
        if isinstance(found, Failure):
            return found
        claims = self._decode(token, header["alg"], found.unwrap())
        check_kind(header_type, claims, self._rules)
        ends = end_of(claims, self._rules.max_lifetime)
        principal = principal_of(claims, self._claims)
        verified: Outcome[Principal | None] = Success(principal)
        self._remember(_digest_of(token), verified, ends)
        return verified

    def _decode(self, token: str, algorithm: str, keys: Candidates) -> dict[str, Any]:
        """Return the claims of *token*, signed with one of *keys*, valid now and for this API."""
        reason = "no such key"
        for each in keys:
            try:
                return self._jwt.decode(
                    token,
                    each.key,
                    algorithms=[algorithm],
                    audience=self._audience,
                    issuer=self._issuer,
                    leeway=self._rules.leeway,
                    options=_OPTIONS,
                )
            except jwt.PyJWTError as error:
                # The name alone: messages quote the token.
                reason = type(error).__name__
        raise TokenRefused(reason)

    def _check_header(self, header: dict[str, Any]) -> str:
        """Return the type in *header*, in lower case, if a token with such a header may be valid."""
        if header.get("alg") not in self._rules.algorithms:
            raise TokenRefused("alg is not accepted")
        # Nothing here understands an extension; an unknown one must not be passed over (RFC 7515 4.1.11).
        if "crit" in header or "b64" in header:
            raise TokenRefused("crit or b64 in the header")
        if not isinstance(header.get("kid", ""), str) or not isinstance(header.get("typ", ""), str):
            raise TokenRefused("kid or typ is not a text")
        kind: str = header.get("typ", "")
        return kind.lower().removeprefix("application/")

    def _remember(self, digest: bytes, verified: Outcome[Principal | None], ends: float) -> None:
        left = min(_REMEMBERED_FOR, ends + self._rules.leeway - time.time())
        _ = self._verified.pop(digest, None)
        if len(self._verified) >= _REMEMBERED:
            _ = self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = verified, self._now() + left


def _digest_of(token: str) -> bytes:
    """Return what *token* is remembered by: the token itself is worth more to whoever reads the memory.

    BLAKE2 is Python's own; with SHA-256 each request would pay for the way through OpenSSL.
    """
    return blake2b(token.encode("ascii"), digest_size=32).digest()


def _parse(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the header and the claims of *token*, not verified; `None` where it has not the form of a token."""
    segments = token.split(".")
    if len(segments) != _SEGMENTS:
        return None
    try:
        header, claims = (
            json.loads(urlsafe_b64decode(each + "=" * (-len(each) % 4))) for each in segments[:2]
        )
    except (ValueError, RecursionError):
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None
