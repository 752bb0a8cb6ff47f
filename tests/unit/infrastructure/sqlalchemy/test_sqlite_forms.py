"""Tables whose rows are all ours are compared and sorted as they are, so that their indexes serve."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Numeric, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.domain.ports.database import SchemaMode
from tests.unit.infrastructure.sqlalchemy.relational import relational

COLUMNS = ("day", "at", "made", "lasts", "token", "price")
ROW: dict[str, Any] = {
    "day": datetime.date(2026, 1, 1),
    "at": datetime.time(10),
    "made": datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC),
    "lasts": datetime.timedelta(hours=1),
    "token": uuid.UUID(int=1),
    "price": Decimal("9.50"),
}


class Base(DeclarativeBase): ...


class Visit(Base):
    __tablename__ = "visits_of_ours"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[datetime.date]
    at: Mapped[datetime.time]
    made: Mapped[datetime.datetime]
    lasts: Mapped[datetime.timedelta]
    token: Mapped[uuid.UUID]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))


def converted(plan: Any) -> set[str]:
    """Return the fields that statements do not compare and sort as they are."""
    plain = {name: plan.terms.plain(name) for name in COLUMNS}
    return {
        name
        for name in COLUMNS
        if plan.terms.exact(name) is not plain[name] or plan.terms.ordered(name) is not plain[name]
    }


async def test_columns_that_hold_our_forms_are_compared_as_they_are() -> None:
    async with relational("sqlite://", {"visits": Visit}) as world:
        _ = (await world["visits"].add_all([ROW] * 3)).unwrap()
        _ = await world.database.prepare(list(world.resources.values()), SchemaMode.CHECK)

        plan = await world.database.plan(world.resources["visits"])

        assert converted(plan) == set()


@pytest.mark.parametrize(
    ("column", "stored", "wanted"),
    [
        ("day", "2026-01-01 00:00:00", {"day"}),
        ("at", "10:00", {"at"}),
        ("made", "2026-01-01T10:00:00Z", {"made"}),
        ("lasts", "1970-01-01 01:00:00", {"lasts"}),
        ("token", "00000000-0000-0000-0000-000000000001", {"token"}),
        ("made", "", set()),
        ("made", 1_767_261_600, set()),
        ("day", "2026-13-45", set()),
        ("price", "abc", set()),
    ],
)
async def test_a_column_with_another_form_is_converted_and_no_other(
    column: str, stored: object, wanted: set[str]
) -> None:
    async with relational("sqlite://", {"visits": Visit}) as world:
        _ = (await world["visits"].add_all([ROW] * 3)).unwrap()
        await world.say(
            text(f"UPDATE visits_of_ours SET {column} = :stored WHERE id = 2"),
            {"stored": stored},
        )
        _ = await world.database.prepare(list(world.resources.values()), SchemaMode.CHECK)

        assert converted(await world.database.plan(world.resources["visits"])) == wanted
