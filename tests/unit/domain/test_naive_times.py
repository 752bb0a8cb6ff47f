"""Times without a zone: understood when a clock shows them right now, and never shifted."""

import datetime
import time
from collections.abc import Iterator

import pytest

from fastapi_easy.domain.values.naive_times import in_utc, is_of_no_clock

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture(params=["America/New_York", "Asia/Kathmandu", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_both_clocks_are_understood(zone: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    local, utc = datetime.datetime.now(), now.replace(tzinfo=None)  # noqa: DTZ005 (that is what it is about)

    assert abs(in_utc(local) - now) < MINUTE
    assert in_utc(utc) == now
    assert not is_of_no_clock(local)
    assert not is_of_no_clock(utc)


def test_any_other_time_is_utc_and_of_no_clock(zone: str) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 (that is what it is about)

    assert in_utc(moment) == moment.replace(tzinfo=datetime.UTC)
    assert is_of_no_clock(moment)


def test_what_has_a_zone_is_meant(zone: str) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))

    assert in_utc(moment) == moment
    assert in_utc(moment).tzinfo is datetime.UTC
    assert not is_of_no_clock(moment)
