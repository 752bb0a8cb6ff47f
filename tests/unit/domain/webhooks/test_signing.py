"""Signatures are those of Standard Webhooks."""

import base64
import datetime
import hashlib
import hmac

import pytest

from fastapi_easy.domain.webhooks.signing import decode_secret, generate_secret, sign
from fastapi_easy.webhooks import WebhookVerificationError, verify

# The vector that the implementations of the specification are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 (public)
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = '{"test": 2432232314}'
AT = datetime.datetime.fromtimestamp(1614265330, datetime.UTC)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {
    "webhook-id": MESSAGE_ID,
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
}


def key_of(secret: str) -> bytes:
    key = decode_secret(secret)
    assert key is not None
    return key


def test_the_vector_of_the_specification_is_signed() -> None:
    assert sign([key_of(SECRET)], MESSAGE_ID, AT, BODY.encode()) == HEADERS


def test_a_signature_is_the_hmac_of_id_time_and_body() -> None:
    secret = generate_secret()
    body = "Größe ≥ 1".encode()

    headers = sign([key_of(secret)], "m1", AT, body)

    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    digest = hmac.new(key, b"m1.1614265330." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("body", [BODY, BODY.encode()], ids=["text", "bytes"])
@pytest.mark.parametrize(
    "headers",
    [
        HEADERS,
        {name.title(): value for name, value in HEADERS.items()},
        {**HEADERS, "webhook-signature": f"v1a,other v1,AAAA {SIGNATURE}"},
    ],
    ids=["as sent", "names in other case", "several signatures"],
)
def test_what_was_signed_is_verified(headers: dict[str, str], body: str | bytes) -> None:
    assert verify(headers, body, SECRET, now=AT + datetime.timedelta(minutes=4)) == MESSAGE_ID
    assert verify(headers, body, SECRET.removeprefix("whsec_"), now=AT) == MESSAGE_ID


def test_during_a_rotation_either_secret_verifies() -> None:
    old, new = generate_secret(), generate_secret()

    headers = sign([key_of(new), key_of(old)], "m1", AT, b"{}")

    assert verify(headers, b"{}", old, now=AT) == verify(headers, b"{}", new, now=AT) == "m1"
    with pytest.raises(WebhookVerificationError):
        verify(headers, b"{}", generate_secret(), now=AT)


@pytest.mark.parametrize(
    ("change", "body", "minutes"),
    [
        ({"webhook-id": "msg_other"}, BODY, 0),
        ({"webhook-id": ""}, BODY, 0),
        ({"webhook-timestamp": "1614265331"}, BODY, 0),
        ({"webhook-timestamp": "\N{ARABIC-INDIC DIGIT ONE}"}, BODY, 0),
        ({"webhook-timestamp": "-1"}, BODY, 0),
        ({"webhook-signature": SIGNATURE.replace("v1,", "v2,")}, BODY, 0),
        ({"webhook-signature": "v1,"}, BODY, 0),
        ({"webhook-signature": "v1,\udcff"}, BODY, 0),
        ({"webhook-signature": ""}, BODY, 0),
        ({}, BODY + " ", 0),
        ({}, BODY, 6),
        ({}, BODY, -6),
    ],
    ids=[
        "other id",
        "no id",
        "other time",
        "time in other digits",
        "time before 1970",
        "other version",
        "empty signature",
        "no text",
        "no signature",
        "changed body",
        "too old",
        "from the future",
    ],
)
def test_all_else_is_refused(change: dict[str, str], body: str, minutes: int) -> None:
    with pytest.raises(WebhookVerificationError):
        verify({**HEADERS, **change}, body, SECRET, now=AT + datetime.timedelta(minutes=minutes))


def test_the_tolerance_is_the_receivers() -> None:
    late = AT + datetime.timedelta(hours=1)

    assert verify(HEADERS, BODY, SECRET, datetime.timedelta(hours=2), now=late) == MESSAGE_ID


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_no base64!", "whsec_c2hvcnQ=", "whsec_" + "A" * 100])
def test_what_is_no_secret_is_the_receivers_mistake(secret: str) -> None:
    with pytest.raises(ValueError, match="this is not a secret for webhooks"):
        verify(HEADERS, BODY, secret, now=AT)
