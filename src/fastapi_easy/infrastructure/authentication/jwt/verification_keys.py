"""Keys that verify signatures, each with the algorithms that it may verify: of one family, and of its own type."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from fastapi_easy.domain.errors import DeclarationError

FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "RS": frozenset({"RS256", "RS384", "RS512"}),
    "PS": frozenset({"PS256", "PS384", "PS512"}),
    "ES": frozenset({"ES256", "ES384", "ES512"}),
    "EdDSA": frozenset({"EdDSA"}),
    "HS": frozenset({"HS256", "HS384", "HS512"}),
}
"""The algorithms that one issuer may use together."""

_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_READERS: Final[Mapping[str, Callable[[dict[str, Any]], object]]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}
"""By the type of a key; shared secrets are not among them."""

_SMALLEST_RSA: Final = 2048
_PEM: Final = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key that verifies signatures.

    Attributes:
        key: As PyJWT takes it.

        algorithms: Those that it may verify.

        id: The `kid` of tokens that are signed with it; `None` for any token.
    """

    key: Any = field(repr=False)
    algorithms: frozenset[str]
    id: str | None = None


def family_of(algorithms: Sequence[str]) -> str:
    """Return the family of *algorithms*.

    Raises:
        DeclarationError: They are of several families, or one is not known.
    """
    for family, members in FAMILIES.items():
        if members.issuperset(algorithms):
            return family
    families = "; ".join(", ".join(sorted(members)) for members in FAMILIES.values())
    raise DeclarationError([f"algorithms {', '.join(algorithms)}: use those of one family: {families}"])


def read_key_set(document: Any, algorithms: frozenset[str]) -> tuple[VerificationKey, ...]:
    """Return the keys of a JSON Web Key Set that verify *algorithms*; keys for anything else are left out.

    Raises:
        ValueError: It is no key set, or has none of these keys.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 (of the document, not of the call)
    found = tuple(key for each in keys if (key := _read_key(each, algorithms)) is not None)
    if not found:
        raise ValueError(f"no key for {', '.join(sorted(algorithms))}")
    return found


def read_pem(text: str, algorithms: frozenset[str]) -> tuple[VerificationKey, ...]:
    """Return the public keys in *text*.

    Raises:
        DeclarationError: There is none, or one is of another type than *algorithms* need.
    """
    keys: list[VerificationKey] = []
    for each in _PEM.findall(text):
        try:
            key = load_pem_public_key(each.encode("ascii"))
        except (ValueError, UnsupportedAlgorithm):
            raise DeclarationError(["the public key cannot be read: pass it in PEM"]) from None
        usable = _usable(key, algorithms)
        if not usable:
            raise DeclarationError(
                [
                    (
                        f"the public key does not verify {', '.join(sorted(algorithms))}: name the algorithms of "
                        "its type; RSA keys have at least 2048 bits"
                    )
                ]
            )
        keys.append(VerificationKey(key, usable))
    if not keys:
        raise DeclarationError(["there is no public key: pass one in PEM, -----BEGIN PUBLIC KEY-----"])
    return tuple(keys)


def _read_key(jwk: Any, algorithms: frozenset[str]) -> VerificationKey | None:
    """Return the key that *jwk* describes; `None` where it is not meant for these signatures, or cannot be read."""
    # A set that publishes private or shared keys is not to be relied upon for them.
    if not isinstance(jwk, Mapping) or {"d", "k"} & jwk.keys():
        return None
    operations, own, name = jwk.get("key_ops", ["verify"]), jwk.get("alg"), jwk.get("kid")
    is_meant = (
        jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and (own is None or isinstance(own, str))
    )
    reader = _READERS.get(str(jwk.get("kty")))
    if not is_meant or reader is None:
        return None
    try:
        key = reader(dict(jwk))
    except (PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    usable = _usable(key, algorithms if own is None else algorithms & {own})
    return VerificationKey(key, usable, name if isinstance(name, str) else None) if usable else None


def _usable(key: object, algorithms: frozenset[str]) -> frozenset[str]:
    """Return those of *algorithms* that *key* verifies by its type."""
    match key:
        case RSAPublicKey(key_size=size) if size >= _SMALLEST_RSA:
            return algorithms & (FAMILIES["RS"] | FAMILIES["PS"])
        case EllipticCurvePublicKey(curve=curve):
            return algorithms & {_CURVES.get(curve.name, "")}
        case Ed25519PublicKey():
            return algorithms & FAMILIES["EdDSA"]
        case _:
            return frozenset()
