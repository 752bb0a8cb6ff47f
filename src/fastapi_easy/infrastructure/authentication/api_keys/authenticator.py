"""Verifies API keys."""

import hmac
import logging
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.authentication.api_key_text import PREFIX, parse_key
from fastapi_easy.domain.errors import Outcome, Unauthenticated
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.authenticator import CredentialPlace, Credentials, SecurityScheme
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.principal import Principal

_logger: Final = logging.getLogger(__name__)

_REFUSED: Final = Failure(Unauthenticated("Bearer"))


class ApiKeyAuthenticator:
    """Implements `Authenticator` for bearers that begin with `fek_`; other bearers are somebody else's.

    Args:
        store: Where the keys are kept.

        clock: Says which have expired.

        notes_use: Whether the store is told when a key is used.
    """

    scheme: SecurityScheme = SecurityScheme(
        name="apiKey",
        place=CredentialPlace.BEARER,
        format=f"API key, {PREFIX}…",
        description="An API key of this application.",
    )

    def __init__(self, store: ApiKeyStore, clock: Clock, *, notes_use: bool = True) -> None:
        self._store = store
        self._clock = clock
        self._notes_use = notes_use

    async def authenticate(self, credentials: Credentials, /) -> Outcome[Principal | None]:
        """Return whose key this is; `None` for another kind of bearer.

        Fails with:
            Unauthenticated: There is no such key, or it is expired or revoked.

            Unavailable: The store does not answer.
        """
        if credentials.place is not CredentialPlace.BEARER or not credentials.value.startswith(PREFIX):
            return Success(None)
        given = parse_key(credentials.value)
        if given is None:
            _logger.debug("an API key is misspelled")
            return _REFUSED
        found = await self._store.find_by_id(given.id)
        if isinstance(found, Failure):
            return found
        key, now = found.unwrap(), self._clock.now()
        # The id is no secret, and whether it is known is none either: only the digests are compared in constant time.
        if key is None or not hmac.compare_digest(given.digest, key.digest) or not key.is_valid_at(now):
            _logger.debug("API key %s is unknown, forged, expired or revoked", given.id)
            return _REFUSED
        if self._notes_use:
            noted = await self._store.note_use(key.id, now.replace(microsecond=0))
            if isinstance(noted, Failure):
                _logger.debug("the use of API key %s was not noted: %s", key.id, noted.failure().code)
        return Success(key.principal())
