"""Dates, times of day, points in time and durations, as RFC 3339 and ISO 8601 spell them."""

import datetime
import re
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.kind_format import (
    JsonForm,
    JsonSchema,
    KindFormat,
    ParseError,
    checked_text,
    fixed_body_schema,
    fixed_schema,
    string_body_reader,
    type_error,
    unchanged,
)

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", re.ASCII)
_DATETIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"([Zz]|[+ -][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"(-)?P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?",
    re.ASCII,
)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)

_DATE_SCHEMA: Final[JsonSchema] = {"type": "string", "format": "date", "examples": ["2026-11-23"]}
_TIME_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?$",
    "examples": ["08:30:00"],
}
_DATETIME_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-11-23T08:30:00Z"],
}
_DURATION_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    # A digit less than is read: nine digits of days and a few hours can be more than a `timedelta` holds.
    "pattern": (
        r"^-?P(?=.*[0-9][DHMS])(?:[0-9]{1,8}D)?"
        r"(?:T(?=[0-9])(?:[0-9]{1,8}H)?(?:[0-9]{1,8}M)?(?:[0-9]{1,8}(?:\.[0-9]{1,6})?S)?)?$"
    ),
    "examples": ["P1DT2H"],
}


def duration_text(length: datetime.timedelta) -> str:
    """Return *length* in ISO 8601, in days, hours, minutes and seconds: years and months are of no fixed length."""
    # Not pydantic's: it writes 365 days as a year.
    sign, length = ("-", -length) if length < datetime.timedelta() else ("", length)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else ""]
    parts.append(f"{seconds}{fraction}S" if seconds or fraction else "")
    time = "".join(parts)
    days = f"{length.days}D" if length.days else ""
    return f"{sign}P{days}T{time}" if time else f"{sign}P{days or 'T0S'}"


def _date_error() -> ParseError:
    return ParseError("Must be a date like 2026-11-23", "date_parsing")


def _time_error() -> ParseError:
    return ParseError("Must be a time like 08:30:00", "time_parsing")


def _datetime_error() -> ParseError:
    return ParseError("Must be a time like 2026-11-23T08:30:00Z", "datetime_parsing")


def _missing_offset_error() -> ParseError:
    return ParseError("Must include a UTC offset, like Z or +01:00", "timezone_aware")


def _read_date(_: Field, text: str) -> datetime.date:
    if not _DATE.fullmatch(text):
        raise _date_error()
    return datetime.date.fromisoformat(text)


def _read_time(_: Field, text: str) -> datetime.time:
    if not _TIME.fullmatch(text):
        raise _time_error()
    return datetime.time.fromisoformat(text)


def _read_datetime(_: Field, text: str) -> datetime.datetime:
    found = _DATETIME.fullmatch(text)
    if found is None:
        raise _datetime_error()
    date, time, offset = found.groups()
    if offset is None:
        raise _missing_offset_error()
    # An unescaped plus arrives from a query string as a space.
    zone = "+00:00" if offset in "Zz" else offset.replace(" ", "+")
    return datetime.datetime.fromisoformat(f"{date}T{time}{zone}").astimezone(datetime.UTC)


def _read_duration(_: Field, text: str) -> datetime.timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise ParseError("Must be an ISO 8601 duration like P1DT2H", "duration_parsing")
    sign, *parts, fraction = found.groups()
    days, hours, minutes, seconds = (int(part or 0) for part in parts)
    length = datetime.timedelta(
        days=days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        microseconds=int((fraction or "0").ljust(6, "0")),
    )
    return -length if sign else length


_read_date_text: Final = checked_text(Kind.DATE, _read_date)
_read_time_text: Final = checked_text(Kind.TIME, _read_time)
_read_datetime_text: Final = checked_text(Kind.DATETIME, _read_datetime)
_read_duration_text: Final = checked_text(Kind.DURATION, _read_duration)


def _read_date_json(field: Field, value: object) -> datetime.date:
    if isinstance(value, str):
        return _read_date_text(field, value)
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise type_error(field)
    return value


def _read_time_json(field: Field, value: object) -> datetime.time:
    if isinstance(value, str):
        return _read_time_text(field, value)
    if not isinstance(value, datetime.time) or value.tzinfo is not None:
        raise type_error(field)
    return value


def _read_datetime_json(field: Field, value: object) -> datetime.datetime:
    if isinstance(value, str):
        return _read_datetime_text(field, value)
    if not isinstance(value, datetime.datetime):
        raise type_error(field)
    return _to_utc(value)


def _read_duration_json(field: Field, value: object) -> datetime.timedelta:
    if isinstance(value, str):
        return _read_duration_text(field, value)
    if not isinstance(value, datetime.timedelta):
        raise type_error(field)
    return value


def _keep_date(value: object) -> object:
    # Cut to its date, a point in time would be another one in another zone.
    if isinstance(value, datetime.datetime):
        raise _date_error()
    return value


def _keep_time(value: object) -> object:
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        raise _time_error()
    return value


def _keep_datetime(value: object) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        # A date is no point in time, and is told so as its text would be.
        raise _datetime_error()
    return _to_utc(value)


def _to_utc(time: datetime.datetime) -> datetime.datetime:
    if time.utcoffset() is None:
        raise _missing_offset_error()
    try:
        return time.astimezone(datetime.UTC)
    except OverflowError:  # in UTC it would be before the first year, or after the last
        raise ParseError(f"Must be a valid {Kind.DATETIME}", f"{Kind.DATETIME}_parsing") from None


def _write_datetime_key(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat()


def _write_datetime_journal(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _write_time_journal(time: datetime.time) -> str:
    return time.isoformat(timespec="microseconds")


def _write_duration_key(length: datetime.timedelta) -> str:
    sign, whole = ("-", -length) if length < datetime.timedelta() else ("", length)
    return f"{sign}P{whole.days}DT{whole.seconds}.{whole.microseconds:06d}S"


def _write_duration_journal(length: datetime.timedelta) -> int:
    return length // _MICROSECOND


DATE: Final[KindFormat[datetime.date]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_date_text,
    read_json=_read_date_json,
    body_reader=string_body_reader(_read_date_text, datetime.date, _keep_date),
    write_key=datetime.date.isoformat,
    write_journal=datetime.date.isoformat,
    read_journal=lambda _, text: datetime.date.fromisoformat(text),
    query_schema=fixed_schema(_DATE_SCHEMA),
    body_schema=fixed_body_schema(_DATE_SCHEMA),
)

TIME: Final[KindFormat[datetime.time]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_time_text,
    read_json=_read_time_json,
    body_reader=string_body_reader(_read_time_text, datetime.time, _keep_time),
    write_key=datetime.time.isoformat,
    write_journal=_write_time_journal,
    read_journal=lambda _, text: datetime.time.fromisoformat(text),
    query_schema=fixed_schema(_TIME_SCHEMA),
    body_schema=fixed_body_schema(_TIME_SCHEMA),
)

DATETIME: Final[KindFormat[datetime.datetime]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_datetime_text,
    read_json=_read_datetime_json,
    body_reader=string_body_reader(_read_datetime_text, datetime.date, _keep_datetime),
    write_key=_write_datetime_key,
    write_journal=_write_datetime_journal,
    read_journal=lambda _, text: datetime.datetime.fromisoformat(text).astimezone(datetime.UTC),
    query_schema=fixed_schema(_DATETIME_SCHEMA),
    body_schema=fixed_body_schema(_DATETIME_SCHEMA),
)

DURATION: Final[KindFormat[datetime.timedelta]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_duration_text,
    read_json=_read_duration_json,
    body_reader=string_body_reader(_read_duration_text, datetime.timedelta, unchanged),
    write_json=duration_text,
    write_key=_write_duration_key,
    write_journal=_write_duration_journal,
    read_journal=lambda _, microseconds: microseconds * _MICROSECOND,
    query_schema=fixed_schema(_DURATION_SCHEMA),
    body_schema=fixed_body_schema(_DURATION_SCHEMA),
)
