"""Compressed bodies: what was compressed comes back, however it arrives, and no more than may."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.interfaces.http.exchange import ProblemError
from fastapi_easy.interfaces.http.requests.content_codings import (
    MAX_RATIO,
    ContentCoding,
    Expansion,
    coding_of,
    expand,
)

LIMIT = 1_000_000
MEGABYTE = 1024 * 1024


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def two_members(body: bytes) -> bytes:
    half = len(body) // 2
    return gzip.compress(body[:half]) + gzip.compress(body[half:])


PACKED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip, in capitals": (b"X-GZIP", gzip.compress),
    "gzip of two members": (b"gzip", two_members),
    "deflate": (b"deflate", zlib.compress),
    "deflate without a header": (b"identity, deflate", raw_deflate),
}


def chosen(header: bytes) -> ContentCoding:
    coding = coding_of(header)
    assert coding is not None
    return coding


def parts_of(body: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    begin = 0
    for cut in sorted(cut % (len(body) + 1) for cut in cuts):
        yield body[begin:cut]
        begin = cut
    yield body[begin:]


def refusal(work: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ProblemError) as raised:
        _ = work()
    return raised.value.problem.status, raised.value.problem.code


@given(
    kind=st.sampled_from(sorted(PACKED)),
    body=st.one_of(
        st.binary(max_size=400), st.integers(1, 200_000).map(lambda length: b'{"a": "b"}\n' * (length // 10))
    ),
    cuts=st.lists(st.integers(0, 10_000), max_size=5),
)
def test_what_was_compressed_comes_back_in_whatever_parts_it_arrives(
    kind: str, body: bytes, cuts: list[int]
) -> None:
    header, pack = PACKED[kind]
    coding = chosen(header)
    expansion = Expansion(coding, None, LIMIT)

    pieces = [piece for part in parts_of(pack(body), cuts) for piece in expansion.expand(part)]

    assert b"".join([*pieces, *expansion.end()]) == body
    assert all(len(each) <= 128 * 1024 for each in pieces)
    assert expand(coding, pack(body), max(len(body), 1)) == body


@given(kind=st.sampled_from(sorted(PACKED)), body=st.binary(min_size=1, max_size=400), data=st.data())
def test_a_body_that_breaks_off_is_refused(kind: str, body: bytes, data: st.DataObject) -> None:
    header, pack = PACKED[kind]
    packed = pack(body)
    # A body of two members may as well have had one.
    whole = {len(packed), len(gzip.compress(body[: len(body) // 2])) if "two" in kind else len(packed)}
    length = data.draw(st.integers(1, len(packed) - 1).filter(lambda each: each not in whole))

    assert refusal(lambda: expand(chosen(header), packed[:length], LIMIT)) == (400, "malformed_body")


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"gzip", b'{"title": "plain"}'),
        (b"gzip", zlib.compress(b"{}")),
        (b"gzip", gzip.compress(b"{}") + b"rest"),
        (b"gzip", gzip.compress(b"{}")[:-8] + b"\x00" * 8),
        (b"deflate", gzip.compress(b"{}")),
        (b"deflate", zlib.compress(b"{}") * 2),
        (b"gzip", gzip.compress(b"") * 2_000),
    ],
    ids=["plain", "another coding", "rest", "checksum", "gzip as deflate", "two of deflate", "many members"],
)
def test_what_is_not_compressed_as_it_says_is_refused(header: bytes, body: bytes) -> None:
    assert refusal(lambda: expand(chosen(header), body, LIMIT)) == (400, "malformed_body")


@pytest.mark.parametrize(
    "header", [b"br", b"zstd", b"compress", b"gzip, gzip", b"deflate,gzip", b"gzip, br", b"*"]
)
def test_other_codings_and_several_at_once_are_not_understood(header: bytes) -> None:
    with pytest.raises(ProblemError) as raised:
        _ = coding_of(header)

    problem = raised.value.problem
    assert (problem.status, problem.code) == (415, "unsupported_media_type")
    assert problem.headers == ((b"accept-encoding", b"gzip, deflate"),)


@pytest.mark.parametrize("header", [b"", b"identity", b" Identity , identity"])
def test_a_body_without_a_coding_is_as_it_is(header: bytes) -> None:
    assert coding_of(header) is None


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_body_that_expands_beyond_its_limit_is_refused_before_it_fills_the_memory(
    pack: Callable[[bytes], bytes],
) -> None:
    bomb = pack(bytes(20 * MEGABYTE))
    coding = chosen(b"gzip" if pack is gzip.compress else b"deflate")
    tracemalloc.start()
    try:
        answer = refusal(lambda: expand(coding, bomb, MEGABYTE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer == (413, "too_large")
    # As much as may come, and a copy of what came with each piece of it.
    assert peak < 3 * MEGABYTE


def test_a_body_of_just_the_limit_is_taken() -> None:
    packed = gzip.compress(bytes(MEGABYTE))

    assert len(expand(chosen(b"gzip"), packed, MEGABYTE)) == MEGABYTE
    assert refusal(lambda: expand(chosen(b"gzip"), packed, MEGABYTE - 1)) == (413, "too_large")


def test_a_body_without_a_limit_may_be_some_times_as_large_as_what_came() -> None:
    packed = gzip.compress(bytes(20 * MEGABYTE))

    def read(always: int) -> int:
        expansion = Expansion(chosen(b"gzip"), None, always)
        return sum(map(len, expansion.expand(packed)))

    assert read(20 * MEGABYTE) == 20 * MEGABYTE
    assert len(packed) * MAX_RATIO < 20 * MEGABYTE
    assert refusal(lambda: read(1)) == (413, "too_large")
