"""What every place for an audit trail promises."""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import pytest
from returns.result import Failure

from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, SealedEntry
from fastapi_easy.domain.audit.sealing import Sealer, columns_of, empty_head, head_after, leaf_of, open_entry
from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports.audit_sink import AuditSink
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.testing.conformance.store import value_of

Begin: TypeAlias = Callable[[], UnitOfWork]
"""Makes a unit of work of the store in which the trail is kept."""

_MOMENT: Final = datetime.datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=datetime.UTC)
_SEALER: Final = Sealer("k1", bytes(range(32)))
_WRITERS: Final = 32
_PATIENCE: Final = 60
"""Seconds for something that takes a moment."""


def _entry(stream: str = "a", **others: Any) -> AuditEntry:
    given: dict[str, Any] = {"action": "update", "resource": "books", "key": 1, **others}
    return AuditEntry(stream=stream, occurred_at=_MOMENT, **given)


async def _chain(sink: AuditSink, stream: str) -> Sequence[SealedEntry]:
    """Return the entries of *stream*, whose chain is whole."""
    head, found = empty_head(stream), []
    for stored in value_of(await sink.read(stream, 0, 10_000)):
        sealed = stored.sealed
        assert sealed.body is not None
        opened = open_entry(sealed.body)
        assert (sealed.stream, sealed.seq, opened.seq, opened.prev) == (
            stream,
            head.seq + 1,
            head.seq + 1,
            head.leaf,
        )
        assert sealed.leaf == leaf_of(sealed.body)
        assert stored.columns == columns_of(opened.entry)
        head = head_after(sealed)
        found.append(sealed)
    heads = {each.stream: each for each in value_of(await sink.heads())}
    assert heads.get(stream, empty_head(stream)) == head
    return found


class AuditSinkConformance:
    """The suite of `AuditSink`: subclass it, and override `sink` and `begin` with fixtures of one empty database."""

    @pytest.fixture
    def sink(self) -> AuditSink:
        """The sink under test, not yet prepared."""
        raise NotImplementedError

    @pytest.fixture
    def begin(self) -> Begin:
        """Make a unit of work of the same database."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def _prepared(self, sink: AuditSink) -> None:
        assert value_of(await sink.prepare()) == ()
        # Whoever starts next finds everything there.
        assert value_of(await sink.prepare()) == ()

    async def test_entries_become_durable_with_their_unit_of_work(
        self, sink: AuditSink, begin: Begin
    ) -> None:
        """Those of one that does not commit leave no gap."""
        async with begin() as work:
            value_of(await sink.append_in(work, [_entry(), _entry("b"), _entry()], _SEALER.seal))
            value_of(await work.commit())
        async with begin() as work:
            value_of(await sink.append_in(work, [_entry(key=2)], _SEALER.seal))
        async with begin() as work:
            value_of(await sink.append_in(work, [_entry(key=3)], _SEALER.seal))
            value_of(await work.commit())

        bodies = [open_entry(each.body or b"").entry.key for each in await _chain(sink, "a")]
        assert bodies == [1, 1, 3]
        assert len(await _chain(sink, "b")) == 1

    async def test_entries_can_be_appended_without_a_change(self, sink: AuditSink) -> None:
        """In the order given, after what is there."""
        value_of(await sink.append([_entry("security", key=None)], _SEALER.seal))
        value_of(await sink.append([_entry("security", action=f"a{n}") for n in range(3)], _SEALER.seal))

        chain = await _chain(sink, "security")
        assert [open_entry(each.body or b"").entry.action for each in chain] == ["update", "a0", "a1", "a2"]

    async def test_bytes_are_kept_as_they_were_hashed(self, sink: AuditSink) -> None:
        """Also numbers, texts and names that a database would write in another way."""
        odd = {"1e2": [1e2, 0.1], "ü\u0000\U0001f600": ["\u0000", " \t "], "": [None, {"b": 1, "a": 2}]}
        entry = _entry(
            actor="a\u0000b \U0001f600", tenant="Größe ", key=["x" * 300, 1], changes=odd, by_system=True
        )

        value_of(await sink.append([entry], _SEALER.seal))

        (stored,) = value_of(await sink.read("a", 0, 10))
        assert stored.sealed == _SEALER.seal(entry, empty_head("a"))
        assert stored.columns == columns_of(entry)
        assert open_entry(stored.sealed.body or b"").entry == entry

    async def test_a_large_entry_is_kept_whole(self, sink: AuditSink) -> None:
        """A body may be larger than the changes in it."""
        entry = _entry(changes={"text": [None, "x" * 100_000]})

        value_of(await sink.append([entry], _SEALER.seal))

        assert value_of(await sink.read("a", 0, 1))[0].sealed == _SEALER.seal(entry, empty_head("a"))

    async def test_heads_are_listed_by_the_names_of_their_streams(self, sink: AuditSink) -> None:
        """Byte by byte."""
        assert value_of(await sink.heads()) == []

        value_of(await sink.append([_entry("b"), _entry("a"), _entry("B"), _entry("a")], _SEALER.seal))

        assert [(each.stream, each.seq) for each in value_of(await sink.heads())] == [
            ("B", 1),
            ("a", 2),
            ("b", 1),
        ]

    async def test_a_stream_is_read_in_pages(self, sink: AuditSink) -> None:
        """Each begins after the last number of the one before."""
        value_of(await sink.append([_entry() for _ in range(5)], _SEALER.seal))
        value_of(await sink.append([_entry("b")], _SEALER.seal))

        pages = [value_of(await sink.read("a", after, 2)) for after in (0, 2, 4, 5)]

        assert [[each.sealed.seq for each in page] for page in pages] == [[1, 2], [3, 4], [5], []]
        assert value_of(await sink.read("none", 0, 2)) == []

    async def test_entries_about_one_entity_are_found(self, sink: AuditSink) -> None:
        """In whichever stream they are, and one page after the other."""
        about = [_entry(), _entry("b"), _entry("b"), _entry("c")]
        others = [
            _entry("b", key="1"),
            _entry("b", resource="Books"),
            _entry("b", key=None),
            _entry("b", key=[1]),
        ]
        value_of(await sink.append([*about, *others], _SEALER.seal))

        first = value_of(await sink.find("books", ["1"], after=None, limit=3))
        second = value_of(await sink.find("books", ["1"], after=("b", 2), limit=3))

        assert [(each.sealed.stream, each.sealed.seq) for each in first] == [("a", 1), ("b", 1), ("b", 2)]
        assert [(each.sealed.stream, each.sealed.seq) for each in second] == [("c", 1)]
        both = value_of(await sink.find("books", ['"1"', "[1]", "7"], after=None, limit=3))
        assert [each.columns["key"] for each in both] == ['"1"', "[1]"]
        assert not value_of(await sink.find("books", [], after=None, limit=3))

    async def test_the_keys_of_entities_are_found(self, sink: AuditSink) -> None:
        """Once each, in a tenant and outside of all; of what was done, and not of what was refused."""
        done = [
            _entry("a", key=1, tenant="acme"),
            _entry("a", action="delete", key=1, tenant="acme"),
            _entry("b", key=[2, "x" * 300]),
            _entry("c", key=3, tenant="other"),
        ]
        others = [
            _entry("security", key=5, tenant="acme", outcome="forbidden"),
            _entry("a", key=6, tenant="acme", resource="pens"),
            _entry("a", key=None, tenant="acme"),
        ]
        value_of(await sink.append([*done, *others], _SEALER.seal))

        long = columns_of(done[2])["key"]
        assert {*value_of(await sink.find_keys("books", tenant="acme", limit=10))} == {"1", long}
        assert {*value_of(await sink.find_keys("books", limit=10))} == {"1", long, "3"}
        assert len(value_of(await sink.find_keys("books", limit=2))) == 2
        assert value_of(await sink.find_keys("books", actions=["delete", "purge"], limit=2)) == ["1"]
        found = value_of(await sink.find("books", [long or ""], after=None, limit=3))
        assert [each.sealed.stream for each in found] == ["b"]

    async def test_checkpoints_are_kept(self, sink: AuditSink) -> None:
        """The smallest first; one that is there already does no harm."""
        small = Checkpoint(stream="a", size=1, root=bytes(32), note="one\n\n— é\n", created_at=_MOMENT)
        again = replace(small, created_at=_MOMENT + datetime.timedelta(days=1))
        large = replace(small, size=20, root=b"\xff" * 32)

        for each in (large, again, small, small, replace(small, stream="b")):
            value_of(await sink.keep_checkpoint(each))

        assert value_of(await sink.checkpoints("a")) == [small, again, large]
        assert value_of(await sink.checkpoints("c")) == []

    async def test_bodies_that_were_archived_are_removed(self, sink: AuditSink) -> None:
        """What the proofs need stays."""
        value_of(await sink.append([_entry() for _ in range(3)], _SEALER.seal))
        value_of(await sink.append([_entry("b")], _SEALER.seal))
        before = value_of(await sink.read("a", 0, 10))

        assert value_of(await sink.remove_bodies("a", 2)) == 2
        assert value_of(await sink.remove_bodies("a", 2)) == 0

        after = value_of(await sink.read("a", 0, 10))
        assert [each.sealed for each in after] == [
            *(replace(each.sealed, body=None) for each in before[:2]),
            before[2].sealed,
        ]
        assert after[0].columns == dict.fromkeys(before[0].columns)
        assert len(await _chain(sink, "b")) == 1

    async def test_a_subject_has_one_key_until_it_is_erased(self, sink: AuditSink, begin: Begin) -> None:
        """And none ever after."""
        async with begin() as work:
            first = value_of(await sink.subject_keys_in(work, {"s2": b"two", "s1": b"one"}))
            value_of(await work.commit())
        async with begin() as work:
            second = value_of(await sink.subject_keys_in(work, {"s1": b"other", "s3": b"three"}))
            value_of(await work.commit())

        assert first == {"s1": b"one", "s2": b"two"}
        assert second == {"s1": b"one", "s3": b"three"}
        assert value_of(await sink.subject_keys(["s1", "s2", "s4"])) == {"s1": b"one", "s2": b"two"}
        assert value_of(await sink.subject_keys([])) == {}
        assert value_of(await sink.list_subject_keys("s1", 1)) == {"s2": b"two"}
        assert value_of(await sink.erase_subject("s1")) is True
        assert value_of(await sink.erase_subject("s1")) is False
        assert value_of(await sink.erase_subject("s4")) is False
        async with begin() as work:
            assert value_of(await sink.subject_keys_in(work, {"s1": b"new", "s4": b"new"})) == {}
            value_of(await work.commit())
        assert value_of(await sink.subject_keys(["s1", "s2", "s4"])) == {"s2": b"two"}
        assert value_of(await sink.list_subject_keys("", 10)) == {"s2": b"two", "s3": b"three"}

    async def test_many_writers_make_no_fork(self, sink: AuditSink, begin: Begin) -> None:
        """Each chain has every entry that was committed, once, and nothing else."""

        async def try_to_write(number: int, streams: Sequence[str]) -> bool:
            async with begin() as work:
                entries = [_entry(each, key=number) for each in reversed(streams)]
                appended = await sink.append_in(work, entries, _SEALER.seal)
                done = appended if isinstance(appended, Failure) else await work.commit()
            if isinstance(done, Failure):
                # It may be refused because of the others, and is to leave no trace then.
                assert isinstance(done.failure(), Unavailable)
            return not isinstance(done, Failure)

        async def write(number: int) -> None:
            streams = ["a", "b"] if number % 4 == 0 else ["ab"[number % 2]]
            while not await try_to_write(number, streams):  # noqa: ASYNC110 (the database decides when it may)
                await asyncio.sleep(0.01)

        async with asyncio.timeout(_PATIENCE):
            _ = await asyncio.gather(*map(write, range(_WRITERS)))

        for stream, numbers in (
            ("a", range(0, _WRITERS, 2)),
            ("b", [*range(0, _WRITERS, 4), *range(1, _WRITERS, 2)]),
        ):
            written = [open_entry(each.body or b"").entry.key for each in await _chain(sink, stream)]
            assert sorted(written) == sorted(numbers)

    async def test_two_who_need_the_first_key_of_a_subject_get_the_same(
        self, sink: AuditSink, begin: Begin
    ) -> None:
        """Whoever cannot wait for the other is told to try again."""

        async def ask(key: bytes) -> bytes | None:
            async with begin() as work:
                found = await sink.subject_keys_in(work, {"s": key})
                done = found if isinstance(found, Failure) else await work.commit()
                return None if isinstance(done, Failure) else value_of(found)["s"]

        got = await asyncio.gather(ask(b"one"), ask(b"two"), ask(b"three"))

        assert {each for each in got if each is not None} == set(
            value_of(await sink.subject_keys(["s"])).values()
        )
