"""Sessions in signed texts: everybody can read them, and only who has a secret can write them."""

import base64
import datetime
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

from fastapi_easy.domain.authentication.session import Session

_SALT: Final = "fastapi_easy.session.1"
_CSRF_CONTEXT: Final = b"fastapi_easy.csrf.1:"

MAX_BYTES: Final = 3500
"""Of the text of a session: browsers keep cookies of 4096 bytes, with their names and attributes."""


class SignedSessionCodec:
    """Implements `SessionCodec` with HMAC-SHA256.

    Args:
        secrets: The first one signs, and all are accepted: to replace one, put the new one in front, and remove the old
            one once the lifetime of a session has passed.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        # The library signs with the last one.
        self._serializer = URLSafeSerializer(
            list(reversed(secrets)),
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._csrf_keys = [
            hmac.digest(each.encode("utf-8"), _CSRF_CONTEXT, hashlib.sha256) for each in secrets
        ]

    def write(self, session: Session, /) -> str:
        """Return the text of *session*, signed.

        Raises:
            ValueError: It would not fit into a cookie.
        """
        content: dict[str, Any] = {
            "i": session.id,
            "p": session.principal_id,
            "o": int(session.opened_at.timestamp()),
            "n": int(session.renewed_at.timestamp()),
        }
        if session.roles:
            content["r"] = sorted(session.roles)
        if session.tenant is not None:
            content["t"] = session.tenant
        if session.scopes is not None:
            content["s"] = sorted(session.scopes)
        text = str(self._serializer.dumps(content))
        if len(text) > MAX_BYTES:
            raise ValueError(
                f"the session of {session.principal_id!r} has {len(text)} bytes, and a cookie holds {MAX_BYTES}: give "
                "its principal fewer roles and scopes"
            )
        return text

    def read(self, text: str, /) -> Session | None:
        """Return the session that *text* was written for; `None` where the signature is not ours."""
        try:
            content = self._serializer.loads(text)
        except BadData:
            return None
        scopes = content.get("s")
        return Session(
            id=content["i"],
            principal_id=content["p"],
            roles=frozenset(content.get("r", ())),
            tenant=content.get("t"),
            scopes=None if scopes is None else frozenset(scopes),
            opened_at=_moment(content["o"]),
            renewed_at=_moment(content["n"]),
        )

    def csrf_token(self, session_id: str, /) -> str:
        """Return the token that belongs to the session with *session_id*."""
        return _token(self._csrf_keys[0], session_id)

    def is_csrf_token(self, token: str, session_id: str, /) -> bool:
        """Return whether *token* belongs to the session with *session_id*, made with any of the secrets."""
        given = token.encode("utf-8")
        # All are compared, so that it takes as long for each.
        right = [
            hmac.compare_digest(given, _token(key, session_id).encode("ascii")) for key in self._csrf_keys
        ]
        return any(right)


def _token(key: bytes, session_id: str) -> str:
    digest = hmac.digest(key, session_id.encode("utf-8"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _moment(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
