"""Whatever happens to entities, they are as of each time what they were then."""

import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, NotFound, Principal, Row
from fastapi_easy.policies import Where, allow, principal
from fastapi_easy.testing import FrozenClock, in_memory
from tests.thorough import examples


class Thing(BaseModel):
    id: int
    name: str
    owner: str = "a"
    price: Decimal | None = None
    seen_at: datetime.datetime | None = None
    tags: list[str] = []
    extra: dict[str, Any] = {}


class Kept(Thing):
    deleted_at: datetime.datetime | None = None


RULES = [allow("*", to="admin"), allow("*", to="owner", rows=Where("owner") == principal.id)]


class Shop(Container):
    things = resource(Thing, audit=True, policy=RULES)
    kept = resource(Kept, audit=True, soft_delete="deleted_at", policy=RULES)


TIMES = st.datetimes(
    min_value=datetime.datetime.fromisoformat("1990-01-01"),
    max_value=datetime.datetime.fromisoformat("2030-01-01"),
    timezones=st.just(datetime.UTC),
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
        "owner": st.sampled_from("ab"),
        "price": st.none() | st.decimals(-99, 99, places=2),
        "seen_at": st.none() | TIMES,
        "tags": st.lists(st.sampled_from("abc"), max_size=3),
        "extra": st.dictionaries(st.sampled_from("xy"), st.integers(-5, 5) | st.none(), max_size=2),
    },
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "update", "delete", "restore", "purge"]),
        st.integers(1, 2),
        VALUES,
    ),
    min_size=1,
    max_size=12,
)


async def _do(things: Any, step: str, key: int, values: dict[str, Any], *, is_marked: bool) -> None:
    """Take a step, be it possible or not."""
    match step:
        case "create":
            _ = await things.create({"name": "", **values, "id": key})
        case "update":
            _ = await things.update(key, values)
        case "delete":
            _ = await things.delete(key)
        case "restore" if is_marked:
            _ = await things.restore(key)
        case "purge" if is_marked:
            _ = await things.purge(key)
        case _:
            pass


@given(steps=STEPS, is_marked=st.booleans())
@settings(max_examples=examples(40, 1000), deadline=None)
async def test_as_of_each_time_entities_are_what_they_were(
    steps: list[tuple[str, int, dict[str, Any]]], *, is_marked: bool
) -> None:
    clock, name = FrozenClock(), "kept" if is_marked else "things"
    async with open_kernel(in_memory(Shop, clock=clock)) as kernel:
        things: Any = kernel.acting_as(Principal(id="ada", roles=frozenset({"admin"}))).resource(name)
        theirs: Any = kernel.acting_as(Principal(id="a", roles=frozenset({"owner"}))).resource(name)
        remembered: list[tuple[datetime.datetime, list[Row]]] = []
        last: dict[int, Row] = {}
        for step in steps:
            await _do(things, *step, is_marked=is_marked)
            rows = list((await things.list(sort="id")).unwrap().items)
            remembered.append((clock.now() + datetime.timedelta(seconds=30), rows))
            last |= {row["id"]: row for row in rows}
            clock.advance(60)

        for moment, rows in remembered:
            await _compare(things, moment, rows)
            # An owner knows what was theirs of what is theirs now, or was when it was deleted.
            own = [row for row in rows if row["owner"] == last[row["id"]]["owner"] == "a"]
            await _compare(theirs, moment, own)
        for key in last:
            history = await theirs.history(key, limit=50)
            for entry in () if isinstance(history, Failure) else history.unwrap().items:
                assert set(entry.changes.get("owner", ())) <= {None, "a"}


async def _compare(things: Any, moment: datetime.datetime, rows: list[Row]) -> None:
    """Check that lists and single entities are *rows* as of *moment*."""
    assert list((await things.list(sort="id", as_of=moment)).unwrap().items) == rows
    for key in (1, 2):
        found = await things.get(key, as_of=moment)
        expected = next((row for row in rows if row["id"] == key), None)
        if expected is None:
            assert isinstance(found.failure(), NotFound)
        else:
            assert found.unwrap() == expected
