"""The correlation id, which ties together everything that one request causes."""

import random
from collections.abc import Mapping
from typing import Final

from starlette.types import Scope

HEADER: Final = b"x-correlation-id"
_MAX_LENGTH: Final = 128
_SCOPE_KEY: Final = "fastapi_easy.correlation_id"


def correlation_id_of(scope: Scope, headers: Mapping[bytes, bytes] | None = None) -> str:
    """Return the caller's correlation id, or a new one where it is missing or unfit for logs.

    Args:
        scope: Remembers the id, so that a request has one only.

        headers: Those of *scope* by name, where they have been parsed already.
    """
    known: str | None = scope.get(_SCOPE_KEY)
    if known is None:
        by_name = dict(scope["headers"]) if headers is None else headers
        given = by_name.get(HEADER) or by_name.get(b"x-request-id")
        # A new one has to be unique, and nobody gains anything by guessing it; `secrets` asks the kernel each time.
        known = (None if given is None else _read(given)) or f"{random.getrandbits(128):032x}"
        scope[_SCOPE_KEY] = known
    return known


def _read(given: bytes) -> str | None:
    if len(given) > _MAX_LENGTH or not given.isascii():
        return None
    text = given.decode("ascii")
    return text if text.isprintable() else None
