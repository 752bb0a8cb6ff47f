"""Signatures of webhooks, in the form of Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import binascii
import datetime
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (the same for all)
"""What every secret begins with."""

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

_SECRET_BYTES: Final = 32
_MIN_BYTES: Final = 24
_MAX_BYTES: Final = 64
_VERSION: Final = "v1"
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class WebhookVerificationError(ValueError):
    """A request was not signed with the secret, was changed, or is too old."""


def generate_secret() -> str:
    """Return a new secret: 32 random bytes in base64, after `whsec_`."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def decode_secret(secret: str) -> bytes | None:
    """Return the key that *secret* stands for; `None` when it is no secret of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _MIN_BYTES <= len(key) <= _MAX_BYTES else None


def sign(keys: Sequence[bytes], message_id: str, at: datetime.datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers that sign *body*.

    Args:
        keys: One signature is made with each; two while a secret is rotated.

        message_id: The same however often the message is posted; has no full stop.

        at: The moment of this attempt, aware.

        body: What is posted, byte by byte.
    """
    timestamp = str(int(at.timestamp()))
    signatures = (_signature(key, message_id, timestamp, body) for key in keys)
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: " ".join(f"{_VERSION},{each}" for each in signatures),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes | str,
    secret: str,
    tolerance: datetime.timedelta = datetime.timedelta(minutes=5),
    *,
    now: datetime.datetime | None = None,
) -> str:
    """Return the id of the message in *body*, which was signed with *secret*, and not long ago.

    The same message may come more than once: whoever must not act twice remembers ids.

    Args:
        headers: Of the request; their names in any case.

        body: Of the request, as it came, not parsed and written again.

        secret: As it was shown once, `whsec_…`.

        tolerance: How far the clock of the sender may be from *now*, and how old a request may be.

        now: Aware; the clock of this machine unless given.

    Raises:
        WebhookVerificationError: A header is missing, no signature is right, or the request is too old or too new.

        ValueError: *secret* is none.
    """
    key = decode_secret(secret)
    if key is None:
        raise ValueError("this is not a secret for webhooks: one is whsec_ and 24 to 64 bytes in base64")
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (
        given.get(name, "") for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    if not message_id or not _TIMESTAMP.fullmatch(timestamp) or not signatures:
        raise WebhookVerificationError(
            f"the headers {ID_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are needed"
        )
    data = body.encode() if isinstance(body, str) else body
    expected = f"{_VERSION},{_signature(key, message_id, timestamp, data)}".encode()
    signed = signatures.encode(errors="replace").split(b" ")
    if not any(hmac.compare_digest(expected, each) for each in signed):
        raise WebhookVerificationError("no signature was made with this secret for this body")
    moment = datetime.datetime.now(datetime.UTC) if now is None else now
    if abs(moment.timestamp() - int(timestamp)) > tolerance.total_seconds():
        raise WebhookVerificationError("the request is too old, or the clocks differ")
    return message_id


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
