"""What bulk, import and upsert promise: everything accounted for, in order, each change told once."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from dependency_injector import providers
from returns.result import Failure, Success

from fastapi_easy.application import (
    NOBODY,
    ApplyBulk,
    Change,
    Context,
    Create,
    Delete,
    DeleteWhere,
    DryRun,
    ImportEntities,
    ImportReport,
    Update,
    UpdateWhere,
    Upsert,
    UpsertEntity,
)
from fastapi_easy.application.changes.bulk_changes import AllSucceeded
from fastapi_easy.application.resources.streams.import_entities import CHUNK_BYTES, ImportEntitiesHandler
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.errors import (
    AlreadyExists,
    BadQuery,
    DeclarationError,
    Forbidden,
    Invalid,
    NotFound,
    Outcome,
    OutcomeUnknown,
    Stale,
    TooLarge,
    Unavailable,
)
from fastapi_easy.domain.principal import Principal
from fastapi_easy.domain.queries.specification import Everything, Operator, Specification, Where
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.testing.faults import FailingRepository
from fastapi_easy.testing.kernel import in_memory_kernel
from tests.policies import RowPolicy
from tests.unit.application.library import Shelf


def book(isbn: str, **values: Any) -> dict[str, Any]:
    return {"isbn": isbn, "title": f"Book {isbn}", **values}


async def bulk(shelf: Shelf, items: Sequence[Change], *, atomic: bool, context: Context = NOBODY) -> Any:
    return (await shelf.books.bulk(ApplyBulk(items, atomic=atomic), context)).unwrap()


async def isbns(shelf: Shelf) -> list[str]:
    return sorted(row.isbn for row in await shelf.rows("books"))


@pytest.mark.parametrize("atomic", [True, False])
async def test_changes_of_all_kinds_are_made_in_order(atomic: bool) -> None:
    shelf = Shelf()
    items = [
        Create(book("a")),
        Create(book("b")),
        Update(1, Patch({"copies": 4})),
        Upsert(book("b", copies=2)),
        Upsert(book("c")),
        Delete(1),
    ]

    answer = await bulk(shelf, items, atomic=atomic)

    assert answer.applied
    assert [isinstance(each, Success) for each in answer.outcomes] == [True] * 6
    a, b, updated, upserted, made, gone = (each.unwrap() for each in answer.outcomes)
    assert (a.isbn, b.isbn, updated.copies, gone) == ("a", "b", 4, None)
    assert (upserted.created, upserted.row.copies, upserted.row.version) == (False, 2, 2)
    assert (made.created, made.row.isbn) == (True, "c")
    assert await isbns(shelf) == ["b", "c"]
    assert shelf.published() == [
        "books.created 1",
        "books.created 2",
        "books.updated 1",
        "books.updated 2",
        "books.created 3",
        "books.deleted 1",
    ]


async def test_a_failed_item_rolls_back_an_atomic_bulk() -> None:
    shelf = Shelf()
    items = [Create(book("a")), Create(book("b")), Create(book("a")), Create(book("c"))]

    answer = await bulk(shelf, items, atomic=True)

    assert not answer.applied
    assert answer.outcomes == [None, None, Failure(AlreadyExists("books", ("isbn",))), None]
    assert await isbns(shelf) == []
    assert shelf.published() == []


async def test_a_failed_item_leaves_the_others_alone_unless_atomic() -> None:
    shelf = Shelf()
    _ = await shelf.put("books", **book("z"))
    items = [
        Create(book("a")),
        Create(book("a")),
        Delete(7),
        Create(book("b")),
        Update(1, Patch({"isbn": "b"})),
    ]
    taken = AlreadyExists("books", ("isbn",))
    _ = shelf.published()

    answer = await bulk(shelf, items, atomic=False)

    errors = [each.failure() if isinstance(each, Failure) else None for each in answer.outcomes]
    assert errors == [None, taken, NotFound("books", 7), None, taken]
    assert await isbns(shelf) == ["a", "b", "z"]
    created = [each.unwrap().id for each in answer.outcomes if isinstance(each, Success)]
    assert shelf.published() == [f"books.created {key}" for key in created]


async def test_entities_that_match_a_condition_are_changed_one_by_one_with_an_event_each() -> None:
    shelf = Shelf()
    for isbn in "abcd":
        _ = await shelf.put("books", **book(isbn, copies=0 if isbn < "c" else 9))
    few = Where("copies", Operator.LESS, 5)
    _ = shelf.published()

    answer = await bulk(shelf, [UpdateWhere(few, Patch({"copies": 1}), 2), DeleteWhere(few, 2)], atomic=True)

    assert answer.outcomes == [Success(2), Success(2)]
    assert await isbns(shelf) == ["c", "d"]
    assert shelf.published() == [f"books.{verb} {key}" for verb in ("updated", "deleted") for key in (1, 2)]


@pytest.mark.parametrize(
    ("item", "error"),
    [
        pytest.param(
            DeleteWhere(Where("copies", Operator.EQUALS, 0), 2),
            TooLarge("affected", 2, "entities"),
            id="too many",
        ),
        pytest.param(
            DeleteWhere(Everything(), 9),
            BadQuery("where", "Must compare at least one field"),
            id="everything",
        ),
        pytest.param(Update(1, Patch({"copies": 1}), "7"), Stale("books", 1, "1"), id="another version"),
    ],
)
async def test_a_change_of_more_than_max_affected_changes_nothing(item: Change, error: Any) -> None:
    shelf = Shelf()
    for isbn in "abc":
        _ = await shelf.put("books", **book(isbn))

    answer = await bulk(shelf, [item], atomic=False)

    assert answer.outcomes == [Failure(error)]
    assert await isbns(shelf) == ["a", "b", "c"]


async def test_a_dry_run_says_what_would_happen() -> None:
    shelf, run = Shelf(), DryRun()

    answer = await bulk(shelf, [Create(book("a"))], atomic=True, context=Context(dry_run=run))

    assert answer.outcomes[0].unwrap().isbn == "a"
    assert [event.name for event in run.events] == ["books.created"]
    assert await isbns(shelf) == []
    assert shelf.published() == []


async def test_a_store_that_stops_answering_is_asked_no_more() -> None:
    shelf = Shelf()
    gone = Unavailable("default")
    broken: providers.Provider[Any] = providers.Factory(FailingRepository, error=gone)
    with shelf.container.books.repository.override(broken):
        answer = await bulk(shelf, [Create(book("a")), Create(book("b")), Delete(1)], atomic=False)

    assert answer.outcomes == [Failure(gone), None, None]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([Create(book("a"))], id="one"),
        pytest.param([Create(book("a")), Create(book("b"))], id="several creates"),
        pytest.param([Delete(1), Create(book("a"))], id="different ones"),
    ],
)
@pytest.mark.parametrize("error", [Unavailable("default"), OutcomeUnknown("default")])
async def test_an_atomic_bulk_is_unavailable_as_a_whole(items: Sequence[Change], error: Any) -> None:
    shelf = Shelf()
    broken: providers.Provider[Any] = providers.Factory(FailingRepository, error=error)
    with shelf.container.books.repository.override(broken):
        outcome = await shelf.books.bulk(ApplyBulk(items, atomic=True), NOBODY)

    assert outcome == Failure(error)


class TestUpsert:
    async def test_creates_missing_entities_and_updates_existing_ones(self) -> None:
        shelf = Shelf()

        made = (await shelf.books.upsert(UpsertEntity(book("a", copies=1)), NOBODY)).unwrap()
        changed = (await shelf.books.upsert(UpsertEntity(book("a", copies=2)), NOBODY)).unwrap()

        assert (made.created, changed.created) == (True, False)
        assert (changed.row.id, changed.row.copies) == (made.row.id, 2)
        assert shelf.published() == ["books.created 1", "books.updated 1"]

    async def test_does_not_find_what_was_deleted(self) -> None:
        shelf = Shelf()
        _ = await shelf.put("books", **book("a"))
        _ = await bulk(shelf, [Delete(1)], atomic=True)

        made = (await shelf.books.upsert(UpsertEntity(book("a")), NOBODY)).unwrap()

        assert (made.created, made.row.id) == (True, 2)

    @pytest.mark.parametrize("values", [{"title": "t"}, {"isbn": None, "title": "t"}])
    async def test_requires_the_upsert_fields(self, values: Values) -> None:
        refused = await Shelf().books.upsert(UpsertEntity(values), NOBODY)

        assert isinstance(refused, Failure)
        assert isinstance(refused.failure(), Invalid)

    async def test_upsert_without_upsert_by_is_refused(self) -> None:
        shelf = Shelf()
        jane = await shelf.put("authors", name="Jane Austen")

        with pytest.raises(DeclarationError, match="authors: upsert needs the option 'upsert'"):
            await shelf.authors.upsert(UpsertEntity({"name": "Mary Shelley"}), NOBODY)

        assert await shelf.rows("authors") == [jane]


async def lines(*values: Outcome[Values]) -> AsyncIterator[tuple[int, Outcome[Values]]]:
    for number, each in enumerate(values, 1):
        yield number, each


class TestImport:
    async def report(self, shelf: Shelf, *values: Outcome[Values], **options: Any) -> ImportReport:
        return (await shelf.books.import_(ImportEntities(lines(*values), **options), NOBODY)).unwrap()

    async def test_creates_an_entity_from_each_line_and_lists_the_failed_lines(self) -> None:
        shelf, unreadable = Shelf(), Invalid(())

        report = await self.report(
            shelf, Success(book("a")), Failure(unreadable), Success(book("a")), Success(book("b"))
        )

        assert (report.created, report.next_line, report.stopped_by) == (2, 5, None)
        assert report.failed == [(2, unreadable), (3, AlreadyExists("books", ("isbn",)))]
        assert await isbns(shelf) == ["a", "b"]

    async def test_updates_existing_entities_with_upsert(self) -> None:
        shelf = Shelf()
        _ = await shelf.put("books", **book("a"))

        report = await self.report(shelf, Success(book("a", copies=3)), Success(book("b")), upsert=True)

        assert (report.created, report.updated) == (1, 1)

    async def test_stops_after_too_many_failures(self) -> None:
        wrong: Outcome[Values] = Failure(Invalid(()))

        report = await self.report(Shelf(), *[wrong] * 1200, max_failures=499)

        assert (report.too_many_failures, len(report.failed), report.next_line) == (True, 500, 501)

    async def test_reports_the_next_line_when_the_store_becomes_unavailable(self) -> None:
        shelf, gone = Shelf(), Unavailable("default")
        broken: providers.Provider[Any] = providers.Factory(FailingRepository, error=gone)
        with shelf.container.books.repository.override(broken):
            report = await self.report(shelf, Failure(Invalid(())), Success(book("a")), Success(book("b")))

        assert (report.stopped_by, report.next_line, report.created) == (gone, 2, 0)

    async def test_ends_a_chunk_early_when_its_lines_are_long(self) -> None:
        shelf, commits = Shelf(), 0
        make = shelf.container.books.unit_of_work

        def counted() -> Any:
            nonlocal commits
            commits += 1
            return made()

        made = make.provider()
        with shelf.container.books.import_.override(
            providers.Factory(
                ImportEntitiesHandler,
                providers.Factory(
                    dataclasses.replace,
                    shelf.container.books.collaborators,
                    unit_of_work=providers.Object(counted),
                ),
            )
        ):
            report = await self.report(
                shelf, *[Success(book(f"{n}", title="x" * CHUNK_BYTES)) for n in range(3)]
            )

        assert (report.created, commits) == (3, 3)


class FewCopies(RowPolicy):
    """Implements `Policy`: nobody sees a book of which there are many copies."""

    def visible(self, principal: Principal, tenant: str | None, resource: Resource[Any]) -> Specification:
        return Where("copies", Operator.LESS, 5)


async def test_of_several_creates_the_one_the_caller_could_not_see_is_named() -> None:
    shelf = Shelf(policy=FewCopies())
    items = [Create(book("a")), Create(book("b", copies=9)), Create(book("c"))]
    refused = Failure(Forbidden("books", "create"))

    together = await bulk(shelf, items, atomic=True)

    assert (list(together.outcomes), together.applied) == ([None, refused, None], False)
    assert (await isbns(shelf), shelf.published()) == ([], [])

    each = await bulk(shelf, items, atomic=False)

    assert [isinstance(outcome, Failure) for outcome in each.outcomes] == [False, True, False]
    assert each.outcomes[1] == refused
    assert await isbns(shelf) == ["a", "c"]


async def test_several_creates_that_the_caller_sees_all_of_are_made_together() -> None:
    shelf = Shelf(policy=FewCopies())

    answer = await bulk(shelf, [Create(book(str(number))) for number in range(1100)], atomic=True)

    assert isinstance(answer.outcomes, AllSucceeded)
    assert len(shelf.published()) == 1100


@dataclass
class Seat:
    """Has a key of two parts."""

    hall: str = field(metadata={"key": True})
    number: int = field(metadata={"key": True})
    copies: int = 0


class Theatre(Container):
    """Seats in memory."""

    seats = resource(Seat)


@pytest.mark.parametrize(("copies", "worked"), [((1, 2, 3), True), ((1, 2, 9), False)])
async def test_creates_with_keys_of_several_parts_are_looked_for_together(
    copies: Sequence[int], worked: bool
) -> None:
    async with in_memory_kernel(Theatre, policy=FewCopies()) as kernel:
        items = [
            Create({"hall": "ab"[place % 2], "number": place, "copies": each})
            for place, each in enumerate(copies)
        ]
        answer = (await kernel.use_cases("seats").bulk(ApplyBulk(items), NOBODY)).unwrap()

    assert answer.applied == worked
    assert answer.outcomes[2] == Failure(Forbidden("seats", "create")) or worked
