"""Transactions in memory that overlap: what the suites cannot ask of stores where one would wait for the other."""

import datetime
from types import SimpleNamespace

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import AlreadyExists, NotFound, Stale
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance import BOOKS, NOTES, SEATS


class World:
    """One database, and two transactions on it."""

    def __init__(self, shape, name, entity=dict, **options):
        self.resource = resource_from(shape, name, entity, **options)
        self.repository = MemoryRepository(self.resource, MemoryDatabase())
        self.first, self.second = MemoryTransaction(), MemoryTransaction()
        self.in_first = self.repository.in_transaction(self.first)
        self.in_second = self.repository.in_transaction(self.second)


@pytest.fixture
def notes():
    return World(NOTES, "notes")


@pytest.fixture
def seats():
    return World(SEATS, "seats")


@pytest.fixture
def books():
    return World(BOOKS, "books", SimpleNamespace, version="version", soft_delete="deleted_at")


async def test_of_two_who_claim_a_unique_value_the_first_to_commit_wins(notes):
    _ = await notes.in_first.add({"title": "first", "code": "x"})
    _ = await notes.in_second.add({"title": "second", "code": "x"})

    assert notes.second.commit() == Success(None)
    assert notes.first.commit() == Failure(AlreadyExists("notes", ("code",)))
    assert (await notes.repository.count(Everything())) == Success(1)


async def test_of_two_who_claim_a_key_the_first_to_commit_wins(seats):
    _ = await seats.in_first.add({"hall": "a", "number": 1, "guest": "first"})
    _ = await seats.in_second.add({"hall": "a", "number": 1, "guest": "second"})

    assert seats.first.commit() == Success(None)
    assert seats.second.commit() == Failure(AlreadyExists("seats", ("hall", "number")))
    assert (await seats.repository.read(("a", 1))).unwrap().guest == "first"


async def test_plain_updates_of_different_fields_keep_both(notes):
    added = (await notes.repository.add({"title": "a"})).unwrap()
    _ = await notes.in_first.update(added.id, Patch({"rank": 1}))
    _ = await notes.in_second.update(added.id, Patch({"remark": "r"}))

    assert (notes.first.commit(), notes.second.commit()) == (Success(None), Success(None))
    read = (await notes.repository.read(added.id)).unwrap()
    assert (read.rank, read.remark) == (1, "r")


async def test_a_plain_update_of_what_was_removed_meanwhile_is_lost(notes):
    added = (await notes.repository.add({"title": "a"})).unwrap()
    _ = await notes.in_first.update(added.id, Patch({"rank": 1}))
    _ = await notes.repository.remove(added.id)

    assert notes.first.commit() == Success(None)
    assert await notes.repository.read(added.id) == Failure(NotFound("notes", added.id))


@pytest.mark.parametrize("removes", [False, True])
async def test_a_change_tied_to_a_version_fails_when_that_is_gone(notes, removes):
    added = (await notes.repository.add({"title": "a"})).unwrap()
    version = version_of(added, notes.resource.readable)
    if removes:
        _ = await notes.in_first.remove(added.id, expected_version=version)
    else:
        _ = await notes.in_first.update(added.id, Patch({"rank": 1}), expected_version=version)
    current = (await notes.repository.update(added.id, Patch({"title": "b"}))).unwrap()

    committed = notes.first.commit()

    assert committed == Failure(Stale("notes", added.id, version_of(current, notes.resource.readable)))
    assert (await notes.repository.read(added.id)) == Success(current)


async def test_what_came_and_went_inside_touches_nobody_elses(seats):
    _ = await seats.in_first.add({"hall": "a", "number": 1, "guest": "first"})
    _ = await seats.in_first.remove(("a", 1))
    _ = await seats.repository.add({"hall": "a", "number": 1, "guest": "other"})

    assert seats.first.commit() == Success(None)
    assert (await seats.repository.read(("a", 1))).unwrap().guest == "other"


async def test_a_failed_commit_leaves_no_trace_in_any_table():
    database = MemoryDatabase()
    notes = MemoryRepository(resource_from(NOTES, "notes", dict), database)
    seats = MemoryRepository(resource_from(SEATS, "seats", list), database)
    transaction = MemoryTransaction()
    _ = await seats.in_transaction(transaction).add({"hall": "a", "number": 1})
    _ = await notes.in_transaction(transaction).add({"title": "a", "code": "x"})
    _ = await notes.add({"title": "b", "code": "x"})

    assert transaction.commit() == Failure(AlreadyExists("notes", ("code",)))
    assert await seats.count(Everything()) == Success(0)
    assert transaction.commit() == Success(None)


async def test_the_key_of_an_entity_never_changes(seats):
    _ = await seats.repository.add({"hall": "a", "number": 1})

    with pytest.raises(ValueError, match="never changes"):
        _ = await seats.repository.update(("a", 1), Patch({"number": 2}))


async def test_resources_of_one_entity_share_their_rows():
    database = MemoryDatabase()
    one = MemoryRepository(resource_from(SEATS, "seats", dict), database)
    other = MemoryRepository(resource_from(SEATS, "places", dict), database)

    _ = await one.add({"hall": "a", "number": 1})

    assert await other.count(Everything()) == Success(1)


async def test_plain_updates_of_both_are_counted(books):
    added = (await books.repository.add({"title": "a"})).unwrap()
    _ = await books.in_first.update(added.id, Patch({"pages": 1}))
    _ = await books.in_first.update(added.id, Patch({"pages": 2}))
    _ = await books.in_second.update(added.id, Patch({"title": "b"}))

    assert (books.second.commit(), books.first.commit()) == (Success(None), Success(None))
    read = (await books.repository.read(added.id)).unwrap()
    assert (read.pages, read.title, read.version) == (2, "b", 4)


async def test_of_two_who_save_the_same_version_the_first_to_commit_wins(books):
    added = (await books.repository.add({"title": "a"})).unwrap()
    _ = await EntityRepository(books.resource, books.in_first).save(
        SimpleNamespace(**{**added, "title": "first"})
    )
    _ = await EntityRepository(books.resource, books.in_second).save(
        SimpleNamespace(**{**added, "title": "second"})
    )

    assert books.second.commit() == Success(None)
    assert books.first.commit() == Failure(Stale("books", added.id, "2"))
    assert (await books.repository.read(added.id)).unwrap().title == "second"


async def test_what_one_deletes_and_another_restores_meanwhile_collides_at_commit(books):
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    first = (await books.repository.add({"title": "first", "isbn": "i"})).unwrap()
    _ = await books.repository.update(first.id, Patch({"deleted_at": now}))
    _ = await books.in_first.update(first.id, Patch({"deleted_at": None}))
    _ = await books.in_second.add({"title": "second", "isbn": "i"})

    assert books.second.commit() == Success(None)
    assert books.first.commit() == Failure(AlreadyExists("books", ("isbn",)))
    assert (await books.repository.read(first.id)).unwrap().deleted_at == now


async def test_resources_stored_as_one_class_share_their_rows():
    database = MemoryDatabase()
    one = MemoryRepository(resource_from(SEATS, "seats", dict, stored=World), database)
    other = MemoryRepository(resource_from(SEATS, "places", list, stored=World), database)

    _ = await one.add({"hall": "a", "number": 1})

    assert await other.count(Everything()) == Success(1)
