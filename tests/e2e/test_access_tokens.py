"""Access tokens of a real identity provider over HTTP: who is let in, who is not, and what an outage does."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from fastapi_easy.application import Context
from fastapi_easy.authentication import ClaimNames, JwtAuthenticator, RemoteKeys, TokenRules
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Key, Outcome, Success
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.policies import ANYONE, allow
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing import FrozenClock, in_memory
from tests.e2e.serving import client_of
from tests.identity_provider import AUDIENCE, IdentityProvider

DEEP = urlsafe_b64encode(b"[" * 4000).decode()
STRANGERS_KEY = generate_private_key(65537, 2048)
Forge = Callable[[IdentityProvider], str]


@dataclass
class Note:
    text: str
    id: int | None = None


@dataclass(frozen=True)
class Whose:
    """Say who asks."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        caller = context.principal
        return Success(
            {
                "id": caller.id,
                "roles": sorted(caller.roles),
                "tenant": context.tenant,
                "scopes": None if caller.scopes is None else sorted(caller.scopes),
                "name": caller.claims.get("preferred_username"),
            }
        )


class Notes(Container):
    notes = resource(Note, actions=[Whose], policy=[allow("*", to=ANYONE)])


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as started:
        yield started


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


def authenticator(provider: IdentityProvider, **options: Any) -> JwtAuthenticator:
    return JwtAuthenticator(issuer=provider.issuer, audience=AUDIENCE, **options)


@asynccontextmanager
async def calling(*authenticators: JwtAuthenticator) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with one note."""
    async with client_of(create_app(in_memory(Notes, authenticators=list(authenticators)))) as client:
        assert (await client.post("/notes", json={"text": "t"})).status_code == 201
        yield client


async def ask(client: httpx2.AsyncClient, token: str | None) -> httpx2.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await client.post("/notes/1/whose", headers=headers)


def unsigned(header: Any, claims: Any) -> str:
    return ".".join(
        urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, claims)
    )


def signed_with(secret: bytes, provider: IdentityProvider) -> str:
    """A token whose HS256 signature is made with *secret*, which no library would agree to."""
    text = unsigned({"alg": "HS256", "typ": "JWT", "kid": provider.key_id}, provider.claims())
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def signed_by_hand(members: dict[str, Any], provider: IdentityProvider) -> str:
    """A token with *members* in its header, well signed, which the library would not make."""
    text = unsigned({"alg": "RS256", "kid": provider.key_id, **members}, provider.claims())
    signature = provider.key.sign(text.encode(), PKCS1v15(), SHA256())
    return f"{text}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def public(provider: IdentityProvider, encoding: Encoding) -> bytes:
    return provider.key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def with_claims(**claims: Any) -> Forge:
    return lambda provider: provider.token(**claims)


def of_kind(claim: str, kind: str) -> Forge:
    return lambda provider: provider.token(**{"typ": ..., claim: kind})


def with_header(**members: Any) -> Forge:
    return lambda provider: provider.token(header=members)


def by_stranger(**members: Any) -> Forge:
    return lambda provider: provider.token(header=members, key=STRANGERS_KEY)


JWK = json.loads(RSAAlgorithm.to_jwk(STRANGERS_KEY.public_key()))

FORGED: dict[str, Forge] = {
    "alg none": lambda provider: f"{unsigned({'alg': 'none', 'kid': provider.key_id}, provider.claims())}.",
    "alg None": lambda provider: f"{unsigned({'alg': 'None', 'kid': provider.key_id}, provider.claims())}.",
    "HS256 with the public key in PEM": lambda provider: signed_with(
        public(provider, Encoding.PEM), provider
    ),
    "HS256 with the public key in DER": lambda provider: signed_with(
        public(provider, Encoding.DER), provider
    ),
    "HS256 with the public key as JWK": lambda provider: signed_with(
        RSAAlgorithm.to_jwk(provider.key.public_key()).encode(), provider
    ),
    "RS512 of the same family": with_header(alg="RS512"),
    "PS256 with the same key": with_header(alg="PS256"),
    "signed by a stranger with our kid": by_stranger(),
    "signed by a stranger with a kid of their own": by_stranger(kid="mine"),
    "no kid, signed by a stranger": by_stranger(kid=...),
    "jku": by_stranger(jku="https://evil.example/keys"),
    "jku and a kid of their own": by_stranger(kid="mine", jku="https://evil.example/keys"),
    "x5u": by_stranger(x5u="https://evil.example/certificate"),
    "x5c": by_stranger(x5c=["MIIB"]),
    "jwk in the header": by_stranger(jwk=JWK),
    "kid with a path": by_stranger(kid="../../../../dev/null"),
    "kid with SQL": by_stranger(kid="' UNION SELECT 'secret' --"),
    "crit": with_header(crit=["exp"]),
    "b64": lambda provider: signed_by_hand({"b64": True}, provider),
    "another signature": lambda provider: provider.token()[:-8] + "AAAAAAAA",
    "no signature": lambda provider: provider.token().rpartition(".")[0] + ".",
    "claims exchanged": lambda provider: ".".join(
        [
            provider.token().split(".")[0],
            unsigned({}, {**provider.claims(), "sub": "root"}).split(".")[1],
            provider.token().split(".")[2],
        ]
    ),
    "expired": lambda provider: provider.token(exp=int(time.time()) - 60),
    "not yet valid": lambda provider: provider.token(nbf=int(time.time()) + 600),
    "issued in the future": lambda provider: provider.token(iat=int(time.time()) + 600),
    "no exp": with_claims(exp=...),
    "exp null": with_claims(exp=None),
    "exp no number": with_claims(exp="soon"),
    "exp a number in a text": with_claims(exp="4102444800"),
    "exp beyond all numbers": with_claims(exp=10**400),
    "no iss": with_claims(iss=...),
    "another issuer": with_claims(iss="https://id.example/realms/other"),
    "the issuer with a slash": lambda provider: provider.token(iss=f"{provider.issuer}/"),
    "no aud": with_claims(aud=...),
    "another audience": with_claims(aud="bank"),
    "an audience that begins like ours": with_claims(aud=f"{AUDIENCE}-admin"),
    "no sub": with_claims(sub=...),
    "empty sub": with_claims(sub=""),
    "sub no text": with_claims(sub=7),
    "roles no list": with_claims(realm_access={"roles": {"admin": True}}),
    "refresh token of Keycloak": with_claims(typ="Refresh"),
    "ID token of Keycloak": with_claims(typ="ID"),
    "ID token of Cognito": of_kind("token_use", "id"),
    "refresh token of simplejwt": of_kind("token_type", "refresh"),
    "refresh token of others": of_kind("type", "refresh"),
    "ID token that does not say so": with_claims(typ=..., nonce="n-0S6_WzA2Mj"),
    "logout token": with_header(typ="logout+jwt"),
    "typ no text": with_header(typ=["JWT"]),
    "10 kB": with_claims(padding="x" * 10_000),
    "not a token": lambda _: "abc",
    "two segments": lambda provider: provider.token().rpartition(".")[0],
    "five segments": lambda provider: f"{provider.token()}.a.b",
    "claims no object": lambda _: f"{unsigned({'alg': 'RS256'}, [])}.AAAA",
    "deep claims": lambda _: f"{unsigned({'alg': 'RS256'}, {}).split('.')[0]}.{DEEP}.AAAA",
    "empty": lambda _: "",
}


@pytest.fixture(scope="module")
async def client(provider: IdentityProvider) -> AsyncIterator[httpx2.AsyncClient]:
    async with calling(authenticator(provider, claims=ClaimNames(roles="realm_access.roles"))) as opened:
        yield opened


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_token_that_is_not_valid_is_refused_without_a_reason(
    provider: IdentityProvider, client: httpx2.AsyncClient, forge: Forge
) -> None:
    answer = await ask(client, forge(provider))

    body = answer.json()
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert answer.headers["content-type"] == "application/problem+json"
    assert body.pop("correlation_id")
    assert body == {
        "type": "/problems/unauthenticated",
        "title": "Not authenticated",
        "status": 401,
        "detail": "Authentication is required.",
        "instance": "/notes/1/whose",
        "code": "unauthenticated",
        "errors": [],
    }


ACCEPTED: dict[str, Forge] = {
    "of Keycloak": with_claims(),
    "at+jwt": with_header(typ="at+jwt"),
    "application/at+jwt": with_header(typ="application/AT+JWT"),
    "at+jwt with a nonce": lambda provider: provider.token(header={"typ": "at+jwt"}, typ=..., nonce="n"),
    "no typ": with_header(typ=...),
    "no kid, and there is one key": with_header(kid=...),
    "one audience": with_claims(aud=AUDIENCE),
    "just expired, within the leeway": lambda provider: provider.token(exp=int(time.time()) - 5),
    "signed by hand": lambda provider: signed_by_hand({}, provider),
    "an extension that need not be understood": with_header(x5t="abc"),
    "of Cognito": of_kind("token_use", "access"),
}


@pytest.mark.parametrize("forge", ACCEPTED.values(), ids=ACCEPTED)
async def test_a_valid_access_token_is_accepted(
    provider: IdentityProvider, client: httpx2.AsyncClient, forge: Forge
) -> None:
    answer = await ask(client, forge(provider))

    assert (answer.status_code, answer.json()["id"]) == (200, "ada")


async def test_claims_say_who_the_caller_is(provider: IdentityProvider) -> None:
    names = ClaimNames(roles="realm_access.roles", tenant="org", scopes="scope")
    async with calling(authenticator(provider, claims=names)) as client:
        known = await ask(client, provider.token(scope="openid notes:whose"))
        limited, anonymous = await ask(client, provider.token()), await ask(client, None)

    assert limited.status_code == 403
    assert known.json() == {
        "id": "ada",
        "roles": ["editor", "offline_access"],
        "tenant": "north",
        "scopes": ["notes:whose", "openid"],
        "name": "ada",
    }
    assert anonymous.json() == {"id": "", "roles": [], "tenant": None, "scopes": None, "name": None}


async def test_the_same_can_be_said_in_the_settings(provider: IdentityProvider) -> None:
    jwt = {
        "issuer": provider.issuer,
        "audience": AUDIENCE,
        "roles_claim": "realm_access.roles",
        "tenant_claim": "org",
    }
    settings = Settings(databases={"default": DatabaseSettings(url="memory://")}, authentication={"jwt": jwt})
    async with client_of(create_app(Notes(settings=settings))) as client:
        _ = await client.post("/notes", json={"text": "t"})
        known, refused = await ask(client, provider.token()), await ask(client, provider.token(aud="bank"))

    assert (known.json()["id"], known.json()["tenant"], refused.status_code) == ("ada", "north", 401)


async def test_a_token_may_be_valid_for_no_longer_than_the_rules_say(provider: IdentityProvider) -> None:
    now = int(time.time())
    async with calling(authenticator(provider, rules=TokenRules(max_lifetime=600))) as client:
        short = await ask(client, provider.token(iat=now, exp=now + 600))
        long = await ask(client, provider.token(iat=now, exp=now + 601))
        unknown = await ask(client, provider.token(iat=...))

    assert [each.status_code for each in (short, long, unknown)] == [200, 401, 401]


async def test_two_issuers_each_verify_their_own_tokens(provider: IdentityProvider) -> None:
    with IdentityProvider() as other:
        async with calling(authenticator(provider), authenticator(other)) as client:
            tokens = [provider.token("ada"), other.token("bob"), other.token("eve", key=provider.key)]
            answers = [await ask(client, each) for each in tokens]

    assert [each.status_code for each in answers] == [200, 200, 401]
    assert [each.json()["id"] for each in answers[:2]] == ["ada", "bob"]


async def test_the_reason_is_in_the_log_and_the_token_is_not(
    provider: IdentityProvider, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = provider.token(aud="bank")

    with caplog.at_level(logging.DEBUG, "fastapi_easy"):
        await ask(client, token)

    assert "a token was refused: InvalidAudienceError" in caplog.text
    assert token not in caplog.text and token.split(".")[2] not in caplog.text


class TestKeys:
    """What happens to the keys of the provider, and to the provider."""

    @pytest.fixture
    def own(self) -> Iterator[IdentityProvider]:
        with IdentityProvider() as started:
            yield started

    async def test_they_are_fetched_once_for_all_who_need_them_first(self, own: IdentityProvider) -> None:
        async with calling(authenticator(own)) as client:
            answers = await asyncio.gather(*(ask(client, own.token(f"user-{n}")) for n in range(20)))

        assert {each.status_code for each in answers} == {200}
        assert own.fetches == 1

    async def test_a_key_that_is_new_is_fetched_when_a_token_names_it(
        self, own: IdentityProvider, clock: FrozenClock
    ) -> None:
        async with calling(authenticator(own, now=clock.monotonic)) as client:
            old = own.token()
            before = await ask(client, old)
            own.rotate()
            clock.advance(11)
            after = await ask(client, own.token())
            replaced = await ask(client, old)

        # The old token had been verified before; its key is gone, and so is what was remembered of it.
        assert [each.status_code for each in (before, after, replaced)] == [200, 200, 401]
        assert own.fetches == 2

    async def test_made_up_key_ids_cause_one_fetch_in_each_interval(
        self, own: IdentityProvider, clock: FrozenClock
    ) -> None:
        async with calling(authenticator(own, now=clock.monotonic)) as client:
            await ask(client, own.token())
            clock.advance(11)
            answers = [await ask(client, own.token(header={"kid": f"made-up-{n}"})) for n in range(20)]
            known = await ask(client, own.token("bob"))

        assert ({each.status_code for each in answers}, known.status_code) == ({401}, 200)
        assert own.fetches == 2

    async def test_old_keys_are_renewed_beside_the_calls(
        self, own: IdentityProvider, clock: FrozenClock
    ) -> None:
        async with calling(authenticator(own, now=clock.monotonic)) as client:
            await ask(client, own.token())
            own.is_hanging = True
            clock.advance(301)
            meanwhile = await ask(client, own.token("bob"))
            own.is_hanging = False
            await own.has_been_asked(2)

        assert meanwhile.status_code == 200

    async def test_known_keys_outlive_the_provider_for_an_hour(
        self, own: IdentityProvider, clock: FrozenClock
    ) -> None:
        async with calling(authenticator(own, now=clock.monotonic)) as client:
            tokens = [own.token(f"user-{n}") for n in range(4)]
            await ask(client, tokens[0])
            own.die()
            clock.advance(3599)
            within = await ask(client, tokens[1])
            unknown = await ask(client, own.token(header={"kid": "new"}))
            clock.advance(1)
            too_old = await ask(client, tokens[2])
            own.start()
            clock.advance(11)
            again = await ask(client, tokens[3])

        assert [each.status_code for each in (within, unknown, too_old, again)] == [200, 503, 503, 200]
        assert unknown.headers["retry-after"] == "10"

    async def test_without_keys_callers_are_told_to_come_again(
        self, own: IdentityProvider, clock: FrozenClock
    ) -> None:
        own.die()
        async with calling(authenticator(own, now=clock.monotonic)) as client:
            first = await ask(client, own.token())
            own.start()
            too_early = await ask(client, own.token())
            clock.advance(10)
            again = await ask(client, own.token())
            anonymous = await ask(client, None)

        assert [each.status_code for each in (first, too_early, again, anonymous)] == [503, 503, 200, 200]
        assert [(each.headers["retry-after"], each.json()["code"]) for each in (first, too_early)] == [
            ("10", "unavailable")
        ] * 2

    async def test_a_provider_that_hangs_is_given_up(self, own: IdentityProvider) -> None:
        own.is_hanging = True
        async with calling(authenticator(own, keys=RemoteKeys(timeout=0.2))) as client:
            answer = await ask(client, own.token())
        own.is_hanging = False

        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

    async def test_a_fetch_under_way_ends_with_the_application(self, own: IdentityProvider) -> None:
        own.is_hanging = True
        async with calling(authenticator(own, keys=RemoteKeys(timeout=60))) as client:
            asking = asyncio.create_task(ask(client, own.token()))
            await own.has_been_asked(1)
        answer = await asking
        own.is_hanging = False

        assert answer.status_code == 503

    @pytest.mark.parametrize(
        "document",
        [
            b"<html>",
            b"[]",
            b'{"keys": []}',
            b'{"keys": [1, {"kty": "oct", "k": "c2VjcmV0"}]}',
            b" " * 600_000,
        ],
        ids=["no JSON", "no object", "no keys", "a shared secret", "too large"],
    )
    async def test_a_key_set_that_cannot_be_used_is_as_good_as_none(
        self, own: IdentityProvider, document: bytes
    ) -> None:
        own.document = document
        async with calling(authenticator(own)) as client:
            answer = await ask(client, own.token())

        assert answer.status_code == 503

    async def test_no_key_is_taken_over_plain_http_from_another_machine(self, own: IdentityProvider) -> None:
        other = "http://id.example/realms/shop"
        with pytest.raises(Exception, match="with https"):
            JwtAuthenticator(issuer=other, audience=AUDIENCE)
        with pytest.raises(Exception, match="with https"):
            JwtAuthenticator(issuer=own.issuer, audience=AUDIENCE, keys=RemoteKeys(f"{other}/certs"))
