"""Who calls: authenticators, API keys and sessions for the container, and the caller for own routes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi_easy.application.authentication.identify_caller import IdentifyCaller
from fastapi_easy.application.authentication.keys.create_api_key import IssuedApiKey
from fastapi_easy.application.authentication.keys.declaration import ApiKeys
from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.application.authentication.sessions.declaration import Sessions
from fastapi_easy.bootstrap.opening import checked_kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.operators import written_by_operators
from fastapi_easy.composition.authentication.api_keys import find_key_database
from fastapi_easy.container import Container
from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.authentication.events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    SessionClosed,
    SessionOpened,
    SessionRefused,
)
from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.ports import (
    Authenticator,
    CredentialPlace,
    Credentials,
    HoldsResources,
    SecurityScheme,
)
from fastapi_easy.infrastructure.authentication.jwt.authenticator import JwtAuthenticator
from fastapi_easy.infrastructure.authentication.jwt.claims import ClaimNames
from fastapi_easy.infrastructure.authentication.jwt.options import (
    PublicKeys,
    RemoteKeys,
    SharedSecret,
    TokenRules,
)
from fastapi_easy.interfaces.http.dependencies.current_principal import current_principal

__all__ = [
    "ApiKey",
    "ApiKeyCreated",
    "ApiKeyRevoked",
    "ApiKeys",
    "Authenticator",
    "ClaimNames",
    "CredentialPlace",
    "Credentials",
    "HoldsResources",
    "IdentifyCaller",
    "IssuedApiKey",
    "JwtAuthenticator",
    "Keyring",
    "PublicKeys",
    "RemoteKeys",
    "SecurityScheme",
    "Session",
    "SessionClosed",
    "SessionOpened",
    "SessionRefused",
    "Sessions",
    "SharedSecret",
    "TokenRules",
    "current_principal",
    "open_keyring",
]


@asynccontextmanager
async def open_keyring(container: Container) -> AsyncIterator[Keyring]:
    """Open the API keys of *container* for a script, and close them at the end. A running application has `keyring()`.

    ```python
    async with open_keyring(Shop()) as keyring:
        issued = await keyring.create("user:42", scopes=["books:read"])
    ```

    Args:
        container: An instance of your container.

    Raises:
        DeclarationError: With every mistake in the declarations, or because the application accepts no API keys.
    """
    application = cast("Application", container)
    _ = checked_kernel(application)
    keyring, database, store = (
        application.keyring(),
        find_key_database(application),
        application.api_key_store(),
    )
    async with AsyncExitStack() as stack:
        _ = stack.push_async_callback(database.close)
        if store is not None:
            _ = stack.push_async_callback(store.aclose)
        await database.open()
        await stack.enter_async_context(written_by_operators(application))
        yield keyring
