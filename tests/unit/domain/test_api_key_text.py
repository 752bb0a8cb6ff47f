"""The spelling of API keys."""

import re

import pytest

from fastapi_easy.domain.authentication.api_key_text import generate_key, parse_key


def test_a_key_has_a_prefix_a_public_id_a_secret_and_a_checksum() -> None:
    key = generate_key()

    assert re.fullmatch(r"fek_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", key.text)
    assert key.text.split("_")[1] == key.id
    assert key.text not in repr(key)


def test_no_two_keys_are_alike() -> None:
    keys = [generate_key() for _ in range(100)]

    assert len({each.id for each in keys}) == len({each.digest for each in keys}) == 100


def test_a_key_is_read_as_it_was_written() -> None:
    key = generate_key()

    assert parse_key(key.text) == key


@pytest.mark.parametrize("place", range(4, 64, 5))
def test_one_wrong_letter_is_no_key(place: int) -> None:
    text = generate_key().text
    wrong = "x" if text[place] != "x" else "y"

    assert parse_key(f"{text[:place]}{wrong}{text[place + 1 :]}") is None


@pytest.mark.parametrize("text", ["", "fek_", "fek_a_b_c", "eyJhbGciOi.J9.x", "fek_ä" * 12])
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse_key(text) is None
    assert parse_key(f"{generate_key().text}\n") is None
