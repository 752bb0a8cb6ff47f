"""AES-256-GCM behind the port `Cipher`."""

import base64

import pytest

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.encryption import AesGcmCipher, decode_key, generate_key

OLD, NEW = b"\x01" * 32, b"\x02" * 32
PLACE = b"customers\0iban"


def test_decrypts_with_every_key_and_encrypts_with_the_current_one() -> None:
    old, both = AesGcmCipher({"old": OLD}, "old"), AesGcmCipher({"old": OLD, "new": NEW}, "new")

    one, other = old.encrypt(b"text", PLACE), both.encrypt(b"text", PLACE)

    assert both.key_ids == ("new", "old")
    assert both.decrypt("old", one, PLACE) == b"text"
    assert both.decrypt("new", other, PLACE) == b"text"
    assert old.decrypt("new", other, PLACE) is None
    assert both.encrypt(b"text", PLACE) != other


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), PLACE),
        (lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:], PLACE),
        (lambda sealed: sealed[:20], PLACE),
        (lambda _: b"", PLACE),
        (lambda sealed: sealed, b"customers\0notes"),
    ],
    ids=["tag changed", "nonce changed", "cut short", "empty", "of another field"],
)
def test_refuses_what_it_did_not_encrypt_for_that_field(data: object, place: bytes) -> None:
    cipher = AesGcmCipher({"k": OLD}, "k")
    sealed = cipher.encrypt(b"text", PLACE)

    assert cipher.decrypt("k", data(sealed), place) is None  # type: ignore[operator]


def test_keyed_hashes_are_the_same_each_time_and_unrelated_between_keys_and_fields() -> None:
    cipher = AesGcmCipher({"old": OLD, "new": NEW}, "new")

    digest = cipher.digest("new", b"text", PLACE)

    assert digest == AesGcmCipher({"new": NEW}, "new").digest("new", b"text", PLACE)
    assert len(digest) == 32
    assert len({digest, cipher.digest("old", b"text", PLACE), cipher.digest("new", b"text", b"notes")}) == 3


@pytest.mark.parametrize(
    ("keys", "current", "said"),
    [
        ({"k": b"short key"}, "k", "has 9 bytes"),
        ({"k:1": OLD}, "k:1", "cannot be the id of a key"),
        ({"k": OLD}, "other", "there is no key 'other'"),
    ],
    ids=["short", "odd id", "no such key"],
)
def test_refuses_a_wrong_key_without_showing_it(keys: dict[str, bytes], current: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as raised:
        _ = AesGcmCipher(keys, current)

    assert "short key" not in str(raised.value)


def test_shows_the_ids_of_its_keys_and_no_key() -> None:
    assert repr(AesGcmCipher({"old": OLD, "new": NEW}, "new")) == "AesGcmCipher(new, old)"


def test_reads_keys_in_both_alphabets_of_base64() -> None:
    key = b"\xff\xfe\xfd\xfc" * 8

    assert decode_key(base64.b64encode(key).decode()) == key
    assert decode_key(base64.urlsafe_b64encode(key).decode()) == key
    assert [decode_key(text) for text in ("", "hush", base64.b64encode(key + b"x").decode())] == [None] * 3
    assert decode_key(generate_key()) != decode_key(generate_key())
