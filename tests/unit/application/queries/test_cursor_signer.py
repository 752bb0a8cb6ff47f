"""What cursors promise: what was sealed is opened, and nothing else is."""

import base64
import dataclasses
import enum
import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from fastapi_easy.application.queries.cursor_signer import CursorSigner
from fastapi_easy.domain.errors import BadQuery
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from tests.unit.application.fakes import ORDERS, SECRET, THINGS, reader_of
from tests.unit.application.queries.samples import SAMPLES, any_text, values_of

REFUSED = Failure(BadQuery("cursor", "The cursor is not valid for this query: start again without it"))
EVERY_SORT = tuple(Sort(kind.value) for kind in SAMPLES)
QUERY = Query(specification=Where("status", Operator.EQUALS, "new"), order=(Sort("total"),))
CURSOR = Cursor((Decimal("9.50"), 1))


class Fraction(enum.Enum):
    """Enumerated by numbers that are not whole."""

    HALF = 0.5


every_place = st.tuples(*(st.none() | values_of(kind) for kind in SAMPLES), values_of(Kind.INTEGER))


def sealed(query: Query = QUERY, tenant: str | None = None) -> str:
    return CursorSigner(ORDERS, SECRET).sign(CURSOR, query, tenant)


@given(values=every_place)
def test_a_signed_cursor_is_verified(values: tuple[Any, ...]) -> None:
    signer, query = CursorSigner(THINGS, SECRET), Query(order=EVERY_SORT)

    token = signer.sign(Cursor(values), query, "tenant")

    assert signer.verify(token, query, "tenant") == Success(Cursor(values))


def test_a_token_needs_no_escaping_in_a_url() -> None:
    assert set(sealed()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_page_size_and_fields_may_change_between_pages() -> None:
    other = dataclasses.replace(QUERY, page=PageRequest(limit=7), fields=("id",))

    assert CursorSigner(ORDERS, SECRET).verify(sealed(), other, None) == Success(CURSOR)


@pytest.mark.parametrize(
    ("signer", "query", "tenant"),
    [
        pytest.param(CursorSigner(ORDERS, b"another secret"), QUERY, None, id="another application"),
        pytest.param(
            CursorSigner(dataclasses.replace(ORDERS, name="others"), SECRET),
            QUERY,
            None,
            id="another resource",
        ),
        pytest.param(
            CursorSigner(ORDERS, SECRET),
            dataclasses.replace(QUERY, order=(Sort("total", Direction.DESCENDING),)),
            None,
            id="the other direction",
        ),
        pytest.param(
            CursorSigner(ORDERS, SECRET),
            dataclasses.replace(QUERY, order=(Sort("total"), Sort("status"))),
            None,
            id="another order",
        ),
        pytest.param(
            CursorSigner(ORDERS, SECRET), Query(order=QUERY.order), None, id="another specification"
        ),
        pytest.param(
            CursorSigner(ORDERS, SECRET),
            dataclasses.replace(QUERY, specification=Where("status", Operator.EQUALS, "paid")),
            None,
            id="another value",
        ),
        pytest.param(CursorSigner(ORDERS, SECRET), QUERY, "acme", id="a tenant instead of none"),
    ],
)
def test_a_token_from_elsewhere_is_refused(signer: CursorSigner, query: Query, tenant: str | None) -> None:
    assert signer.verify(sealed(), query, tenant) == REFUSED


@pytest.mark.parametrize(
    ("made_for", "used_by"),
    [
        pytest.param("acme", "other", id="another tenant"),
        pytest.param("acme", None, id="no tenant"),
        pytest.param(None, "None", id="a tenant called None"),
    ],
)
def test_a_token_of_another_tenant_is_refused(made_for: str | None, used_by: str | None) -> None:
    assert CursorSigner(ORDERS, SECRET).verify(sealed(tenant=made_for), QUERY, used_by) == REFUSED


def test_a_token_with_any_bit_changed_is_refused() -> None:
    signer, token = CursorSigner(ORDERS, SECRET), sealed()
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    bent = [
        base64.urlsafe_b64encode(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]).rstrip(b"=").decode()
        for at, bit in itertools.product(range(len(raw)), range(8))
    ]

    assert [token for token in bent if signer.verify(token, QUERY, None) != REFUSED] == []


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("A", id="a single letter"),
        pytest.param("AAAA", id="too short for a signature"),
        pytest.param("A" * 22, id="a signature of nothing"),
        pytest.param(sealed()[:-4], id="cut off"),
        pytest.param(sealed() + "AAAA", id="continued"),
        pytest.param(sealed() + "====", id="padded"),
        pytest.param("§" * 40, id="no base64"),
        pytest.param("\ud800" * 40, id="half characters"),
        pytest.param(sealed() + "\n", id="with a line break"),
        pytest.param("A" * 10_000, id="too long to look at"),
    ],
)
def test_a_malformed_token_is_refused(token: str) -> None:
    assert CursorSigner(ORDERS, SECRET).verify(token, QUERY, None) == REFUSED


@given(token=any_text() | st.text("ABCabc012-_="))
def test_no_random_text_is_a_valid_token(token: str) -> None:
    assert CursorSigner(ORDERS, SECRET).verify(token, QUERY, None) == REFUSED


def test_a_token_from_before_a_field_changed_its_type_is_refused() -> None:
    changed = dataclasses.replace(
        ORDERS, fields=ORDERS.fields | {"total": Field(name="total", kind=Kind.DATE)}
    )

    assert CursorSigner(changed, SECRET).verify(sealed(), QUERY, None) == REFUSED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(
            Field(name="total", kind=Kind.DECIMAL), Decimal("1234567890123456789.25"), id="wide decimal"
        ),
        pytest.param(Field(name="total", kind=Kind.DECIMAL), Decimal("1E-30"), id="small decimal"),
        pytest.param(Field(name="total", kind=Kind.FLOAT), float("inf"), id="infinity"),
        pytest.param(
            Field(name="total", kind=Kind.INTEGER, maximum=9), 10, id="integer beyond today's bounds"
        ),
        pytest.param(Field(name="total", kind=Kind.TEXT), "\u044f" * 2_000, id="long text"),
    ],
)
def test_pagination_continues_from_any_stored_value(field: Field, value: Any) -> None:
    resource = dataclasses.replace(ORDERS, fields=ORDERS.fields | {"total": field})
    signer, cursor = CursorSigner(resource, SECRET), Cursor((value, 1))

    assert signer.verify(signer.sign(cursor, QUERY, None), QUERY, None) == Success(cursor)


def test_the_reader_goes_on_where_a_page_ended() -> None:
    reader = reader_of(ORDERS)
    pairs = [("status", "new"), ("sort", "-total"), ("limit", "2")]
    query = reader.from_parameters(pairs, tenant="acme").unwrap()
    token = reader.sign(query, CURSOR, tenant="acme")

    by_text = reader.from_parameters([*pairs, ("cursor", token)], tenant="acme")
    by_json = reader.from_document(
        {"where": {"status": "new"}, "sort": ["-total"], "limit": 2, "cursor": token}, tenant="acme"
    )
    by_stranger = reader.from_parameters([*pairs, ("cursor", token)], tenant="other")

    onward = dataclasses.replace(query, page=PageRequest(limit=2, after=CURSOR))
    assert (by_text, by_json, by_stranger) == (Success(onward), Success(onward), REFUSED)
