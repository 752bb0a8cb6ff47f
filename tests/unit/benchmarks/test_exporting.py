"""What came over the wire is counted as it was meant."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parts.exporting import unchunked


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in [*parts, b""])


@given(st.lists(st.binary(min_size=1, max_size=40)))
def test_the_parts_of_a_body_are_put_together(parts: list[bytes]) -> None:
    assert unchunked(chunked(parts)) == b"".join(parts)


def test_a_body_without_its_end_is_none() -> None:
    whole = chunked([b"1,2\n", b"3,4\n"])

    assert unchunked(whole.removesuffix(b"0\r\n\r\n")) is None
    assert unchunked(b"") is None
