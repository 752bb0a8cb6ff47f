"""Relations that the shared suites do not have: through a table, to the table itself in writes, and lax to-one ones."""

import datetime

import pytest
import pytest_asyncio
from returns.result import Failure, Success
from sqlalchemy import insert

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import NotFound
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Not, Operator, Where
from tests.unit.infrastructure.sqlalchemy.library import about, empty_library

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def called(title):
    return Where("title", Operator.EQUALS, title)


@pytest_asyncio.fixture
async def library(url):
    async with empty_library(url) as world:
        yield world


@pytest_asyncio.fixture
async def shelf(library):
    """Three books in a row: b continues a, c continues b."""
    keys = {}
    for title in "abc":
        values = {"title": title, "sequel_of_id": keys.get(chr(ord(title) - 1))}
        keys[title] = (await library["books"].add(values)).unwrap().id
    return keys


@pytest_asyncio.fixture
async def sorted_shelf(library, shelf):
    """The same, about subjects: a of both, b of one, twice."""
    for code, label in (("ART", "Art"), ("art", "art")):
        _ = (await library["subjects"].add({"code": code, "label": label})).unwrap()
    pairs = [("a", "ART"), ("a", "art"), ("b", "art"), ("b", "art")]
    await library.say(insert(about), [{"book": shelf[title], "subject": code} for title, code in pairs])
    return shelf


async def titles_of(library, specification):
    found = await library["books"].select(
        Query(specification=specification, page=PageRequest(count=Count.EXACT))
    )
    page = found.unwrap()
    assert page.total == len(page.items)
    return "".join(row.title for row in page.items)


async def test_reads_related_rows_once_though_the_association_table_holds_a_pair_twice(library, sorted_shelf):
    relation = library.relation("subjects.books")
    descending = (Sort("title", Direction.DESCENDING),)

    found = (
        await library["books"].select_each(
            relation, [("art",), ("ART",), ("Art",)], Query(order=descending, fields=("title",))
        )
    ).unwrap()
    few = (
        await library["books"].select_each(
            relation, [("art",)], Query(order=descending, fields=("title",), page=PageRequest(limit=1))
        )
    ).unwrap()

    assert [[row.title for row in rows] for rows in found] == [["b", "a"], ["a"], []]
    assert [[row.title for row in rows] for rows in few] == [["b"]]


async def test_filters_by_related_rows_through_an_association_table(library, sorted_shelf):
    subjects, books = library.relation("books.subjects"), library.relation("subjects.books")
    about_art = subjects.exists(Where("code", Operator.EQUALS, "ART"))
    beside_a = subjects.exists(books.exists(called("a")))

    assert await titles_of(library, about_art) == "a"
    assert await titles_of(library, Not(about_art)) == "bc"
    assert await titles_of(library, subjects.exists()) == "ab"
    assert await titles_of(library, beside_a) == "ab"


async def test_filters_by_a_relation_back_to_the_same_table(library, shelf):
    earlier, later = library.relation("books.sequel_of"), library.relation("books.sequels")

    assert await titles_of(library, earlier.exists(called("a"))) == "b"
    assert await titles_of(library, earlier.exists(earlier.exists(called("a")))) == "c"
    assert await titles_of(library, later.exists(earlier.exists())) == "ab"
    assert await titles_of(library, later.exists(Not(later.exists()))) == "b"
    assert await titles_of(library, Not(later.exists())) == "c"


async def test_updates_by_a_relation_back_to_the_same_table(library, shelf):
    repository, earlier = library["books"], library.relation("books.sequel_of")
    follows_a = earlier.exists(called("a"))

    changed = await repository.update_where(follows_a, Patch({"title": "B"}), max_affected=9)
    hidden = await repository.update(shelf["c"], Patch({"title": "C"}), scope=follows_a)
    shown = await repository.update(shelf["b"], Patch({"isbn": "1"}), scope=follows_a, expected_version="2")
    read = await repository.read(shelf["b"], ("title", "version"), scope=follows_a)

    assert (changed, hidden) == (Success(1), Failure(NotFound("books", shelf["c"])))
    assert (shown.unwrap().title, shown.unwrap().isbn, shown.unwrap().version) == ("B", "1", 3)
    assert read.unwrap() == {"title": "B", "version": 3}


async def test_deletes_by_a_relation_back_to_the_same_table(library, shelf):
    repository, earlier = library["books"], library.relation("books.sequel_of")
    last = earlier.exists(earlier.exists(called("a")))

    hidden = await repository.remove(shelf["b"], scope=last)
    removed = await repository.remove(shelf["c"], scope=last)
    many = await repository.remove_where(earlier.exists(called("a")), max_affected=9)

    assert (hidden, removed, many) == (Failure(NotFound("books", shelf["b"])), Success(None), Success(1))
    assert await titles_of(library, Everything()) == "a"


@pytest.mark.parametrize("direction", list(Direction))
async def test_sorts_by_the_first_of_several_related_rows_where_one_was_declared(library, direction):
    authors = [(await library["authors"].add({"name": name})).unwrap().id for name in "wxyz"]
    painted = [
        ("w", "m", None),
        ("w", "a", None),
        ("x", "k", LONG_AGO),
        ("x", "z", None),
        ("y", "b", LONG_AGO),
    ]
    for name, painter, gone_at in painted:
        values = {"author_id": authors["wxyz".index(name)], "painter": painter, "gone_at": gone_at}
        _ = (await library["portraits"].add(values)).unwrap()
    order = (Sort("painter", direction, path=(library.relation("authors.portrait"),)),)

    walked, after = [], None
    while after is not None or not walked:
        query = Query(
            order=order, page=PageRequest(limit=1, after=after, count=Count.EXACT), fields=("name",)
        )
        page = (await library["authors"].select(query)).unwrap()
        assert page.total == 4
        walked += [row.name for row in page.items]
        after = page.next

    # The portrait with the smallest key that is not gone; without one, last.
    assert "".join(walked) == ("wxyz" if direction is Direction.ASCENDING else "xwyz")
    each = await library["portraits"].select_each(
        library.relation("authors.portrait"), [(key,) for key in authors], Query(fields=("painter",))
    )
    assert [[row.painter for row in rows] for rows in each.unwrap()] == [["m"], ["k"], ["b"], []]


async def test_reads_related_rows_of_more_sources_than_a_statement_may_have_values(library, shelf):
    sources = [(number,) for number in range(shelf["a"], shelf["a"] + 40_000)]

    found = (await library["books"].select_each(library.relation("books.sequels"), sources, Query())).unwrap()

    assert [len(rows) for rows in found[:4]] == [1, 1, 0, 0]
    assert sum(map(len, found)) == 2
    assert len(found) == 40_000
