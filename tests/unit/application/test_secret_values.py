"""Values of every kind through the encryption of a field."""

import datetime
import enum
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastapi_easy.application.secrets.field_cipher import UNREADABLE, FieldCipher, field_ciphers
from fastapi_easy.domain import Fields
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.values.sealed_text import read_sealed, sealable_characters, sealed_length
from fastapi_easy.encryption import AesGcmCipher
from fastapi_easy.infrastructure.entities.plain import describe


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Vault:
    text: str
    whole: int
    exact: Decimal
    real: float
    is_on: bool
    day: datetime.date
    clock: datetime.time
    moment: datetime.datetime
    span: datetime.timedelta
    mark: uuid.UUID
    data: bytes
    rank: Rank
    tree: dict[str, Any]
    id: int | None = None


KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"])),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "exact": st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    ),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "is_on": st.booleans(),
    "day": st.dates(),
    "clock": st.times(),
    "moment": st.datetimes(timezones=st.just(datetime.UTC)),
    "span": st.timedeltas(datetime.timedelta(days=-(10**6)), datetime.timedelta(days=10**6)),
    "mark": st.uuids(),
    "data": st.binary(),
    "rank": st.sampled_from(Rank),
    "tree": st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
}

RESOURCE, MISTAKES = declare(
    "vaults", Declaration(entity=Vault, fields=Fields(secret=[*KINDS])), describe(Vault)
)
assert RESOURCE is not None, MISTAKES
CIPHERS = field_ciphers(RESOURCE, lambda: AesGcmCipher({"k": bytes(32)}, "k"))


def cipher_of(name: str) -> FieldCipher:
    return CIPHERS[name]


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_comes_back_equal_and_of_the_same_type(name: str, data: st.DataObject) -> None:
    value = data.draw(KINDS[name])
    cipher = cipher_of(name)

    back = cipher.unseal(cipher.seal(value))

    assert back == value
    assert type(back) is type(value)


@given(KINDS["text"])
@example("true")
@example("")
@example("null")
@example('"quoted"')
@example("fe1:k:AAAA")
@example("👩‍👩‍👧 é" * 2000)
def test_a_text_comes_back_whatever_it_spells_and_is_no_longer_than_announced(text: str) -> None:
    cipher = cipher_of("text")

    stored = cipher.seal(text)

    assert cipher.unseal(stored) == text
    assert len(stored) <= sealed_length(len(text))
    assert sealable_characters(sealed_length(len(text))) >= len(text)


@pytest.mark.parametrize(
    "stored",
    ["", "fe1", "fe1:k", "fe1:k:", "fe1:k:?", "fe1:no such key:AAAA", "fe2:k:AAAA", "plain", 7, {"a": 1}],
)
def test_what_nobody_encrypted_is_unreadable(stored: object) -> None:
    assert cipher_of("text").unseal(stored) is UNREADABLE


def test_a_value_of_another_kind_is_unreadable() -> None:
    whole = cipher_of("whole")
    moved = FieldCipher(RESOURCE, "whole", AesGcmCipher({"k": bytes(32)}, "k"))  # type: ignore[arg-type]

    assert moved.unseal(whole.seal(7)) == 7
    assert cipher_of("exact").unseal(whole.seal(7)) is UNREADABLE


def test_the_envelope_names_its_key() -> None:
    sealed = read_sealed(cipher_of("text").seal("x"))

    assert sealed is not None
    assert sealed.key_id == "k"
