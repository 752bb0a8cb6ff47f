"""The authenticators that an application asks for."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from fastapi_easy.application.authentication.keys.declaration import ApiKeys
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.authentication.api_keys import api_key_authenticator
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import ApiKeyStore, Authenticator, Clock, HoldsResources
from fastapi_easy.settings import JwtSettings, Settings

__all__ = ["close_authenticators", "close_credentials", "open_authenticators"]


def open_authenticators(
    settings: Settings,
    api_keys: ApiKeys | None,
    api_key_store: ApiKeyStore | None,
    sessions: SessionUseCases | None,
    clock: Clock,
) -> Sequence[Authenticator]:
    """Return the authenticators that an application asks for; nothing is connected yet.

    Args:
        settings: Ask for tokens of an issuer.

        api_keys: What is declared of API keys.

        api_key_store: Where these are kept.

        sessions: The sessions of browsers.

        clock: Says what has expired.

    Raises:
        DeclarationError: A setting contradicts another, or the library it needs is not installed.
    """
    jwt = settings.authentication.jwt
    return (
        # They tell their bearers by the prefix, without looking into those of others.
        *api_key_authenticator(api_keys, api_key_store, clock),
        *(() if jwt.issuer is None else (_jwt_authenticator(jwt, jwt.issuer),)),
        *(() if sessions is None else (sessions.authenticator,)),
    )


async def close_authenticators(authenticators: Sequence[Authenticator]) -> None:
    """Close those of *authenticators* that hold something, in reverse; each is tried, even when another fails."""
    async with AsyncExitStack() as stack:
        for each in authenticators:
            if isinstance(each, HoldsResources):
                _ = stack.push_async_callback(each.aclose)


async def close_credentials(application: Application) -> None:
    """Finish what is written about API keys, and end the connections of what counts attempts to log in."""
    async with AsyncExitStack() as stack:
        store = application.api_key_store()
        if store is not None:
            _ = stack.push_async_callback(store.aclose)
        if application.session_use_cases() is not None:
            _ = stack.push_async_callback(application.attempt_counter().aclose)


def _jwt_authenticator(jwt: JwtSettings, issuer: str) -> Authenticator:
    from fastapi_easy.infrastructure.authentication.jwt.authenticator import JwtAuthenticator
    from fastapi_easy.infrastructure.authentication.jwt.claims import ClaimNames
    from fastapi_easy.infrastructure.authentication.jwt.options import (
        KeySource,
        PublicKeys,
        RemoteKeys,
        SharedSecret,
        TokenRules,
    )

    keys: KeySource
    if jwt.secret is not None:
        keys = SharedSecret(jwt.secret.get_secret_value())
    elif jwt.public_key is not None:
        keys = PublicKeys(jwt.public_key)
    else:
        keys = RemoteKeys(
            jwt.jwks_url,
            ttl=jwt.jwks_ttl,
            stale_for=jwt.jwks_stale_for,
            interval=jwt.jwks_interval,
            timeout=jwt.jwks_timeout,
        )
    try:
        return JwtAuthenticator(
            issuer=issuer,
            audience=jwt.audience,
            keys=keys,
            claims=ClaimNames(jwt.id_claim, jwt.roles_claim, jwt.tenant_claim, jwt.scopes_claim),
            rules=TokenRules(
                algorithms=jwt.algorithms,
                leeway=jwt.leeway,
                max_lifetime=jwt.max_lifetime,
                header_types=jwt.header_types,
                kind_claims=jwt.kind_claims,
            ),
        )
    except DeclarationError as error:
        raise DeclarationError([f"authentication.jwt: {each}" for each in error.mistakes]) from None
