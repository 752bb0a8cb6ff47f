"""What mypy knows of the ports: entities keep their class on the way. Checked, never executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_type

from fastapi_easy.domain import (
    Error,
    Everything,
    Failure,
    Outcome,
    Page,
    Patch,
    Query,
    Resource,
    Row,
    Success,
)
from fastapi_easy.domain.ports import Database, EntityRepository, EventBus, Repository, UnitOfWork, Validator
from fastapi_easy.infrastructure.persistence.memory import MemoryRepository, MemoryUnitOfWork
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.repository import MongoRepository
from fastapi_easy.infrastructure.persistence.mongo.unit_of_work import MongoUnitOfWork
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.testing import FailingRepository, RecordingEventBus


@dataclass
class Book:
    """An entity of a user's own."""

    id: int
    title: str


async def entities_keep_their_class(books: EntityRepository[Book]) -> None:
    assert_type(await books.find_by_id(1), Success[Book] | Failure[Error])
    assert_type(await books.find_all(Query()), Success[Page[Book]] | Failure[Error])
    assert_type(await books.save(Book(1, "Emma")), Outcome[Book])


async def rows_are_rows_whatever_the_entity(books: Repository[Book]) -> None:
    assert_type(await books.read(1, ("title",)), Outcome[Row])
    assert_type(await books.select(Query()), Outcome[Page[Row]])
    assert_type(await books.add({"title": "Emma"}), Outcome[Row])
    assert_type(await books.add_all([{"title": "Emma"}]), Outcome[Sequence[Row]])
    assert_type(await books.update(1, Patch({"title": "Emma"})), Outcome[Row])
    assert_type(await books.remove(1), Outcome[None])
    assert_type(await books.count(Everything()), Outcome[int])
    async for rows in books.stream(Query()):
        assert_type(rows, Sequence[Row])


async def another_class_is_a_type_error(books: EntityRepository[Book]) -> None:
    _ = await books.save("Emma")  # type: ignore[arg-type]


async def a_page_tells_what_it_holds(books: EntityRepository[Book]) -> Sequence[str]:
    found = await books.find_all(Query())
    if isinstance(found, Failure):
        return ()
    page = assert_type(found.unwrap(), Page[Book])
    assert_type(page.items, Sequence[Book])
    assert_type(page.total, int | None)
    return [assert_type(book.title, str) for book in page.items]


def a_page_of_a_kind_is_a_page_of_its_parent(page: Page[Row]) -> Page[dict[str, Any]]:
    return page


def a_row_is_read_like_an_object_or_a_mapping(row: Row) -> None:
    assert_type(row.title, Any)
    assert_type(row["title"], Any)


async def a_unit_of_work_is_itself_when_entered(work: MemoryUnitOfWork) -> None:
    async with work as entered:
        assert_type(entered, MemoryUnitOfWork)
        assert_type(entered.repository("books"), Repository[Any])
        assert_type(await entered.commit(), Outcome[None])


def adapters_are_what_their_port_says(
    books: MemoryRepository[Book], work: MemoryUnitOfWork
) -> tuple[Repository[Book], Repository[Any], UnitOfWork, EventBus]:
    return books, FailingRepository(), work, RecordingEventBus()


def those_of_mongodb_too(
    books: MongoRepository[Book], work: MongoUnitOfWork, database: MongoDatabase
) -> tuple[Repository[Book], UnitOfWork, Database]:
    return books, work, database


def pydantic_can_stand_behind_the_validator(books: Resource[Book]) -> Validator:
    return PydanticValidator(books)
