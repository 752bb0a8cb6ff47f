"""Verified claims → the principal, unless the token is no access token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.jwt.options import TokenRules
from fastapi_easy.infrastructure.authentication.jwt.refused import TokenRefused

_ACCESS: Final = frozenset({"access", "access_token", "at+jwt", "bearer"})
"""What issuers call an access token, in lower case."""

_LATEST: Final = 2**53
"""A time that no token reaches, and the first that a float cannot tell from the next."""

_OF_ID_TOKENS: Final = ("at_hash", "c_hash", "nonce")
"""Claims that tell ID tokens (OpenID Connect Core 2, 3.3.2.11) where nothing says what kind of token it is."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """The claims that say who the caller is. Dots lead into objects, unless a claim has that very name.

    Attributes:
        id: A text that is stable and unique.

        roles: A list of texts, or one text; a token without it has no roles.

        tenant: A text; `None` where callers have no tenant.

        scopes: The permissions that the token is limited to, as a list or separated by spaces, like `books:read`; a
            token without it may do nothing. `None` where tokens are not limited.
    """

    id: str = "sub"
    roles: str = "roles"
    tenant: str | None = None
    scopes: str | None = None


def check_kind(header_type: str, claims: Mapping[str, Any], rules: TokenRules) -> None:
    """Check that these are the header and the claims of an access token.

    Args:
        header_type: The value of `typ` in the header, in lower case; empty for none.

        claims: The claims.

        rules: Say what tells the kind of a token.

    Raises:
        TokenRefused: They are of a refresh token, an ID token or the like.
    """
    if header_type not in rules.header_types:
        raise TokenRefused("typ in the header is not accepted")
    kinds = [claims[name] for name in rules.kind_claims if name in claims]
    if not all(isinstance(kind, str) and kind.lower() in _ACCESS for kind in kinds):
        raise TokenRefused("not an access token")
    if not kinds and header_type != "at+jwt" and any(name in claims for name in _OF_ID_TOKENS):
        raise TokenRefused("an ID token")


def end_of(claims: Mapping[str, Any], longest: float | None) -> float:
    """Return the time at which verified *claims* end, in seconds since 1970.

    Args:
        claims: The claims.

        longest: Seconds for which they may be valid at most; `None` for any number.

    Raises:
        TokenRefused: They are valid for longer, or do not say it in numbers.
    """
    ends = _seconds(claims, "exp")
    if longest is not None and ends - _seconds(claims, "iat") > longest:
        raise TokenRefused("valid for too long")
    return ends


def principal_of(claims: Mapping[str, Any], names: ClaimNames) -> Principal:
    """Return the caller that verified *claims* are about.

    Raises:
        TokenRefused: A claim of *names* is not what it has to be.
    """
    caller = _find(claims, names.id)
    if not isinstance(caller, str) or not caller:
        raise TokenRefused(f"{names.id} is no text")
    tenant = None if names.tenant is None else _find(claims, names.tenant)
    if tenant is not None and (not isinstance(tenant, str) or not tenant):
        raise TokenRefused(f"{names.tenant} is no text")
    roles = _find(claims, names.roles)
    return Principal(
        id=caller,
        roles=_texts([roles] if isinstance(roles, str) else roles, names.roles),
        tenant=tenant,
        scopes=None if names.scopes is None else _scopes(_find(claims, names.scopes), names.scopes),
        claims=dict(claims),
    )


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or not 0 < value < _LATEST:
        raise TokenRefused(f"{name} is no time")
    return float(value)


def _scopes(value: Any, name: str) -> frozenset[str]:
    return _texts(value.split() if isinstance(value, str) else value, name)


def _texts(value: Any, name: str) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TokenRefused(f"{name} is not a list of texts")
    return frozenset(value)


def _find(claims: Mapping[str, Any], name: str) -> Any:
    # The names of some issuers' claims are URLs, which have dots of their own.
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
