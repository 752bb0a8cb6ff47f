"""How much is said to the database."""

import pytest
import pytest_asyncio
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import NotFound, Stale
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where, all_of
from fastapi_easy.domain.resources.capability import Capability
from tests.unit.infrastructure.sqlalchemy.library import empty_library


@pytest_asyncio.fixture
async def library(url):
    async with empty_library(url) as world:
        yield world


@pytest.fixture
def returns(library):
    """Whether a new row is given back by the statement that stores it."""
    return Capability.RETURNING in library.database.capabilities


@pytest.fixture
def returns_updated(library):
    return library.database.technology in {"SQLite", "PostgreSQL"}


@pytest_asyncio.fixture
async def books(library):
    author = (await library["authors"].add({"name": "Ada"})).unwrap()
    return [
        (await library["books"].add({"title": title, "author_id": author.id})).unwrap() for title in "abc"
    ]


def verbs(said):
    return [each.split()[0] for each in said]


async def test_a_page_with_relations_and_a_total_takes_one_statement(library, books):
    author = library.relation("books.author")
    meant = author.exists(Where("name", Operator.EQUALS, "Ada"))
    order = (Sort("name", path=(author,)), Sort("title"))
    query = Query(specification=meant, order=order, page=PageRequest(limit=2, count=Count.EXACT))

    with library.listening() as said:
        page = (await library["books"].select(query)).unwrap()
        after = PageRequest(limit=2, after=page.next)
        rest = (await library["books"].select(Query(specification=meant, order=order, page=after))).unwrap()

    assert [row.title for row in (*page.items, *rest.items)] == ["a", "b", "c"]
    assert page.total == 3
    assert verbs(said) == ["SELECT", "SELECT"]


@pytest.mark.parametrize("path", ["books.author", "authors.books", "books.subjects"])
async def test_related_rows_take_one_statement(library, path):
    relation = library.relation(path)
    sources = [(number,) for number in range(1, 300)]

    with library.listening() as said:
        found = await library[relation.target.name].select_each(relation, sources, Query())

    assert [list(each) for each in found.unwrap()] == [[] for _ in sources]
    assert verbs(said) == ["SELECT"]


async def test_aggregates_take_one_statement(library, books):
    measures = (Measure(Function.COUNT), Measure(Function.AVERAGE, "version"))

    with library.listening() as said:
        _ = (await library["books"].aggregate(Aggregation(measures=measures, group_by=("title",)))).unwrap()

    assert verbs(said) == ["SELECT"]


async def test_a_create_takes_one_statement(library, returns):
    with library.listening() as said:
        _ = (await library["books"].add({"title": "a"})).unwrap()

    assert verbs(said) == ["INSERT"] if returns else ["BEGIN", "INSERT", "SELECT", "COMMIT"]


async def test_a_scoped_update_with_a_version_takes_one_statement(library, books, returns_updated):
    some = library.relation("books.author").exists(Where("name", Operator.EQUALS, "Ada"))

    with library.listening() as said:
        changed = await library["books"].update(
            books[0].id, Patch({"title": "z"}), expected_version="1", scope=some
        )

    assert (changed.unwrap().title, changed.unwrap().version) == ("z", 2)
    assert verbs(said) == ["UPDATE"] if returns_updated else ["BEGIN", "UPDATE", "SELECT", "COMMIT"]


async def test_only_a_refused_update_reads_the_row(library, books, returns_updated):
    repository, key = library["books"], books[0].id
    hidden = Where("title", Operator.EQUALS, "nothing")

    with library.listening() as said:
        stale = await repository.update(key, Patch({"title": "z"}), expected_version="7")
    odd = await repository.update(key, Patch({"title": "z"}), expected_version="01")
    missing = await repository.update(key, Patch({"title": "z"}), expected_version="1", scope=hidden)
    stale_removal = await repository.remove(key, expected_version="7")
    missing_removal = await repository.remove(key, expected_version="1", scope=hidden)

    assert stale == odd == stale_removal == Failure(Stale("books", key, "1"))
    assert missing == missing_removal == Failure(NotFound("books", key))
    begun = ["UPDATE", "BEGIN"] if returns_updated else ["BEGIN", "UPDATE"]
    assert verbs(said) == [*begun, "SELECT", "ROLLBACK"]
    assert (await repository.read(key)).unwrap() == books[0]


async def test_a_delete_with_a_version_takes_one_statement(library, books):
    with library.listening() as said:
        removed = await library["books"].remove(books[0].id, expected_version="1")

    assert removed == Success(None)
    assert verbs(said) == ["DELETE"]


async def test_to_save_what_was_found_is_one(library, books, returns_updated):
    book = (await library.entities("books").find_by_id(books[0].id)).unwrap()
    book.title = "z"

    with library.listening() as said:
        saved = (await library.entities("books").save(book)).unwrap()

    assert (saved.title, saved.version) == ("z", 2)
    assert verbs(said) == ["UPDATE"] if returns_updated else ["BEGIN", "UPDATE", "SELECT", "COMMIT"]
    assert await library.entities("books").save(book) == Failure(Stale("books", book.id, "2"))


async def test_builds_a_statement_once_for_each_form(library, books):
    author = library.relation("books.author")
    plan = await library.database.plan(library.resources["books"])

    async def ask(name, title):
        meant = all_of(
            Where("title", Operator.EQUALS, title), author.exists(Where("name", Operator.EQUALS, name))
        )
        return (await library["books"].count(meant)).unwrap()

    found = [await ask("Ada", "a")]
    before = len(plan._statements)
    found += [await ask("Ada", "q"), await ask("Bob", "a"), await ask("Ada", "b")]

    assert found == [1, 0, 0, 1]
    assert len(plan._statements) == before
