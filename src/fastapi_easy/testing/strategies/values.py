"""Strategies for values of a field.

Every store can hold these values, and two of them are often equal: texts have no NUL and no lone surrogates, dates
lie in the years that every database supports, and most values come from a small selection.
"""

import datetime
import decimal
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from hypothesis import strategies as st

from fastapi_easy.domain.field import Field, Kind

T = TypeVar("T")

Texts: TypeAlias = st.SearchStrategy[str]

_LATIN: Final = "".join(chr(code) for code in range(0xC0, 0xFF) if code not in {0xD7, 0xF7})
_GREEK: Final = "".join(
    chr(code) for code in (*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3C2))
)
_CYRILLIC: Final = "".join(chr(code) for code in range(0x410, 0x450))

TRICKY: Final = "%_\\'\"`[]*?:;-/ "
"""Characters with a meaning in some store, and the space, which some stores drop at the end of a text."""

CASED: Final = string.ascii_letters + string.digits + TRICKY + _LATIN + _GREEK + _CYRILLIC + "😀😁\uff21"
"""Characters whose lower case is the same in every store: one character, whatever its neighbours."""

WILD: Final = CASED + "ςİ\u0131\u017f\u212aẞ\u01c5ﬀ\u0301\u200d\ufeff\u2028\t\n\U0010ffff"
"""`CASED`, and characters whose lower case, width or equality differs between stores."""

CONFUSABLE: Final = (
    *(
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "ab",
        "aB",
        "AB",
        "b",
        "aba",
        "e",
        "E",
        "\u00e9",
        "\u00c9",
        "%",
        "a%",
        "_",
        "a_b",
    ),
    *("\\", "a\\b", "\u03c3", "\u03a3", "\u0436", "\u0416", "\U0001f600", "\U0001f601"),
)
"""Texts that some store may take for equal."""

_SOME_LENGTH: Final = 12
_ODD_ZONE: Final = datetime.timezone(datetime.timedelta(hours=-9, minutes=-30))


def texts(alphabet: str = CASED, *, min_size: int = 0, max_size: int = _SOME_LENGTH) -> Texts:
    """Return texts: mostly ones that stores may confuse, otherwise any characters of *alphabet*."""
    alike = [each for each in CONFUSABLE if min_size <= len(each) <= max_size]
    anything = st.text(alphabet=alphabet, min_size=min_size, max_size=max(min_size, max_size))
    return _mostly(st.sampled_from(alike), anything) if alike else anything


def values(field: Field, alphabet: str = CASED) -> st.SearchStrategy[object]:
    """Return non-null values of *field*."""
    if field.kind is Kind.TEXT:
        return texts(
            alphabet, min_size=field.min_length or 0, max_size=min(field.max_length or 30, _SOME_LENGTH)
        )
    if field.kind is Kind.INTEGER:
        return _integers(field)
    if field.kind is Kind.DECIMAL:
        return _decimals(field)
    if field.kind is Kind.ENUM and field.enumeration is not None:
        return st.sampled_from(tuple(field.enumeration))
    if field.kind is Kind.ARRAY:
        item = Field(name=field.name, kind=field.item or Kind.TEXT)
        return st.lists(values(item, alphabet), min_size=field.min_length or 0, max_size=3)
    return _OTHERS[field.kind]()


def _mostly(few: st.SearchStrategy[T], many: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Return values of *few* three times out of four: only equal values can show a wrong comparison."""
    # Not `few | few | few | many`: Hypothesis merges equal alternatives.
    return st.integers(0, 3).flatmap(lambda turn: many if turn == 3 else few)


def _integers(field: Field) -> st.SearchStrategy[int]:
    low = -(2**31) if field.minimum is None else field.minimum
    high = 2**31 - 1 if field.maximum is None else field.maximum
    few = st.integers(max(low, min(-1, high)), min(high, max(3, low)))
    return _mostly(few, st.sampled_from((low, high)) | st.integers(low, high))


def _decimals(field: Field) -> st.SearchStrategy[decimal.Decimal]:
    # Every store keeps fifteen digits; see `Capability.WIDE_DECIMALS`.
    scale = 2 if field.scale is None else field.scale
    largest = 10 ** min(15, 15 if field.precision is None else field.precision) - 1
    # Few values, so that equal ones meet; 9 and 10, because their order as text is the reverse.
    few = st.sampled_from([0, *(sign * each * 10**scale for sign in (1, -1) for each in (1, 9, 10)), 1, -1])
    unscaled = _mostly(few.filter(lambda each: abs(each) <= largest), st.integers(-largest, largest))
    return unscaled.map(lambda digits: decimal.Decimal(digits).scaleb(-scale))


def _floats() -> st.SearchStrategy[float]:
    # Adding 0.0 turns -0.0 into 0.0: they are equal, but not every store keeps the sign.
    wide = st.floats(-1e15, 1e15, allow_nan=False, allow_subnormal=False).map(lambda each: each + 0.0)
    return _mostly(st.sampled_from((0.0, 0.1, 0.5, 1.0, -1.0, 1 / 3)), wide)


def _dates() -> st.SearchStrategy[datetime.date]:
    few = st.sampled_from((datetime.date(2024, 2, 29), datetime.date(2024, 3, 1)))
    return _mostly(few, st.dates(datetime.date(1001, 1, 1), datetime.date(9998, 12, 31)))


def _times() -> st.SearchStrategy[datetime.time]:
    few = st.sampled_from((datetime.time(0), datetime.time(12, 30), datetime.time(12, 30, 0, 1)))
    return _mostly(few, st.times())


def _datetimes() -> st.SearchStrategy[datetime.datetime]:
    # Another zone is only another spelling of the same moment, so one example in ten is enough.
    zones = st.integers(0, 9).map(lambda turn: _ODD_ZONE if turn == 9 else datetime.UTC)
    few = st.sampled_from((datetime.datetime(2024, 2, 29, 12), datetime.datetime(2024, 2, 29, 12, 0, 0, 1)))  # noqa: DTZ001
    many = st.datetimes(datetime.datetime(1001, 1, 1), datetime.datetime(9998, 12, 30))  # noqa: DTZ001
    return st.builds(lambda moment, zone: moment.replace(tzinfo=zone), _mostly(few, many), zones)


def _durations() -> st.SearchStrategy[datetime.timedelta]:
    day = datetime.timedelta(days=1)
    return st.timedeltas(-day, day)


def _uuids() -> st.SearchStrategy[uuid.UUID]:
    return _mostly(st.sampled_from([uuid.UUID(int=each << 64) for each in (1, 2**32, 2**63)]), st.uuids())


def _json() -> st.SearchStrategy[object]:
    scalar = st.booleans() | st.integers(-(2**31), 2**31 - 1) | texts() | st.sampled_from((0.5, -1.25))
    member = scalar | st.none()
    return scalar | st.lists(member, max_size=3) | st.dictionaries(texts(), member, max_size=3)


_OTHERS: Final[Mapping[Kind, Callable[[], st.SearchStrategy[object]]]] = {
    Kind.FLOAT: _floats,
    Kind.BOOLEAN: st.booleans,
    Kind.DATE: _dates,
    Kind.TIME: _times,
    Kind.DATETIME: _datetimes,
    Kind.DURATION: _durations,
    Kind.UUID: _uuids,
    Kind.BINARY: lambda: st.binary(max_size=20),
    Kind.JSON: _json,
    Kind.ENUM: st.nothing,
}
