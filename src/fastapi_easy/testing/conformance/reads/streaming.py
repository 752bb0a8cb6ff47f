"""Cases about `stream`."""

import tracemalloc
from contextlib import aclosing
from typing import Any, Final, cast

import pytest
from returns.result import Success

from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AnyOf, Everything, Operator, Where
from fastapi_easy.testing.conformance.store import Store, Suite, add_rows, add_titles, titles, value_of

MANY: Final = 10_000
MEGABYTE: Final = 1024 * 1024


class _Interrupted(Exception):
    pass


class StreamCases(Suite):
    """Cases about `stream`."""

    @pytest.mark.parametrize("chunk", [1, 2, 3, 500])
    async def test_streams_every_row_in_order_whatever_the_page(self, store: Store, chunk: int) -> None:
        await add_rows(
            store.notes,
            ({"title": title, "rank": rank} for title, rank in zip("abcd", (1, None, 2, 1), strict=True)),
        )
        query = Query(order=(Sort("rank", Direction.DESCENDING),), page=PageRequest(limit=1, offset=1))

        parts = [rows async for rows in store.notes.stream(query, chunk=chunk)]

        rows = [row for part in parts for row in part]
        assert titles(rows) == ["c", "a", "d", "b"]
        assert all(1 <= len(part) <= chunk for part in parts)
        assert rows[0] == value_of(await store.notes.read(rows[0].id))

    async def test_streams_what_is_meant(self, store: Store) -> None:
        await add_titles(store, "aab")

        query = Query(specification=Where("title", Operator.EQUALS, "a"))

        assert titles([row async for rows in store.notes.stream(query) for row in rows]) == ["a", "a"]

    async def test_streams_the_fields_asked_for_in_their_order(self, store: Store) -> None:
        await add_titles(store, "ba")
        query = Query(order=(Sort("title"),), fields=("colour", "body"))

        rows = [row async for rows in store.notes.stream(query) for row in rows]

        assert [list(row) for row in rows] == [["colour", "body"]] * 2

    async def test_a_stream_of_nothing_ends_at_once(self, store: Store) -> None:
        await add_titles(store, "a")

        assert [
            row async for rows in store.notes.stream(Query(specification=AnyOf(()))) for row in rows
        ] == []

    async def test_streams_in_bounded_memory(self, store: Store) -> None:
        body = "x" * 1000
        await add_rows(store.notes, ({"title": "a", "body": f"{number} {body}"} for number in range(MANY)))

        seen = 0
        tracemalloc.start()
        try:
            async for rows in store.notes.stream(Query(), chunk=100):
                seen += len(rows)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert seen == MANY
        # All rows at once would take five times as much.
        assert peak < 8 * MEGABYTE

    async def test_a_stream_may_be_left_early_again_and_again(self, store: Store) -> None:
        await add_titles(store, "abcdefgh")

        for _ in range(30):
            # The port promises an iterator only, but every adapter that holds a connection returns a generator.
            async with aclosing(cast("Any", store.notes.stream(Query(), chunk=2))) as parts:
                async for rows in parts:
                    assert titles(rows) == ["a", "b"]
                    break

        assert await store.notes.count(Everything()) == Success(8)

    async def test_an_error_of_the_reader_ends_the_stream_and_nothing_else(self, store: Store) -> None:
        await add_titles(store, "abcd")

        for _ in range(30):
            with pytest.raises(_Interrupted):
                await _interrupted(store)

        assert await store.notes.count(Everything()) == Success(4)

    async def test_a_store_can_be_asked_while_a_stream_is_read(self, store: Store) -> None:
        await add_titles(store, "abc")

        read = [
            value_of(await store.notes.read(row.id)).title
            async for rows in store.notes.stream(Query(), chunk=1)
            for row in rows
        ]

        assert read == ["a", "b", "c"]


async def _interrupted(store: Store) -> None:
    async with aclosing(cast("Any", store.notes.stream(Query(), chunk=1))) as parts:
        async for _ in parts:
            raise _Interrupted
