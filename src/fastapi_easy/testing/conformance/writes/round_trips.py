"""Cases about round trips: a value of every kind comes back unchanged."""

import datetime
import decimal
import uuid
from typing import Final

import pytest

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.sample_shapes import Colour
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, value_of

JSON: Final = {
    "text": 'é "quoted" 😀',
    "list": [1, 2.5, None, True, {"deep": []}],
    "empty": {},
    "zero": 0,
    "no": False,
}

VALUES: Final = [
    pytest.param("body", "", id="empty text"),
    pytest.param("body", " space at both ends ", id="spaces at both ends"),
    pytest.param("body", "a\nb\r\n\tc", id="line ends"),
    pytest.param(
        "body", "'; DROP TABLE notes; -- \\ % _ \" ` :name %s $1 ? {}", id="what means something elsewhere"
    ),
    pytest.param(
        "body",
        "é e\u0301 İ \u0131 ẞ ß ﬀ \U0001d518 👩\u200d👩\u200d👧",
        id="beyond ASCII, and not normalised",
    ),
    pytest.param("body", "null", id="the word null"),
    pytest.param("body", "x" * 100_000, id="long text"),
    pytest.param("title", "é" * 200, id="as long as may be"),
    pytest.param("rank", -(2**31), id="smallest integer"),
    pytest.param("rank", 2**31 - 1, id="largest integer"),
    pytest.param("views", -(2**63), id="smallest big integer"),
    pytest.param("views", 2**63 - 1, id="largest big integer"),
    pytest.param("price", decimal.Decimal("0.0001"), id="smallest decimal"),
    pytest.param("price", decimal.Decimal("0.1000"), id="a decimal no double can hold"),
    pytest.param("price", decimal.Decimal("-99999999999.9999"), id="fifteen digits"),
    pytest.param("price", decimal.Decimal("12345678901.2345"), id="fifteen other digits"),
    pytest.param("score", 0.1, id="float"),
    pytest.param("score", 1 / 3, id="float with all its digits"),
    pytest.param("score", -1.5e300, id="large float"),
    pytest.param("score", 2.0, id="whole float"),
    pytest.param("done", True, id="true"),
    pytest.param("done", False, id="false"),
    pytest.param("due", datetime.date(2024, 2, 29), id="date"),
    pytest.param("due", datetime.date(9999, 12, 31), id="last date"),
    pytest.param("alarm", datetime.time(0, 0), id="midnight"),
    pytest.param("alarm", datetime.time(23, 59, 59), id="time"),
    pytest.param("seen_at", datetime.datetime(2024, 2, 29, 23, 59, 59, tzinfo=datetime.UTC), id="datetime"),
    pytest.param("seen_at", datetime.datetime(1960, 1, 1, tzinfo=datetime.UTC), id="datetime before 1970"),
    pytest.param("seen_at", datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC), id="datetime after 2038"),
    pytest.param("token", uuid.UUID("0f0e0d0c-0b0a-4908-8706-050403020100"), id="uuid"),
    *(pytest.param("colour", each, id=f"enum {each.name}") for each in Colour),
    pytest.param("extra", JSON, id="json object"),
    pytest.param("extra", [1, "two", None], id="json list"),
    pytest.param("extra", "text", id="json text"),
    pytest.param("extra", "", id="json empty text"),
    pytest.param("extra", 0, id="json zero"),
    pytest.param("extra", False, id="json false"),
    pytest.param("extra", {}, id="json empty object"),
    pytest.param("extra", [], id="json empty list"),
    pytest.param("extra", None, id="json nothing"),
    *(
        pytest.param(field, None, id=f"{field} null")
        for field in ("remark", "rank", "price", "score", "due", "alarm", "seen_at")
    ),
]

EAST: Final = datetime.timezone(datetime.timedelta(hours=5, minutes=45))


class RoundTripCases(Suite):
    """Cases about values that are written and read again."""

    @pytest.mark.parametrize(("field", "value"), VALUES)
    async def test_gives_back_what_was_added(self, store: Store, field: str, value: object) -> None:
        added = await add_one(store.notes, **{"title": "a", field: value})

        read = value_of(await store.notes.read(added.id))
        found = value_of(await store.entities("notes").find_by_id(added.id))

        for kept in (added[field], read[field], getattr(found, field)):
            assert kept == value
            assert type(kept) is type(value)

    @pytest.mark.parametrize(("field", "value"), VALUES)
    async def test_gives_back_what_was_changed(self, store: Store, field: str, value: object) -> None:
        added = await add_one(store.notes, title="a", rank=7, extra={"before": 1}, score=7.5)

        updated = value_of(await store.notes.update(added.id, Patch({field: value})))

        for kept in (updated, value_of(await store.notes.read(added.id))):
            assert kept[field] == value
            assert type(kept[field]) is type(value)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [("10.5", "10.5000"), ("10.5000", "10.5000"), ("7", "7.0000"), ("1E+2", "100.0000")],
    )
    async def test_decimals_have_the_scale_of_their_field(self, store: Store, given: str, kept: str) -> None:
        added = await add_one(store.notes, title="a", price=decimal.Decimal(given))

        assert str(added.price) == kept
        assert str(value_of(await store.notes.read(added.id)).price) == kept

    @pytest.mark.parametrize("field", ["alarm", "seen_at"])
    async def test_times_keep_microseconds(self, store: Store, field: str) -> None:
        store.require(Capability.MICROSECONDS)
        moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=datetime.UTC)
        value = moment.time() if field == "alarm" else moment

        added = await add_one(store.notes, **{"title": "a", field: value})

        assert value_of(await store.notes.read(added.id))[field] == value

    async def test_times_are_aware_and_utc_whatever_zone_they_came_in(self, store: Store) -> None:
        given = datetime.datetime(2024, 3, 1, 4, 15, tzinfo=EAST)

        added = await add_one(store.notes, title="a", seen_at=given)

        read = value_of(await store.notes.read(added.id))
        found = value_of(await store.entities("notes").find_by_id(added.id))
        for kept in (added.seen_at, read.seen_at, found.seen_at):
            assert kept == given
            assert kept.utcoffset() == datetime.timedelta(0)
            assert (kept.day, kept.hour, kept.minute) == (29, 22, 30)

    async def test_fields_left_out_take_their_default_or_null(self, store: Store) -> None:
        first = await add_one(store.notes, title="a")
        second = await add_one(store.notes, title="b")

        assert (first.body, first.priority, first.views, first.done, first.colour) == (
            "",
            0,
            0,
            False,
            Colour.GREEN,
        )
        assert (first.remark, first.rank, first.price, first.seen_at, first.extra) == (None,) * 5
        assert type(first.token) is uuid.UUID
        assert first.token != second.token

    async def test_lists_keep_their_items_and_their_order(self, store: Store) -> None:
        added = await add_one(store.labels, tags=["b", "", "a", "b", "é 😀 '"])

        assert value_of(await store.labels.read(added.id)).tags == ["b", "", "a", "b", "é 😀 '"]
