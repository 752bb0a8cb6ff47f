"""Where keys come from → the keys, once nothing about it is contradictory."""

from collections.abc import Callable

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.authentication.jwt.fetching import KeyFetcher, discovery_url, is_trusted_url
from fastapi_easy.infrastructure.authentication.jwt.key_set import FixedKeySet, KeySet
from fastapi_easy.infrastructure.authentication.jwt.options import (
    KeySource,
    PublicKeys,
    RemoteKeys,
    SharedSecret,
)
from fastapi_easy.infrastructure.authentication.jwt.remote_key_set import RemoteKeySet
from fastapi_easy.infrastructure.authentication.jwt.verification_keys import (
    VerificationKey,
    family_of,
    read_pem,
)

__all__ = ["discovery_url", "open_key_set"]


def open_key_set(
    issuer: str, source: KeySource, algorithms: frozenset[str], now: Callable[[], float]
) -> KeySet:
    """Return the keys of *issuer*; nothing is fetched yet.

    Raises:
        DeclarationError: *source* has no keys for *algorithms*, or somebody could change them on the way.
    """
    family = family_of(sorted(algorithms))
    if (family == "HS") is not isinstance(source, SharedSecret):
        # With a public key as its secret everybody could sign: the two never meet (RFC 8725 2.1).
        raise DeclarationError(
            [
                "algorithms of the family HS need a shared secret, all others public keys: name others, or other keys"
            ]
        )
    match source:
        case SharedSecret(value):
            return FixedKeySet([_secret_key(value, algorithms)])
        case PublicKeys(pem):
            return FixedKeySet(read_pem(pem, algorithms))
        case RemoteKeys(url):
            what, address = ("issuer", discovery_url(issuer)) if url is None else ("jwks_url", url)
            if not is_trusted_url(address):
                raise DeclarationError(
                    [f"{what}: its keys could be exchanged on the way here: use an address with https"]
                )
            fetcher = KeyFetcher(issuer, url, source.timeout)
            return RemoteKeySet(issuer, source, algorithms, fetcher.fetch, now)


def _secret_key(value: str, algorithms: frozenset[str]) -> VerificationKey:
    key = value.encode("utf-8")
    needed = max(int(each.removeprefix("HS")) // 8 for each in algorithms)
    if len(key) < needed:
        raise DeclarationError(
            [
                f"the shared secret has {len(key)} bytes: use at least {needed} for {', '.join(sorted(algorithms))}"
            ]
        )
    return VerificationKey(key, algorithms)
