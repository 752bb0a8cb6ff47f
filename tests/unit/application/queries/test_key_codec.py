"""What a key in a path promises: it comes back as it was, whatever it contains."""

import datetime
import enum
import urllib.parse
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.domain.errors import Fault, Invalid, Key, NotFound
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.options import READ_ONLY
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from tests.unit.application.fakes import Size, Thing, reader_of, resource_of
from tests.unit.application.queries.samples import SAMPLES, any_text, values_of

KINDS = tuple(SAMPLES)


class Shelf(int, enum.Enum):
    """Is an integer, and no `IntEnum`."""

    TOP = 1
    BOTTOM = 2


class Rate(enum.Enum):
    """Enumerated by fractions."""

    HALF = 0.5


class Word(str, enum.Enum):  # noqa: UP042 (people still write it)
    """Is text, and no `StrEnum`."""

    COMMA = "a,b"


def reader_with_key(*fields: Field) -> QueryReader:
    return reader_of(
        resource_of("things", Thing, fields, [field.name for field in fields], operations=READ_ONLY)
    )


def key_field(kind: Kind) -> Field:
    return Field(name=kind.value, kind=kind, enumeration=Size if kind is Kind.ENUM else None)


def key_values(kind: Kind) -> st.SearchStrategy[Any]:
    return st.sampled_from(Size) if kind is Kind.ENUM else values_of(kind)


SINGLE = {kind: reader_with_key(key_field(kind)) for kind in KINDS}
COMPOSITE = reader_with_key(*(key_field(kind) for kind in KINDS))


def through_a_path(reader: QueryReader, key: Key) -> Any:
    segment = reader.write_key(key)
    assert segment.isascii()
    assert not set(segment) & set("/?# ")
    return reader.read_key(urllib.parse.unquote(segment, errors="strict"))


@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_a_key_comes_back_as_it_was(data: st.DataObject, kind: Kind) -> None:
    key = data.draw(key_values(kind))

    assert through_a_path(SINGLE[kind], key) == Success(key)


@given(key=st.tuples(*(key_values(kind) for kind in KINDS)))
def test_a_key_of_several_parts_comes_back_as_it_was(key: tuple[Any, ...]) -> None:
    assert through_a_path(COMPOSITE, key) == Success(key)


@pytest.mark.parametrize("member", [Shelf.BOTTOM, Rate.HALF, Word.COMMA, Size.LARGE])
def test_a_member_of_any_enumeration_comes_back(member: enum.Enum) -> None:
    field = Field(name="id", kind=Kind.ENUM, enumeration=type(member))

    for fields, key in [((field,), member), ((field, key_field(Kind.TEXT)), (member, "x"))]:
        assert through_a_path(reader_with_key(*fields), key) == Success(key)


TEXTS = reader_with_key(Field(name="a", kind=Kind.TEXT), Field(name="b", kind=Kind.TEXT))


@given(key=st.tuples(*[st.text("~,01%/ \u00e9\U0001f600") for _ in range(2)]))
def test_parts_full_of_separators_come_back_as_they_were(key: tuple[str, str]) -> None:
    assert through_a_path(TEXTS, key) == Success(key)


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        pytest.param(("a", "b"), "a,b", id="plain"),
        pytest.param(("a,b", "c~d"), "a~1b,c~0d", id="separators inside"),
        pytest.param(("~1", "~0"), "~01,~00", id="what looks escaped already"),
        pytest.param(("a/b", "50%"), "a%2Fb,50%25", id="what means something in a path"),
        pytest.param(("", ""), ",", id="empty parts"),
        pytest.param(("\u00e9", "\U0001f600"), "%C3%A9,%F0%9F%98%80", id="unicode"),
    ],
)
def test_is_written_like_this(key: Key, segment: str) -> None:
    assert TEXTS.write_key(key) == segment


@pytest.mark.parametrize(
    ("kind", "key", "segment"),
    [
        pytest.param(Kind.TEXT, "a,b/~", "a%2Cb%2F~", id="one part needs no separators"),
        pytest.param(Kind.BOOLEAN, True, "true", id="boolean"),
        pytest.param(Kind.DATE, datetime.date(2026, 11, 23), "2026-11-23", id="date"),
        pytest.param(Kind.UUID, uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(Kind.ENUM, Size.LARGE, "2", id="an enumeration by its value"),
    ],
)
def test_a_single_key_is_written_like_this(kind: Kind, key: Key, segment: str) -> None:
    assert SINGLE[kind].write_key(key) == segment


PAIR = reader_with_key(Field(name="shop", kind=Kind.TEXT), Field(name="number", kind=Kind.INTEGER))


@pytest.mark.parametrize(
    ("segment", "fault"),
    [
        pytest.param("a", Fault("", "Must be shop,number", "key_parts", "path"), id="too few parts"),
        pytest.param("a,1,2", Fault("", "Must be shop,number", "key_parts", "path"), id="too many parts"),
        pytest.param("", Fault("", "Must be shop,number", "key_parts", "path"), id="nothing"),
        pytest.param(
            "a,x", Fault("/number", "Must be a whole number", "integer_parsing", "path"), id="not of its type"
        ),
        pytest.param(
            "a\x00,1",
            Fault("/shop", "Must be valid Unicode text without NUL", "unsafe_text", "path"),
            id="NUL",
        ),
        pytest.param(
            "a,9223372036854775808",
            Fault(
                "/number",
                "Must be between -9223372036854775808 and 9223372036854775807",
                "out_of_range",
                "path",
            ),
            id="one more than fits",
        ),
    ],
)
def test_a_malformed_key_is_invalid(segment: str, fault: Fault) -> None:
    assert PAIR.read_key(segment) == Failure(Invalid((fault,)))


@given(segment=any_text())
def test_no_segment_makes_it_raise(segment: str) -> None:
    for reader in (*SINGLE.values(), COMPOSITE, PAIR):
        _ = reader.read_key(segment)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(st.data())
def test_a_key_said_in_python_is_what_it_is(kind: Kind, data: st.DataObject) -> None:
    key = data.draw(key_values(kind))

    assert SINGLE[kind].check_key(key) == Success(key)


def test_a_composite_key_said_in_python_may_be_any_sequence() -> None:
    reader = reader_with_key(Field(name="order", kind=Kind.UUID), Field(name="number", kind=Kind.INTEGER))
    order = uuid.UUID(int=7)

    assert reader.check_key([order, 1]) == Success((order, 1))
    assert reader.check_key((str(order), 1)) == Success((order, 1))


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        pytest.param("7", Fault("/integer", "Must be a valid integer", "integer_type", "path"), id="text"),
        pytest.param(
            None, Fault("/integer", "Must be a valid integer", "integer_type", "path"), id="nothing"
        ),
        pytest.param(
            (7,), Fault("/integer", "Must be a valid integer", "integer_type", "path"), id="a tuple"
        ),
    ],
)
def test_a_key_of_another_type_is_refused(key: Any, fault: Fault) -> None:
    assert SINGLE[Kind.INTEGER].check_key(key) == Failure(Invalid((fault,)))


@pytest.mark.parametrize("key", [7, "ab", (1,), (1, 2, 3)], ids=repr)
def test_a_key_with_too_few_or_too_many_parts_is_refused(key: Any) -> None:
    reader = reader_with_key(Field(name="order", kind=Kind.INTEGER), Field(name="number", kind=Kind.INTEGER))

    assert reader.check_key(key) == Failure(
        Invalid((Fault("", "Must be order,number", "key_parts", "path"),))
    )


@pytest.mark.parametrize(
    ("kind", "spelled"),
    [
        *((Kind.INTEGER, text) for text in ("01", "00", "-0", "-01", "007")),
        *((Kind.DECIMAL, text) for text in ("01", "01.50", "-00.5", "00")),
        *((Kind.FLOAT, text) for text in ("01.5", "-01", "00.5")),
        *((Kind.BOOLEAN, text) for text in ("1", "0")),
        (Kind.UUID, "0a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d"),
        (Kind.UUID, "0a1b2c3d4e5f-4a6b-8c7d-9e0f1a2b3c4d"),
    ],
    ids=str,
)
def test_another_spelling_than_its_own_is_the_key_of_nothing(kind: Kind, spelled: str) -> None:
    read = SINGLE[kind].read_key(spelled)

    assert isinstance(read, Failure)
    assert isinstance(read.failure(), NotFound)


@given(text=st.from_regex(r"-?[0-9]{1,4}", fullmatch=True))
def test_a_number_is_read_from_what_it_is_written_as_and_from_nothing_else(text: str) -> None:
    read = SINGLE[Kind.INTEGER].read_key(text)

    assert isinstance(read, Success) == (str(int(text)) == text)


@pytest.mark.parametrize(
    ("shown", "key"), [("07", UnexpectedValue("07")), ("7", 7), ("odd", UnexpectedValue("odd"))]
)
def test_a_store_that_keeps_texts_among_numbers_is_asked_for_another_spelling(shown: str, key: Key) -> None:
    reader = reader_with_key(Field(name="number", kind=Kind.INTEGER, other_values=r"\w+"))

    assert reader.read_key(shown) == Success(key)
