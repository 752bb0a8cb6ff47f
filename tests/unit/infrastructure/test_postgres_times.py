"""Every time of PostgreSQL's has one text, from which its number is found again."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational import postgres_times as times
from fastapi_easy.infrastructure.relational.driver import asyncpg_codecs as codecs

DAYS = st.integers(-2_451_545, 2_145_031_948) | st.sampled_from([2**31 - 1, -(2**31)])
MICROSECONDS = st.integers(-211_813_488_000_000_000, 9_223_371_331_199_999_999)
MOMENTS = MICROSECONDS | st.sampled_from([2**63 - 1, -(2**63)])
INTERVALS = st.tuples(
    st.integers(-2_136_000_000, 2_136_000_000),
    st.integers(-(2**31) + 1, 2**31 - 2),
    st.integers(-(2**63) + 1, 2**63 - 2),
) | st.sampled_from([(2**31 - 1, 2**31 - 1, 2**63 - 1), (-(2**31), -(2**31), -(2**63))])


@given(DAYS)
def test_a_date_is_found_again_by_its_text(days: int) -> None:
    assert times.days_of(times.date_text(days)) == days


@given(MOMENTS)
def test_a_time_is_found_again_by_its_text(microseconds: int) -> None:
    assert times.microseconds_of(times.timestamp_text(microseconds, "+00")) == microseconds


@given(INTERVALS)
def test_a_duration_is_found_again_by_its_text(numbers: tuple[int, int, int]) -> None:
    assert times.interval_of(times.interval_text(*numbers)) == numbers


@given(DAYS)
def test_a_date_is_one_of_pythons_or_its_text_may_be_named(days: int) -> None:
    read = codecs.Dates()[days,]

    assert codecs.encode_date(read) == (days,)
    if isinstance(read, UnexpectedValue):
        assert re.fullmatch(times.DATE_TEXTS, str(read), re.ASCII)
    else:
        assert isinstance(read, datetime.date)


@given(MOMENTS)
def test_a_time_is_one_of_pythons_or_its_text_may_be_named(microseconds: int) -> None:
    for decode, encode in (
        (codecs.decode_timestamp, codecs.encode_timestamp),
        (codecs.decode_timestamptz, codecs.encode_timestamptz),
    ):
        read = decode((microseconds,))

        assert encode(read) == (microseconds,)
        if isinstance(read, UnexpectedValue):
            assert re.fullmatch(times.DATETIME_TEXTS, str(read), re.ASCII)


@given(st.integers(0, 86_400_000_000), st.integers(-57_599, 57_599))
def test_a_time_of_day_is_one_of_pythons_or_its_text_may_be_named(clock: int, west: int) -> None:
    read = codecs.decode_timetz((clock, west))

    assert codecs.encode_timetz(read) == (clock, west)
    if isinstance(read, UnexpectedValue):
        assert re.fullmatch(times.TIME_TEXTS, str(read), re.ASCII)


@given(INTERVALS)
def test_a_duration_is_one_of_pythons_or_its_text_may_be_named(numbers: tuple[int, int, int]) -> None:
    months, days, microseconds = numbers

    read = codecs.decode_interval(numbers)

    if isinstance(read, UnexpectedValue):
        assert codecs.encode_interval(read) == numbers
        assert re.fullmatch(times.DURATION_TEXTS, str(read), re.ASCII)
    else:
        assert read == datetime.timedelta(days + 30 * months, 0, microseconds)


@pytest.mark.parametrize("text", ["", "infinity ", "12000-13-01", "12000-00-10", "0044-03-15", "2024-01-01"])
def test_what_is_no_date_or_is_one_of_pythons_is_not_named(text: str) -> None:
    assert re.fullmatch(times.DATE_TEXTS, text, re.ASCII) is None


@pytest.mark.parametrize(
    "text", ["12000-02-31", "12000", "0044-02-30 BC", "12000-01-01 10:00:00", "tomorrow"]
)
def test_no_number_is_found_for_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        _ = times.days_of(text)


def test_dates_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "MAX_DATES", 2)
    dates = codecs.Dates()

    made = [dates[day,] for day in range(4)]

    assert made == [datetime.date(2000, 1, 1 + day) for day in range(4)]
    assert len(dates) == 2
