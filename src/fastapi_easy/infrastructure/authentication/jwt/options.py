"""What is accepted as a token, and where the keys to verify it come from."""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """The public keys of an issuer, as a JSON Web Key Set (RFC 7517) that is fetched when a token first needs one.

    Attributes:
        url: Where the set is; `None` where the discovery document of the issuer says so. `https`, or on this machine.

        ttl: Seconds after which the keys are fetched again, while tokens are still verified with the old ones.

        stale_for: Seconds for which keys are used that cannot be fetched again.

        interval: Seconds between the end of one fetch and the next, whatever tokens ask for.

        timeout: Seconds one fetch may take.
    """

    url: str | None = None
    ttl: float = 300.0
    stale_for: float = 3600.0
    interval: float = 10.0
    timeout: float = 3.0


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Public keys that are known beforehand.

    Attributes:
        pem: One key or several, in PEM; any of them may have signed a token.
    """

    pem: str


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A secret that issuer and application share: whoever verifies tokens can make them.

    Attributes:
        value: At least as many bytes as the hash of the algorithm has: 32 for HS256.
    """

    value: str = field(repr=False)


KeySource: TypeAlias = RemoteKeys | PublicKeys | SharedSecret
"""Where the keys come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token has to be like, besides being issued by the right issuer for the right audience.

    Attributes:
        algorithms: All of one family: RS, PS, ES, HS or EdDSA. Empty means RS256, or HS256 with a shared secret.

        leeway: Seconds by which the clocks of issuer and application may differ.

        max_lifetime: Seconds from `iat` to `exp` at most; `None` for any number.

        header_types: Accepted values of `typ` in the header, in lower case; an empty one stands for none.

        kind_claims: Claims that say which kind of token it is; where one is present, it has to say an access token.
    """

    algorithms: tuple[str, ...] = ()
    leeway: float = 30.0
    max_lifetime: float | None = None
    header_types: tuple[str, ...] = ("at+jwt", "jwt", "")
    kind_claims: tuple[str, ...] = ("token_use", "token_type", "type", "typ")
