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
        known = scope[_SCOPE_KEY] = _read(dict(scope["headers"]) if headers is None else headers)
    return known


def _read(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(HEADER) or headers.get(b"x-request-id")
    if given is not None and len(given) <= _MAX_LENGTH and given.isascii():
        text = given.decode("ascii")
        if text.isprintable():
            return text
    # Has to be unique, and nobody gains anything by guessing it; `secrets` asks the kernel each time.
    return f"{random.getrandbits(128):032x}"
