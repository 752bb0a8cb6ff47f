"""Cases about foreign keys, for stores with `Capability.REFERENCES`."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome, ReferenceBroken
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.sample_data import NOON, add_sample_data
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, value_of

MISSING_ID: Final = 2_000_000_000
"""No entity has this key."""

NO_AUTHOR: Final = Failure(ReferenceBroken("books", ("author_id",)))
DANGLING: Final = [
    pytest.param({"book_id": MISSING_ID}, ("book_id",), id="to a key"),
    pytest.param({"reader_id": MISSING_ID}, ("reader_id",), id="to another key"),
    pytest.param({"deposit_id": "none"}, ("deposit_id",), id="to a unique value"),
]


class ForeignKeyCases(Suite):
    """Cases about a store that enforces declared foreign keys."""

    @pytest.fixture
    def enforcing(self, store: Store) -> Store:
        """Return the adapter under test, if it enforces references."""
        store.require(Capability.REFERENCES)
        return store

    async def test_adding_what_refers_to_nobody_is_refused_and_names_the_fields(
        self, enforcing: Store
    ) -> None:
        refused = await enforcing.books.add({"title": "a", "author_id": MISSING_ID})

        assert refused == NO_AUTHOR
        assert await enforcing.books.count(Everything()) == Success(0)

    @pytest.mark.parametrize(("values", "fields"), DANGLING)
    async def test_of_several_references_the_broken_one_is_named(
        self, enforcing: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        book = await add_one(enforcing.books, title="a")
        loan = await add_one(enforcing.loans, book_id=book.id)

        changed = await enforcing.loans.update(loan.id, Patch(values))

        assert changed == Failure(ReferenceBroken("loans", fields))
        assert await enforcing.loans.read(loan.id) == Success(loan)

    async def test_adding_several_of_which_one_refers_to_nobody_adds_none(self, enforcing: Store) -> None:
        author = await add_one(enforcing.authors, name="Ada")

        refused = await enforcing.books.add_all(
            [{"title": "a", "author_id": author.id}, {"title": "b", "author_id": MISSING_ID}]
        )

        assert refused == NO_AUTHOR
        assert await enforcing.books.count(Everything()) == Success(0)

    async def test_updating_to_what_refers_to_nobody_is_refused(self, enforcing: Store) -> None:
        book = await add_one(enforcing.books, title="a")
        titled_a = Where("title", Operator.EQUALS, "a")
        patch = Patch({"author_id": MISSING_ID, "pages": 1})

        refused = await enforcing.books.update(book.id, patch)
        refused_many = await enforcing.books.update_where(titled_a, patch, max_affected=9)

        assert (refused, refused_many) == (NO_AUTHOR, NO_AUTHOR)
        assert await enforcing.books.read(book.id) == Success(book)

    async def test_saving_what_refers_to_nobody_is_refused(self, enforcing: Store) -> None:
        book = await add_one(enforcing.books, title="a")
        entity = enforcing.resources["books"].entity

        inserted = await enforcing.entities("books").save(entity(title="b", author_id=MISSING_ID))
        replaced = await enforcing.entities("books").save(entity(**{**book, "author_id": MISSING_ID}))

        assert (inserted, replaced) == (NO_AUTHOR, NO_AUTHOR)
        assert value_of(await enforcing.books.select(Query())).items == [book]

    async def test_two_fields_refer_together_and_are_named_together(self, enforcing: Store) -> None:
        _ = await add_one(enforcing.seats, hall="a", number=1)
        _ = await add_one(enforcing.seats, hall="b", number=2)

        refused = await enforcing.tickets.add({"hall": "a", "number": 2})
        added = await enforcing.tickets.add({"hall": "a", "number": 1})

        assert refused == Failure(ReferenceBroken("tickets", ("hall", "number")))
        assert type(added) is Success

    @pytest.mark.parametrize("values", [{"hall": "z"}, {"number": 9}, {}])
    async def test_with_a_null_in_it_a_reference_refers_to_nothing(
        self, enforcing: Store, values: dict[str, object]
    ) -> None:
        added = await enforcing.tickets.add(values)

        assert type(added) is Success

    async def test_those_who_are_added_together_may_refer_to_one_another(self, enforcing: Store) -> None:
        added = await enforcing.authors.add_all(
            [
                {"id": 1, "name": "Ada", "mentor_id": None},
                {"id": 2, "name": "Bob", "mentor_id": 1},
                {"id": 3, "name": "Cy", "mentor_id": 3},
            ]
        )

        assert [row.mentor_id for row in value_of(added)] == [None, 1, 3]

    async def test_on_delete_restrict(self, enforcing: Store) -> None:
        stock = await add_sample_data(enforcing)
        ada = stock.authors["Ada"]
        refused = Failure(ReferenceBroken("authors", ()))

        assert await enforcing.authors.remove(ada.id) == refused
        assert await enforcing.authors.remove_where(Everything(), max_affected=9) == refused
        assert await enforcing.authors.read(ada.id) == Success(ada)
        assert await enforcing.authors.count(Everything()) == Success(len(stock.authors))

    async def test_whom_nobody_refers_to_any_more_can_be_removed(self, enforcing: Store) -> None:
        first, second = (
            await add_one(enforcing.authors, name="first"),
            await add_one(enforcing.authors, name="second"),
        )
        book = await add_one(enforcing.books, title="a", author_id=first.id)
        _ = value_of(await enforcing.books.update(book.id, Patch({"author_id": second.id})))

        assert await enforcing.authors.remove(first.id) == Success(None)
        assert await enforcing.authors.remove(second.id) == Failure(ReferenceBroken("authors", ()))
        assert await enforcing.books.remove(book.id) == Success(None)
        assert await enforcing.authors.remove(second.id) == Success(None)

    async def test_on_delete_set_null(self, enforcing: Store) -> None:
        stock, book = await add_sample_data(enforcing), await add_one(enforcing.books, title="lent")
        bob, dee = stock.authors["Bob"], stock.authors["Dee"]
        bobs, dees = await _add_loan(enforcing, book, bob), await _add_loan(enforcing, book, dee)

        removed = await enforcing.authors.remove(dee.id)

        assert removed == Success(None)
        assert await enforcing.loans.read(dees.id) == Success({**dees, "reader_id": None})
        assert await enforcing.loans.read(bobs.id) == Success(bobs)

    async def test_on_delete_set_null_of_a_self_reference(self, enforcing: Store) -> None:
        teacher = await add_one(enforcing.authors, name="teacher")
        pupil = await add_one(enforcing.authors, name="pupil", mentor_id=teacher.id)

        removed = await enforcing.authors.remove(teacher.id)

        assert removed == Success(None)
        assert await enforcing.authors.read(pupil.id) == Success({**pupil, "mentor_id": None})

    async def test_on_delete_cascade(self, enforcing: Store) -> None:
        lent, kept = (
            await add_one(enforcing.books, title="lent"),
            await add_one(enforcing.books, title="kept"),
        )
        await add_rows(enforcing.loans, [{"book_id": lent.id}, {"book_id": kept.id}, {"book_id": lent.id}])

        removed = await enforcing.books.remove_where(Where("title", Operator.EQUALS, "lent"), max_affected=1)

        assert removed == Success(1)
        assert [row.book_id for row in value_of(await enforcing.loans.select(Query())).items] == [kept.id]

    async def test_nothing_goes_when_others_refer_there_too(self, enforcing: Store) -> None:
        book = await add_one(enforcing.books, title="a")
        _ = await add_one(enforcing.loans, book_id=book.id)
        _ = await add_one(enforcing.reviews, book_id=book.id, rating=5)

        assert await enforcing.books.remove(book.id) == Failure(ReferenceBroken("books", ()))
        assert await enforcing.loans.count(Everything()) == Success(1)
        assert await enforcing.books.read(book.id) == Success(book)

    async def test_a_value_that_others_refer_to_stays(self, enforcing: Store) -> None:
        note = await add_one(enforcing.notes, title="a", code="x")
        _ = await add_one(
            enforcing.loans, book_id=(await add_one(enforcing.books, title="a")).id, deposit_id="x"
        )
        refused = Failure(ReferenceBroken("notes", ()))

        assert await enforcing.notes.update(note.id, Patch({"code": "y"})) == refused
        assert await enforcing.notes.update(note.id, Patch({"code": None})) == refused
        assert await enforcing.notes.remove(note.id) == refused
        assert type(await enforcing.notes.update(note.id, Patch({"code": "x", "title": "b"}))) is Success

    async def test_what_is_marked_as_deleted_is_there_to_be_referred_to(self, enforcing: Store) -> None:
        book = await add_one(enforcing.books, title="a")
        before = await add_one(enforcing.reviews, book_id=book.id, rating=1)

        marked = await enforcing.books.update(book.id, Patch({"deleted_at": NOON}))
        after = await enforcing.reviews.add({"book_id": book.id, "rating": 2})

        assert (type(marked), type(after)) == (Success, Success)
        assert await enforcing.reviews.read(before.id) == Success(before)

    async def test_inside_a_unit_of_work_what_was_written_before_counts(self, enforcing: Store) -> None:
        enforcing.require(Capability.TRANSACTIONS)
        kept = await add_one(enforcing.authors, name="kept")

        async with enforcing.unit_of_work() as work:
            authors, books = work.repository("authors"), work.repository("books")
            added = await add_one(authors, name="added")
            _ = await add_one(books, title="a", author_id=added.id)
            _ = value_of(await authors.remove(kept.id))
            refused = await books.add({"title": "b", "author_id": kept.id})
            still_referred_to = await authors.remove(added.id)
            _ = value_of(await books.remove_where(Everything(), max_affected=9))
            removed = await authors.remove(added.id)
            committed = await work.commit()

        assert refused == NO_AUTHOR
        assert still_referred_to == Failure(ReferenceBroken("authors", ()))
        assert (removed, committed) == (Success(None), Success(None))
        assert await enforcing.authors.count(Everything()) == Success(0)

    async def test_of_two_one_who_removes_and_one_who_refers_one_succeeds(self, enforcing: Store) -> None:
        enforcing.require(Capability.TRANSACTIONS)
        ada = await add_one(enforcing.authors, name="Ada")

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            removing = group.create_task(_in_a_unit_of_work(enforcing, "authors", removes=ada.id))
            adding = group.create_task(
                _in_a_unit_of_work(enforcing, "books", adds={"title": "a", "author_id": ada.id})
            )
        outcomes = (removing.result(), adding.result())

        assert outcomes in [
            (Success(None), NO_AUTHOR),
            (Failure(ReferenceBroken("authors", ())), Success(None)),
        ]
        # Either the author and the book exist, or neither.
        assert await enforcing.authors.count(Everything()) == await enforcing.books.count(Everything())


async def _in_a_unit_of_work(
    store: Store, name: str, *, removes: object = None, adds: Mapping[str, object] | None = None
) -> Outcome[None]:
    """Remove or add one entity, take a moment, and commit."""
    async with store.unit_of_work() as work:
        repository = work.repository(name)
        done: Outcome[Any] = await (repository.remove(removes) if adds is None else repository.add(adds))
        await asyncio.sleep(0.01)
        return done if isinstance(done, Failure) else await work.commit()


async def _add_loan(store: Store, book: Row, reader: Row) -> Row:
    return await add_one(store.loans, book_id=book.id, reader_id=reader.id)
