"""Signed notes: written, read, and refused when they were changed."""

import base64
import datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.audit.merkle import Frontier
from fastapi_easy.domain.audit.notes import UnreadableNote, origin_of, read_note, stream_in, write_note
from fastapi_easy.domain.audit.sealing import leaf_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.audit.signing import (
    Ed25519Signer,
    generate_signer,
    read_signer,
    read_verifier,
)

NOW: Final = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
SIGNER: Final = Ed25519Signer("shop", bytes(range(32)))
EMPTY: Final = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
OTHER: Final = Ed25519Signer("shop", bytes(range(1, 33)))
# The example of golang.org/x/mod/sumdb/note, which C2SP's signed-note describes.
PUBLIC: Final = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SIGNED: Final = (
    b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
SIGNATURE: Final = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def tree(size: int) -> Frontier:
    frontier = Frontier()
    for each in range(size):
        frontier.append(leaf_of(str(each).encode()))
    return frontier


@given(st.integers(0, 70), st.text(min_size=1))
def test_a_note_says_what_was_written(size: int, stream: str) -> None:
    frontier = tree(size)

    found = read_note(write_note(origin_of("shop", stream), frontier, NOW, [SIGNER]))

    checkpoint = found.checkpoint
    assert (stream_in("shop", checkpoint.origin), checkpoint.size, checkpoint.root) == (
        stream,
        size,
        frontier.root(),
    )
    assert (checkpoint.created_at, checkpoint.frontier) == (NOW, frontier.nodes)
    assert found.is_signed_by(SIGNER.verifier) is True


def test_a_note_has_the_three_lines_of_a_checkpoint_and_two_more() -> None:
    root = base64.b64encode(leaf_of(b"0")).decode()
    note = write_note("shop/books", tree(1), NOW, [SIGNER])
    assert note.startswith(f"shop/books\n1\n{root}\ntime 1767323045\nfrontier {root}\n\n— shop ")


def test_another_key_of_the_same_name_has_not_signed() -> None:
    found = read_note(write_note("shop/books", tree(3), NOW, [SIGNER]))
    assert found.is_signed_by(OTHER.verifier) is None


def test_two_keys_sign_while_one_takes_the_place_of_the_other() -> None:
    found = read_note(write_note("shop/books", tree(3), NOW, [SIGNER, OTHER]))
    assert [found.is_signed_by(each.verifier) for each in (SIGNER, OTHER)] == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("shop/books", "shop/pens", id="another stream"),
        pytest.param("time 1767323045", "time 1767323046", id="another time"),
    ],
)
def test_a_note_that_was_changed_is_not_signed(old: str, new: str) -> None:
    note = write_note("shop/books", tree(3), NOW, [SIGNER])
    assert read_note(note.replace(old, new)).is_signed_by(SIGNER.verifier) is False


def test_a_size_that_its_frontier_does_not_have_is_refused() -> None:
    note = write_note("shop/books", tree(3), NOW, [SIGNER])
    with pytest.raises(UnreadableNote, match="another frontier"):
        read_note(note.replace("\n3\n", "\n4\n"))


def test_a_root_that_its_frontier_does_not_have_is_refused() -> None:
    lines = write_note("shop/books", tree(3), NOW, [SIGNER]).split("\n")
    lines[2] = write_note("shop/books", tree(5), NOW, [SIGNER]).split("\n")[2]
    with pytest.raises(UnreadableNote, match="not that of its frontier"):
        read_note("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop/books",
        "shop/books\n1\n\n",
        "shop/books\nmany\nAA==\ntime 1\nfrontier\n\n— shop AAAAAAA=\n",
        "shop/books\n0\nAA==\nat 1\nfrontier\n\n— shop AAAAAAA=\n",
        "shop/books\n0\nA\ntime 1\nfrontier\n\n— shop AAAAAAA=\n",
        f"shop/books\n0\n{EMPTY}\ntime 1\nfrontier\n\nshop AAAAAAA=\n",
        f"shop/books\n0\n{EMPTY}\ntime 1\nfrontier\n\n",
        f"shop/books\n0\n{EMPTY}\ntime 999999999999999999\nfrontier\n\n— shop AAAAAAA=\n",
    ],
)
def test_what_is_not_a_note_is_refused(text: str) -> None:
    with pytest.raises(UnreadableNote):
        read_note(text)


def test_the_example_of_the_format_is_verified() -> None:
    verifier = read_verifier(PUBLIC)
    signature = base64.b64decode(SIGNATURE)
    assert signature[:4] == verifier.key_id
    assert verifier.verify(SIGNED, signature[4:])
    assert not verifier.verify(SIGNED + b"\n", signature[4:])


def test_keys_are_texts_that_can_be_read_again() -> None:
    made = generate_signer("shop.example/audit")
    signer, verifier = read_signer(made.export()), read_verifier(str(made.verifier))
    assert verifier.verify(b"message", signer.sign(b"message"))
    assert str(signer.verifier) == str(verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC.replace("ARpc", "AhpC"),
        "a+00000000+" + "=" * 44,
    ],
)
def test_what_is_not_a_public_key_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        read_verifier(text)


def test_a_refused_private_key_is_not_repeated() -> None:
    with pytest.raises(DeclarationError) as raised:
        read_signer("PRIVATE+KEY+shop+00000000+secret")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "my shop", "a+b"])
def test_a_key_needs_a_name_that_signatures_can_have(name: str) -> None:
    with pytest.raises(DeclarationError):
        generate_signer(name)
