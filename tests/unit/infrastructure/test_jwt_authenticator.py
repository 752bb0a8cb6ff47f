"""Tokens of every family of algorithms, and what a declaration of an authenticator may not say."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fastapi_easy.authentication import (
    ClaimNames,
    CredentialPlace,
    Credentials,
    JwtAuthenticator,
    PublicKeys,
    RemoteKeys,
    SharedSecret,
    TokenRules,
)
from fastapi_easy.container import Container
from fastapi_easy.domain import DeclarationError, Failure, Outcome, Principal, Success, Unauthenticated
from fastapi_easy.infrastructure.authentication.jwt.key_set import Candidates
from fastapi_easy.infrastructure.authentication.jwt.token_verifier import TokenVerifier
from fastapi_easy.infrastructure.authentication.jwt.verification_keys import VerificationKey, read_key_set
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock

ISSUER = "https://id.example"
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 (the subject of these tests)
RSA = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 (to be refused)
P256, P384 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1()))
ED = ed25519.Ed25519PrivateKey.generate()


def pem(*keys: Any) -> str:
    return "".join(
        each.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for each in keys
    )


def token(key: Any, algorithm: str, **claims: Any) -> str:
    now = int(time.time())
    known = {"iss": ISSUER, "aud": "shop", "sub": "ada", "iat": now, "exp": now + 300}
    return jwt.encode({**known, **claims}, key, algorithm)


async def ask(authenticator: JwtAuthenticator, value: str) -> Principal | Unauthenticated | None:
    outcome = await authenticator.authenticate(Credentials(CredentialPlace.BEARER, "", value))
    if isinstance(outcome, Failure):
        error = outcome.failure()
        assert isinstance(error, Unauthenticated)
        return error
    return outcome.unwrap()


def made(keys: Any, *algorithms: str, **options: Any) -> JwtAuthenticator:
    rules = TokenRules(algorithms=algorithms)
    return JwtAuthenticator(issuer=ISSUER, audience="shop", keys=keys, rules=rules, **options)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS512"), (RSA, "PS256"), (P256, "ES256"), (P384, "ES384"), (ED, "EdDSA")],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_each_family_verifies_its_own_tokens_and_no_others(key: Any, algorithm: str) -> None:
    authenticator = made(PublicKeys(pem(key)), algorithm)

    assert isinstance(await ask(authenticator, token(key, algorithm)), Principal)
    for other_key, other in [(RSA, "RS384"), (P256, "ES256"), (ED, "EdDSA"), (SECRET, "HS256")]:
        if other != algorithm:
            assert isinstance(await ask(authenticator, token(other_key, other)), Unauthenticated)


async def test_a_shared_secret_verifies_tokens_made_with_it() -> None:
    authenticator = JwtAuthenticator(issuer=ISSUER, audience=["shop", "bank"], keys=SharedSecret(SECRET))

    assert isinstance(await ask(authenticator, token(SECRET, "HS256", aud="bank")), Principal)
    assert isinstance(await ask(authenticator, token(SECRET + "x", "HS256")), Unauthenticated)
    assert SECRET not in repr(SharedSecret(SECRET))


async def test_any_of_several_public_keys_may_have_signed() -> None:
    other = rsa.generate_private_key(65537, 2048)
    authenticator = made(PublicKeys(pem(RSA, other)), "RS256")

    assert isinstance(await ask(authenticator, token(other, "RS256")), Principal)
    assert isinstance(await ask(authenticator, token(RSA, "RS256")), Principal)


async def test_what_is_no_token_of_the_issuer_is_left_to_others() -> None:
    authenticator = made(PublicKeys(pem(RSA)), "RS256")

    assert await ask(authenticator, "fek_abc") is None
    assert await ask(authenticator, "a.b.c") is None
    assert await ask(authenticator, token(RSA, "RS256", iss="https://other.example")) is None


class CountedKeys:
    """One key, and how often it was looked for: tokens that are remembered do not need it."""

    generation = 0

    def __init__(self) -> None:
        self.found = 0

    async def find(self, key_id: str | None, algorithm: str, /) -> Outcome[Candidates]:
        self.found += 1
        return Success((VerificationKey(RSA.public_key(), frozenset({algorithm})),))

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(
    ("lifetime", "remembered", "forgotten"), [(600, 59, 61), (40, 0, 41)], ids=["a minute", "until it ends"]
)
async def test_a_verified_token_is_remembered_for_a_minute_unless_it_ends_before(
    lifetime: int, remembered: float, forgotten: float
) -> None:
    clock, keys = FrozenClock(), CountedKeys()
    rules = TokenRules(algorithms=("RS256",), leeway=0)
    verifier = TokenVerifier(
        issuer=ISSUER, audience=("shop",), keys=keys, rules=rules, claims=ClaimNames(), now=clock.monotonic
    )
    value = token(RSA, "RS256", exp=int(time.time()) + lifetime)

    await verifier.verify(value)
    clock.advance(remembered)
    await verifier.verify(value)
    within = keys.found
    clock.advance(forgotten - remembered)
    await verifier.verify(value)

    assert (within, keys.found) == (1, 2)


@pytest.mark.parametrize(
    ("claims", "names", "expected"),
    [
        pytest.param({"roles": "editor"}, ClaimNames(), {"editor"}, id="one text"),
        pytest.param(
            {"https://shop.example/roles": ["a"]},
            ClaimNames(roles="https://shop.example/roles"),
            {"a"},
            id="URL",
        ),
        pytest.param({"a": {"b": {"c": ["x"]}}}, ClaimNames(roles="a.b.c"), {"x"}, id="path"),
        pytest.param({"a": "text"}, ClaimNames(roles="a.b.c"), set(), id="path that ends early"),
    ],
)
async def test_roles_are_found_where_the_issuer_puts_them(
    claims: dict[str, Any], names: ClaimNames, expected: set[str]
) -> None:
    found = await ask(made(PublicKeys(pem(RSA)), "RS256", claims=names), token(RSA, "RS256", **claims))

    assert isinstance(found, Principal)
    assert found.roles == expected


async def test_a_token_without_the_claim_of_scopes_may_do_nothing() -> None:
    authenticator = made(PublicKeys(pem(RSA)), "RS256", claims=ClaimNames(scopes="scp"))

    found = [await ask(authenticator, token(RSA, "RS256", **each)) for each in ({}, {"scp": ["a:b", "c:d"]})]

    assert [each.scopes for each in found] == [frozenset(), {"a:b", "c:d"}]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        pytest.param({"algorithms": ("RS256", "HS256")}, "of one family", id="two families"),
        pytest.param({"algorithms": ("RS256", "ES256")}, "of one family", id="RSA and curves"),
        pytest.param({"algorithms": ("none",)}, "of one family", id="none"),
        pytest.param({"algorithms": ("HS256",)}, "need a shared secret", id="HS with public keys"),
        pytest.param(
            {"keys": SharedSecret(SECRET), "algorithms": ("RS256",)},
            "need a shared secret",
            id="RS with secret",
        ),
        pytest.param({"keys": SharedSecret(SECRET[1:])}, "31 bytes: use at least 32", id="short secret"),
        pytest.param(
            {"keys": SharedSecret(SECRET), "algorithms": ("HS256", "HS512")},
            "at least 64",
            id="short for HS512",
        ),
        pytest.param({"keys": PublicKeys(pem(SMALL))}, "at least 2048 bits", id="small RSA"),
        pytest.param(
            {"keys": PublicKeys(pem(P384)), "algorithms": ("ES256",)}, "does not verify", id="curve"
        ),
        pytest.param({"keys": PublicKeys("")}, "no public key", id="no PEM"),
        pytest.param(
            {"keys": PublicKeys("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")},
            "cannot be read",
            id="odd PEM",
        ),
        pytest.param({"issuer": "http://id.example"}, "https", id="discovery over http"),
        pytest.param({"keys": RemoteKeys("ftp://id.example")}, "https", id="keys over ftp"),
        pytest.param({"keys": RemoteKeys("https://")}, "https", id="no host"),
        pytest.param({"audience": ()}, "no audience", id="no audience"),
        pytest.param({"audience": ""}, "no audience", id="empty audience"),
    ],
)
def test_a_contradiction_is_refused_when_it_is_declared(options: dict[str, Any], mistake: str) -> None:
    algorithms = options.pop("algorithms", ())
    given = {
        "issuer": ISSUER,
        "audience": "shop",
        "keys": RemoteKeys(),
        "rules": TokenRules(algorithms=algorithms),
    }

    with pytest.raises(DeclarationError, match=mistake):
        JwtAuthenticator(**{**given, **options})


def test_mistakes_of_the_settings_name_their_section() -> None:
    settings = Settings(authentication={"jwt": {"issuer": ISSUER}})

    with pytest.raises(DeclarationError, match=r"authentication\.jwt: there is no audience"):
        Container(settings=settings).authenticators()


@pytest.mark.parametrize(
    ("jwt", "mistake"),
    [
        ({"audience": "shop"}, "set authentication.jwt.issuer"),
        ({"issuer": ISSUER, "secret": SECRET, "public_key": "x"}, "public_key and secret exclude each other"),
        ({"issuer": ISSUER, "leeway": 301}, "less than or equal to 300"),
    ],
    ids=["no issuer", "two kinds of keys", "leeway"],
)
def test_settings_that_contradict_each_other_are_refused(jwt: dict[str, Any], mistake: str) -> None:
    with pytest.raises(DeclarationError, match=mistake):
        Settings(authentication={"jwt": jwt})


PUBLIC = jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"alg": ["RS256"]},
        {"kty": "oct"},
        {"kty": ["RSA"]},
        {"n": 7},
        {"n": None},
        {"n": "AQAB"},
        {"d": "AQAB"},
    ],
    ids=str,
)
def test_a_published_key_for_anything_else_is_left_out(changes: dict[str, Any]) -> None:
    good = {**PUBLIC, "kid": "good"}

    keys = read_key_set({"keys": [{**PUBLIC, "kid": "odd", **changes}, good]}, frozenset({"RS256"}))

    assert [each.id for each in keys] == ["good"]
