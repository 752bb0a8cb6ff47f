"""What happens to entities is followed in Python: by whom, from where, until when."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers
from sqlmodel import Field, Relationship, SQLModel

from fastapi_easy.application.changes_feed.feed_message import StreamEnd
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import BadQuery, Failure, Forbidden, PositionExpired, Principal, Unsupported
from fastapi_easy.domain.access import FULL_GRANT, Grant
from fastapi_easy.domain.queries.specification import Where
from fastapi_easy.events import Events
from fastapi_easy.policies import ANYONE, allow, principal
from fastapi_easy.testing import FrozenClock
from tests.e2e.followed import (
    CountingOutbox,
    MongoShop,
    Note,
    Shop,
    WatchedShop,
    opened,
    settings_at,
    take,
    told,
)
from tests.e2e.stores import MONGO, empty_store, store_names


@pytest.mark.parametrize("store", ["memory", *store_names(MONGO)])
async def test_tells_every_change_with_what_get_shows_on_every_store(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with opened(MongoShop if store == MONGO else Shop, url) as kernel:
            _ = await kernel.notes.create(text="before")
            async with (await kernel.notes.changes()).unwrap() as feed:
                made = (await kernel.notes.create(text="Émma", stars=2)).unwrap()
                changed = (await kernel.notes.update(made.id, stars=3)).unwrap()
                _ = await kernel.notes.delete(made.id)
                heard = await take(feed, 3)

            assert told(heard) == [
                ("created", made.id, made),
                ("updated", made.id, changed),
                ("deleted", made.id, None),
            ]
            versions = [kernel.notes.version_of(each) for each in (made, changed)]
            assert [each.version for each in heard] == [*versions, None]


async def test_what_is_rolled_back_or_a_dry_run_is_never_told() -> None:
    async with opened() as kernel, (await kernel.notes.changes()).unwrap() as feed:
        async with kernel.unit_of_work() as work:
            _ = await work.repository("notes").add({"text": "discarded", "stars": 0, "owner": ""})
        _ = await kernel.acting_as(dry_run=True).notes.create(text="tried")
        made = (await kernel.notes.create(text="kept")).unwrap()

        assert told(await take(feed, 1)) == [("created", made.id, made)]


async def test_goes_on_after_any_message_without_a_gap_or_a_repetition() -> None:
    async with opened(feed={"recent": 2}) as kernel:
        for number in range(8):
            _ = await kernel.notes.create(text=str(number))
        async with (await kernel.notes.changes(since="beginning")).unwrap() as feed:
            whole = await take(feed, 8)
            # Some are remembered, others have to be read again.
            for place, each in enumerate(whole[:-1], start=1):
                async with (await kernel.notes.changes(after=each.position)).unwrap() as resumed:
                    assert await take(resumed, 8 - place) == whole[place:]
                    assert resumed.position == whole[-1].position


async def test_the_position_moves_while_nothing_is_for_the_listener() -> None:
    async with opened() as kernel, (await kernel.notes.changes(stars__gt=9)).unwrap() as feed:
        start = feed.position
        _ = await kernel.notes.create(text="dull")
        async with asyncio.timeout(30):
            while feed.position == start:
                assert await feed.next_batch(0.05) == ()

        async with (await kernel.notes.changes(after=feed.position)).unwrap() as resumed:
            made = (await kernel.notes.create(text="bright", stars=10)).unwrap()
            assert told(await take(resumed, 1)) == [("created", made.id, made)]


@pytest.mark.parametrize("kind", [Shop, WatchedShop], ids=["after", "before and after"])
async def test_what_leaves_a_filter_is_told_as_deleted(kind: type[Container]) -> None:
    async with (
        opened(kind) as kernel,
        (await kernel.notes.changes(stars__gt=2, fields="text")).unwrap() as feed,
    ):
        key = (await kernel.notes.create(text="Emma")).unwrap().id
        for stars in (3, 4, 1, 5):
            _ = await kernel.notes.update(key, stars=stars)
        heard = await take(feed, 4)

    entered = "created" if kind is WatchedShop else "updated"
    assert told(heard) == [
        (entered, key, {"text": "Emma"}),
        ("updated", key, {"text": "Emma"}),
        ("deleted", key, None),
        (entered, key, {"text": "Emma"}),
    ]


OWN = [
    allow("read", to=ANYONE, rows=Where("owner") == principal.id, fields=["id", "text"]),
    allow("*", to="admin"),
]
ANN, ADMIN = Principal(id="ann"), Principal(id="root", roles=frozenset({"admin"}))


async def _three_owners(kernel: Any) -> list[int]:
    """Give one note to Ann, take it from her, and delete one of hers and one of Bob's."""
    notes = kernel.acting_as(ADMIN).notes
    keys = [(await notes.create(text=owner, owner=owner)).unwrap().id for owner in ("ann", "bob", "ann")]
    _ = await notes.update(keys[1], owner="ann")
    _ = await notes.update(keys[0], owner="bob")
    _ = await notes.delete(keys[2])
    _ = await notes.delete(keys[0])
    _ = await notes.create(text="the end", owner="ann")
    return keys


async def test_a_row_rule_shows_what_appears_and_disappears_to_whom_it_concerns() -> None:
    class Ruled(Container):
        notes = resource(Note, events=Events(before=True), policy=OWN)

    async with opened(Ruled) as kernel, (await kernel.acting_as(ANN).notes.changes()).unwrap() as feed:
        one, two, three = await _three_owners(kernel)
        heard = await take(feed, 6)

    assert told(heard) == [
        ("created", one, {"id": one, "text": "ann"}),
        ("created", three, {"id": three, "text": "ann"}),
        ("created", two, {"id": two, "text": "bob"}),
        ("deleted", one, None),
        ("deleted", three, None),
        ("created", heard[-1].key, {"id": heard[-1].key, "text": "the end"}),
    ]


async def test_without_the_values_from_before_a_row_rule_tells_no_keys_that_may_never_have_been_shown() -> (
    None
):
    class Ruled(Container):
        notes = resource(Note, events=True, policy=OWN)

    async with (
        opened(Ruled) as kernel,
        (await kernel.acting_as(ANN).notes.changes()).unwrap() as feed,
        (await kernel.acting_as(ADMIN).notes.changes()).unwrap() as all_of_them,
    ):
        one, two, three = await _three_owners(kernel)
        heard = await take(feed, 4)
        everything = await take(all_of_them, 8)

    assert [(each.verb, each.key) for each in heard[:-1]] == [
        ("created", one),
        ("created", three),
        ("updated", two),
    ]
    assert [each.verb for each in everything].count("deleted") == 2


class Author(SQLModel, table=True):
    __tablename__ = "followed_authors"
    id: int | None = Field(default=None, primary_key=True)
    country: str


class Book(SQLModel, table=True):
    __tablename__ = "followed_books"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    author_id: int = Field(foreign_key="followed_authors.id")
    author: Author = Relationship()


async def test_a_rule_along_a_relation_is_asked_of_the_store_and_shows_what_is_there_now(
    tmp_path: Path,
) -> None:
    rules = [allow("read", to=ANYONE, rows=Where("author.country") == "FR"), allow("*", to="admin")]

    class Library(Container):
        authors = resource(Author, policy=[allow("*", to=ANYONE)])
        books = resource(Book, events=True, policy=rules)

    with empty_store("sqlite", tmp_path) as url:
        async with opened(Library, url) as kernel:
            admin = kernel.acting_as(ADMIN)
            french, other = [(await admin.authors.create(country=each)).unwrap().id for each in ("FR", "DE")]
            async with (await kernel.books.changes()).unwrap() as feed:
                _ = await admin.books.create(title="hidden", author_id=other)
                shown = (await admin.books.create(title="shown", author_id=french)).unwrap()
                heard = await take(feed, 1)

    assert told(heard) == [("created", shown.id, shown)]
    assert heard[0].version is not None


class Bill(SQLModel, table=True):
    __tablename__ = "followed_bills"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    org: str = ""


async def test_a_tenant_hears_of_its_own_entities_and_of_their_end_alone() -> None:
    class Office(Container):
        bills = resource(Bill, events=True, tenant="org")

    async with opened(Office) as kernel:
        acme, other = (kernel.acting_as(Principal(id=each), tenant=each) for each in ("acme", "other"))
        async with (await acme.bills.changes()).unwrap() as feed:
            foreign = (await other.bills.create(title="theirs")).unwrap()
            _ = await other.bills.delete(foreign.id)
            mine = (await acme.bills.create(title="ours")).unwrap()
            _ = await acme.bills.delete(mine.id)
            _ = await acme.bills.create(title="last")
            heard = await take(feed, 3)

    assert [(each.verb, each.key) for each in heard[:2]] == [("created", mine.id), ("deleted", mine.id)]
    assert foreign.id not in {each.key for each in heard}


async def test_who_may_not_follow_is_refused_and_read_includes_it() -> None:
    class Ruled(Container):
        notes = resource(Note, events=True, policy=[allow("read", to="reader"), allow("list", to=ANYONE)])

    async with opened(Ruled) as kernel:
        refused = await kernel.notes.changes()
        reader = kernel.acting_as(Principal(id="r", roles=frozenset({"reader"})))
        async with (await reader.notes.changes()).unwrap() as feed:
            assert feed.end is None

    assert refused == Failure(Forbidden("notes", "changes"))


async def test_a_field_that_may_not_be_read_cannot_be_followed_by() -> None:
    class Ruled(Container):
        notes = resource(Note, events=Events(fields=["text"]), policy=OWN)

    async with opened(Ruled) as kernel:
        ann = kernel.acting_as(ANN).notes
        assert await ann.changes(fields="stars") == Failure(Forbidden("notes", "changes", "stars"))
        # What is not published is in no message.
        assert isinstance((await kernel.acting_as(ADMIN).notes.changes(stars=3)).failure(), BadQuery)
        assert await ann.changes(stars=3) == Failure(Forbidden("notes", "changes", "stars"))
        assert isinstance((await ann.changes(after="no such")).failure(), BadQuery)


async def test_a_resource_without_events_has_no_feed() -> None:
    class Silent(Container):
        notes = resource(Note)

    async with opened(Silent) as kernel:
        assert await kernel.notes.changes() == Failure(Unsupported("notes", "events"))


async def test_a_position_that_is_not_kept_any_more_or_was_never_there_is_said_to_be_gone() -> None:
    shop = Shop(settings=settings_at())
    async with open_kernel(shop) as kernel:
        async with (await kernel.notes.changes()).unwrap() as feed:
            for number in range(3):
                _ = await kernel.notes.create(text=str(number))
            first, second, _ = await take(feed, 3)
        outbox = shop.outboxes()["default"]
        messages, _ = (await outbox.read_after(0, 2)).unwrap()
        _ = await outbox.remove([each.id for each in messages])

        gone, future = (
            await kernel.notes.changes(after=first.position),
            await kernel.notes.changes(after="ffff"),
        )
        async with (await kernel.notes.changes(after=second.position)).unwrap() as kept:
            assert [each.values["text"] for each in await take(kept, 1)] == ["2"]  # type: ignore[index]

    assert (gone, future) == (Failure(PositionExpired("notes")), Failure(PositionExpired("notes")))


async def test_a_listener_who_is_too_slow_is_cut_off_alone_and_resumes() -> None:
    async with (
        opened(feed={"buffer": 3, "recent": 1}) as kernel,
        (await kernel.notes.changes()).unwrap() as slow,
        (await kernel.notes.changes()).unwrap() as quick,
    ):
        assert await slow.next_batch(0) == ()
        heard = []
        for number in range(9):
            _ = await kernel.notes.create(text=str(number))
            heard += await take(quick, 1)
        cut = [each async for each in slow]
        assert slow.end is StreamEnd.SLOW
        async with (await kernel.notes.changes(after=slow.position)).unwrap() as resumed:
            assert cut + await take(resumed, 9 - len(cut)) == heard


async def test_a_stream_ends_when_its_caller_may_not_listen_any_more_and_after_its_lifetime() -> None:
    clock, policy = FrozenClock(), _Withdrawn()
    shop = Shop(settings=settings_at(), clock=clock, policy=policy)
    async with (
        open_kernel(shop) as kernel,
        (await kernel.notes.changes()).unwrap() as refused,
        (await kernel.notes.changes()).unwrap() as old,
    ):
        assert await refused.next_batch(0.01) == ()
        clock.advance(31)
        assert await old.next_batch(0.01) == ()
        policy.granted = None
        assert await refused.next_batch(0.01) is None
        clock.advance(870)
        assert await old.next_batch(0.01) is None

    assert (refused.end, old.end) == (StreamEnd.REFUSED, StreamEnd.LIFETIME)


class _Withdrawn:
    """A policy that grants everything until it is told otherwise."""

    granted: Grant | None = FULL_GRANT

    async def permissions(self, *_: Any) -> "_Withdrawn":
        return self

    def grant(self, *_: Any) -> Grant | None:
        return self.granted


async def test_every_stream_ends_with_the_application() -> None:
    async with opened() as kernel:
        feed = (await kernel.notes.changes()).unwrap()
        waiting = asyncio.create_task(feed.next_batch(600))
        await asyncio.sleep(0)

    assert await waiting is None
    assert feed.end is StreamEnd.CLOSED


async def test_a_thousand_listeners_cost_one_statement_for_each_poll_and_none_when_all_have_left() -> None:
    shop = Shop(settings=settings_at(interval=0.2))
    async with open_kernel(shop) as kernel:
        counting = CountingOutbox(shop.outboxes()["default"])
        with shop.outboxes.override(providers.Object({"default": counting})):
            feeds = [(await kernel.notes.changes()).unwrap() for _ in range(1000)]
            heard = asyncio.gather(*(take(each, 1) for each in feeds))
            await asyncio.sleep(0)
            counting.calls.clear()

            made = (await kernel.notes.create(text="Emma")).unwrap()
            assert {each.key for [each] in await heard} == {made.id}
            told_by = list(counting.calls)
            counting.calls.clear()
            async with asyncio.timeout(30):
                while counting.calls.count("read_after") < 3:  # noqa: ASYNC110 (nobody tells of a poll)
                    await asyncio.sleep(0.05)
            quiet = list(counting.calls)

            # Those who resume are served from memory.
            positions = [each.position for each in feeds]
            again = [(await kernel.notes.changes(after=each)).unwrap() for each in positions]
            resumed = counting.calls[len(quiet) :]
            for each in (*feeds, *again):
                await each.aclose()
            counting.calls.clear()
            await asyncio.sleep(0.5)

    # What was written is found without a position, gets one, and is read: for all of them together.
    assert told_by.count("assign_positions") == 1
    assert len(told_by) <= 6
    assert set(quiet) == {"read_after"}
    assert len(resumed) < 20
    assert counting.calls == []
