"""Cases about the scope of a repository: entities that only some callers can see."""

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, NotFound, Stale
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Specification,
    Where,
)
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.scoped_repository import ScopedRepository
from fastapi_easy.testing.conformance.sample_data import add_sample_data
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, titles, value_of

MINE = Where("shelf", Operator.EQUALS, "mine")
NOT_MINE = [
    pytest.param(Not(MINE), id="a comparison"),
    pytest.param(AnyOf(()), id="nothing at all"),
    pytest.param(AllOf((MINE, Where("place", Operator.GREATER, 1))), id="more than one comparison"),
    pytest.param(Where("shelf", Operator.IN, ()), id="in nothing"),
]


class VisibilityCases(Suite):
    """Cases about `scope` with every method that has it, and about `ScopedRepository`."""

    async def test_those_among_are_as_if_nothing_was_said(self, store: Store) -> None:
        note = await add_one(store.notes, title="a", shelf="mine", place=1)

        read = await store.notes.read(note.id, ("title",), scope=MINE)
        found = value_of(await store.entities("notes").find_by_id(note.id, scope=MINE))
        updated = value_of(await store.notes.update(note.id, Patch({"title": "b"}), scope=MINE))
        found.title = "c"
        saved = value_of(await store.entities("notes").save(found, scope=MINE))
        removed = await store.notes.remove(note.id, scope=MINE)

        assert read == Success({"title": "a"})
        assert (updated.title, saved.title, removed) == ("b", "c", Success(None))
        assert await store.notes.count(Everything()) == Success(0)

    @pytest.mark.parametrize("scope", NOT_MINE)
    async def test_those_not_among_are_not_there(self, store: Store, scope: Specification) -> None:
        note = await add_one(store.notes, title="a", shelf="mine", place=1)
        version = store.resources["notes"].version_of(note)
        missing = Failure(NotFound("notes", note.id))

        assert await store.notes.read(note.id, scope=scope) == missing
        assert await store.entities("notes").find_by_id(note.id, scope=scope) == missing
        assert await store.notes.update(note.id, Patch({"title": "b"}), scope=scope) == missing
        assert await store.notes.update(note.id, Patch({}), scope=scope) == missing
        assert await store.notes.remove(note.id, scope=scope) == missing
        for expected in (version, "0" * 24):
            assert (
                await store.notes.update(
                    note.id, Patch({"title": "b"}), expected_version=expected, scope=scope
                )
                == missing
            )
            assert await store.notes.remove(note.id, expected_version=expected, scope=scope) == missing
        assert await store.notes.read(note.id) == Success(note)

    async def test_with_a_version_field_those_not_among_are_not_there_either(self, store: Store) -> None:
        book = await add_one(store.books, title="a", shelf="mine")
        missing = Failure(NotFound("books", book.id))

        for expected in ("1", "2"):
            assert (
                await store.books.update(
                    book.id, Patch({"title": "b"}), expected_version=expected, scope=Not(MINE)
                )
                == missing
            )
            assert await store.books.remove(book.id, expected_version=expected, scope=Not(MINE)) == missing
        assert await store.books.update(
            book.id, Patch({"title": "b"}), expected_version="2", scope=MINE
        ) == Failure(Stale("books", book.id, "1"))
        assert await store.books.read(book.id) == Success(book)

    @pytest.mark.parametrize("name", ["notes", "books"])
    async def test_saving_over_one_that_is_not_among_is_refused(self, store: Store, name: str) -> None:
        repository, entity = store.repositories[name](), store.resources[name].entity
        entities = store.entities_in(repository, name)
        row = await add_one(repository, title="a", shelf="mine")

        refused = await entities.save(entity(**{**row, "title": "b"}), scope=Not(MINE))
        added = value_of(await entities.save(entity(title="c", shelf="mine", place=2), scope=Not(MINE)))

        assert refused == Failure(AlreadyExists(name, ("id",)))
        assert await repository.read(row.id) == Success(row)
        assert value_of(await repository.read(added.id)).title == "c"

    async def test_a_change_may_lead_out(self, store: Store) -> None:
        note = await add_one(store.notes, title="a", shelf="mine")

        updated = value_of(await store.notes.update(note.id, Patch({"shelf": "yours"}), scope=MINE))

        assert updated.shelf == "yours"
        assert await store.notes.read(note.id, scope=MINE) == Failure(NotFound("notes", note.id))

    async def test_among_may_ask_what_an_entity_leads_to(self, store: Store) -> None:
        stock = await add_sample_data(store)
        by_ada = store.relation("books.author").exists(Where("name", Operator.EQUALS, "Ada"))
        praised = store.relation("books.reviews").exists(Where("rating", Operator.EQUALS, 5))
        mentored = store.relation("authors.mentor").exists()
        a2, ada, dee = stock.books["a2"].id, stock.authors["Ada"].id, stock.authors["Dee"].id

        assert value_of(await store.books.read(a2, scope=by_ada)).title == "a2"
        assert await store.books.read(a2, scope=praised) == Failure(NotFound("books", a2))
        assert value_of(await store.books.update(a2, Patch({"pages": 2}), scope=by_ada)).pages == 2
        assert await store.books.update(
            a2, Patch({"pages": 3}), expected_version="2", scope=praised
        ) == Failure(NotFound("books", a2))
        assert await store.authors.remove(ada, scope=mentored) == Failure(NotFound("authors", ada))
        assert await store.authors.remove(dee, scope=mentored) == Success(None)

    async def test_a_key_of_two_fields_is_narrowed_too(self, store: Store) -> None:
        await add_rows(store.seats, [{"hall": "a", "number": 1, "guest": "g"}])
        entity = store.resources["seats"].entity
        taken = Where("guest", Operator.IS_NULL, False)

        refused = await store.entities("seats").save(entity(hall="a", number=1, guest="h"), scope=Not(taken))

        assert refused == Failure(AlreadyExists("seats", ("hall", "number")))
        assert value_of(await store.seats.read(("a", 1), scope=taken)).guest == "g"
        assert await store.seats.remove(("a", 1), scope=Not(taken)) == Failure(NotFound("seats", ("a", 1)))
        assert await store.seats.remove(("a", 1), scope=taken) == Success(None)

    async def test_a_narrowed_repository_holds_what_is_visible(self, store: Store) -> None:
        mine = ScopedRepository(store.notes, MINE)
        await add_rows(
            store.notes,
            [{"title": title, "shelf": "mine" if title in "ace" else "yours"} for title in "abcdef"],
        )
        query = Query(page=PageRequest(limit=2, count=Count.EXACT))

        page = value_of(await mine.select(query))
        found = value_of(await store.entities_in(mine, "notes").find_all(query))
        rest = value_of(await mine.select(Query(page=PageRequest(limit=2, after=page.next))))
        numbers = value_of(await mine.aggregate(Aggregation(measures=(Measure(Function.COUNT),))))

        assert (titles(page.items), page.total) == (["a", "c"], 3)
        assert (titles(found.items), found.total) == (["a", "c"], 3)
        assert (titles(rest.items), rest.next) == (["e"], None)
        assert titles([row async for rows in mine.stream(Query()) for row in rows]) == ["a", "c", "e"]
        assert await mine.count(Where("title", Operator.GREATER, "a")) == Success(2)
        assert list(numbers) == [Group((), (3,))]

    async def test_a_narrowed_repository_changes_what_is_visible(self, store: Store) -> None:
        mine = ScopedRepository(store.notes, MINE)
        await add_rows(store.notes, [{"title": "a", "shelf": "mine"}, {"title": "b", "shelf": "yours"}])
        yours = value_of(await store.notes.select(Query(specification=Not(MINE)))).items[0]

        updated = await mine.update_where(Everything(), Patch({"rank": 1}), max_affected=1)
        refused = await mine.update(yours.id, Patch({"rank": 1}))
        missed = await mine.remove(yours.id)
        removed = await mine.remove_where(Everything(), max_affected=1)
        added = value_of(await mine.add({"title": "c", "shelf": "yours"}))
        many = value_of(await mine.add_all([{"title": "d", "shelf": "mine"}]))

        assert (updated, removed) == (Success(1), Success(1))
        assert refused == missed == Failure(NotFound("notes", yours.id))
        assert await store.notes.read(yours.id) == Success(yours)
        assert await mine.read(added.id) == Failure(NotFound("notes", added.id))
        assert await mine.read(many[0].id) == Success(many[0])

    async def test_a_narrowed_repository_is_led_only_to_what_is_visible(self, store: Store) -> None:
        stock = await add_sample_data(store)
        dear = ScopedRepository(store.books, Where("price", Operator.GREATER, 10))
        sources = [(stock.authors[each].id,) for each in ("Ada", "Bob")]

        found = value_of(await dear.select_each(store.relation("authors.books"), sources, Query()))

        assert [titles(rows) for rows in found] == [["a2"], []]

    async def test_narrowed_twice_is_narrowed_by_both(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "a", "shelf": "mine"}, {"title": "b", "shelf": "mine"}])
        twice = ScopedRepository(ScopedRepository(store.notes, MINE), Where("title", Operator.EQUALS, "b"))

        assert titles(value_of(await twice.select(Query())).items) == ["b"]

    async def test_a_narrowed_repository_is_one(self, store: Store) -> None:
        assert isinstance(ScopedRepository(store.notes, MINE), Repository)

    async def test_inside_a_unit_of_work_it_is_as_narrow(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)

        async with store.unit_of_work() as work:
            mine = ScopedRepository(work.repository("notes"), MINE)
            await add_rows(mine, [{"title": "a", "shelf": "mine"}, {"title": "b", "shelf": "yours"}])
            inside = await mine.count(Everything())
            removed = await mine.remove_where(Everything(), max_affected=5)
            _ = value_of(await work.commit())

        assert (inside, removed) == (Success(1), Success(1))
        assert titles(value_of(await store.notes.select(Query())).items) == ["b"]
