"""Sealed entries, and what can be told from them."""

import datetime
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.audit.sealing import (
    Sealer,
    columns_of,
    empty_head,
    head_after,
    key_column,
    mac_of,
    open_entry,
)
from fastapi_easy.domain.audit.streams import stream_of_change

_SEALER = Sealer("k1", b"0123456789abcdef")

_ENTRY = AuditEntry(
    stream="changes-03",
    occurred_at=datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    actor="7f",
    action="update",
    resource="books",
    key=42,
    tenant=None,
    correlation_id="c1",
    trace_id="",
    changes={"price": ["1.00", "2.00"]},
)


def test_the_body_of_an_entry_is_canonical_and_holds_its_place_in_the_chain() -> None:
    sealed = _SEALER.seal(_ENTRY, empty_head("changes-03"))

    assert sealed.body == (
        b'{"action":"update","actor":"7f","by_system":false,"changes":{"price":["1.00","2.00"]},'
        b'"correlation_id":"c1","key":42,"outcome":"ok",'
        b'"prev":"0000000000000000000000000000000000000000000000000000000000000000","resource":"books",'
        b'"seq":1,"stream":"changes-03","tenant":null,"trace_id":"","ts":"2026-01-31T11:00:00.000000Z","v":1}'
    )


def test_each_entry_is_hashed_with_the_leaf_of_the_one_before_and_authenticated() -> None:
    first = _SEALER.seal(_ENTRY, empty_head("changes-03"))
    second = _SEALER.seal(_ENTRY, head_after(first))

    assert second.seq == 2
    assert second.body is not None
    assert json.loads(second.body)["prev"] == first.leaf.hex()
    assert second.leaf == hashlib.sha256(b"\x00" + second.body).digest()
    assert second.mac == hmac.new(b"0123456789abcdef", second.leaf, "sha256").digest()


@pytest.mark.parametrize("length", [16, 64, 65, 200])
def test_a_mac_is_hmac_whatever_the_length_of_its_key(length: int) -> None:
    key = bytes(range(200))[:length]

    assert mac_of(key, b"a leaf") == hmac.digest(key, b"a leaf", "sha256")


def test_the_key_is_not_shown() -> None:
    assert "0123456789abcdef" not in repr(_SEALER)


_texts = st.text(max_size=300)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    actor=_texts,
    tenant=st.none() | _texts,
    key=_plain,
    changes=st.dictionaries(_texts, _plain, max_size=3),
    moment=st.datetimes(timezones=st.just(datetime.UTC)),
)
def test_what_is_opened_has_the_columns_of_what_was_sealed(
    actor: str, tenant: str | None, key: object, changes: dict[str, object], moment: datetime.datetime
) -> None:
    entry = replace(_ENTRY, actor=actor, tenant=tenant, key=key, changes=changes, occurred_at=moment)

    sealed = _SEALER.seal(entry, empty_head("changes-03"))

    assert sealed.body is not None
    opened = open_entry(sealed.body)
    assert (opened.seq, opened.prev, opened.entry.occurred_at) == (1, bytes(32), moment)
    assert columns_of(opened.entry) == columns_of(entry)
    # As it stands in a body, it stays in the next.
    assert _SEALER.seal(opened.entry, empty_head("changes-03")) == sealed


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b'{"v":1}', b'{"v":2}', b"\xff", b'{"v":1,"ts":3}'], ids=repr
)
def test_refuses_what_is_no_entry(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        _ = open_entry(body)


def test_a_column_holds_the_digest_of_what_it_is_too_short_for() -> None:
    assert key_column(42) == "42"
    assert key_column(["a", 1]) == '["a",1]'
    long = "x" * 300
    assert key_column(long) == "sha256:" + hashlib.sha256(f'"{long}"'.encode()).hexdigest()


@given(resource=_texts, key=_plain, tenant=st.none() | _texts)
def test_streams_have_names_that_fit_anywhere(resource: str, key: object, tenant: str | None) -> None:
    stream = stream_of_change(resource, key, tenant)

    assert stream.isascii()
    assert len(stream) <= 255
    assert stream.isprintable()
    assert " " not in stream
    assert stream == stream_of_change(resource, key, tenant)


def test_tenants_have_streams_of_their_own_and_the_rest_is_spread() -> None:
    spread = {stream_of_change("books", number, None, 4) for number in range(100)}

    assert spread == {"changes-00", "changes-01", "changes-02", "changes-03"}
    assert stream_of_change("books", 1, "acme & co") == "tenant:acme%20%26%20co"
