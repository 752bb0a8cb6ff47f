"""Kept answers are true: nothing that was committed before a question is missing from the answer to it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.domain import Failure
from tests.e2e.cached_library import READS, STORES, WRITES, Process, fill, processes

Library = tuple[list[Process], Process]


@pytest.fixture(params=STORES)
async def library(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Library]:
    async with processes(request.param, tmp_path, 2) as opened:
        yield opened


async def test_nothing_is_stale_after_a_commit_in_any_process(library: Library) -> None:
    (writing, reading), plain = library
    await fill(writing.kernel)

    for name, write in {"nothing": None, **WRITES}.items():
        if write is not None:
            written = await write(writing.kernel)
            assert not isinstance(written, Failure), name
        for question, read in READS.items():
            expected = repr(await read(plain.kernel))
            for process in (writing, reading, reading):
                assert repr(await read(process.kernel)) == expected, (name, question)

    # The second time that a process was asked, at the least.
    assert reading.cache.hits >= len(READS) * len(WRITES)


@pytest.mark.parametrize("library", ["memory", "sqlite"], indirect=True)
async def test_a_write_of_something_else_ends_no_answer(library: Library) -> None:
    (writing, reading), _ = library
    await fill(writing.kernel)
    _ = (await reading.kernel.books.list()).unwrap()

    _ = (await writing.kernel.notes.create({"text": "about nothing"})).unwrap()
    _ = (await writing.kernel.authors.create({"name": "New", "country": "NZ"})).unwrap()
    _ = (await reading.kernel.books.list()).unwrap()

    assert reading.cache.hits == 1


@pytest.mark.parametrize("library", ["memory", "sqlite"], indirect=True)
async def test_what_is_rolled_back_or_only_tried_ends_no_answer(library: Library) -> None:
    (writing, reading), _ = library
    await fill(writing.kernel)
    before = repr(await reading.kernel.books.list())

    async with writing.kernel.unit_of_work() as work:
        _ = (await work.repository("books").update(1, {"title": "never"})).unwrap()
    tried = await writing.kernel.acting_as(dry_run=True).books.delete(1)
    assert not isinstance(tried, Failure)
    refused = await writing.kernel.books.create({"title": "for nobody"})
    assert isinstance(refused, Failure)

    assert repr(await reading.kernel.books.list()) == before
    assert reading.cache.hits == 1


async def test_a_generation_is_raised_with_the_commit_and_not_before(library: Library) -> None:
    (writing, reading), _ = library
    await fill(writing.kernel)
    seen = [await generation(reading)]

    async with writing.kernel.unit_of_work() as work:
        _ = (await work.repository("books").update(1, {"title": "soon"})).unwrap()
        assert await generation(reading) == seen[0]
        _ = (await work.commit()).unwrap()
        seen.append(await generation(reading))
        _ = (await work.repository("books").update(1, {"title": "later"})).unwrap()
        _ = (await work.commit()).unwrap()
    seen.append(await generation(reading))

    assert len(set(seen)) == 3


async def generation(process: Process) -> str:
    """What marks the books of the database, as *process* reads it."""
    tables: Any = process.container.caching.tables()
    generations = tables.generations["default"]
    name = generations.table_of(process.container.books.resource())
    return str((await generations.read([name])).unwrap()[name])
