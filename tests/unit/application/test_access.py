"""What a policy hides is not there, whichever door is tried."""

from typing import Any

from returns.result import Failure

from fastapi_easy.application import (
    NOBODY,
    AggregateEntities,
    CountEntities,
    CreateEntity,
    DeleteEntity,
    ExportEntities,
    GetEntity,
    ListEntities,
    UpdateEntity,
)
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Forbidden, NotFound
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Specification, Where
from fastapi_easy.domain.resources.resource import Resource
from tests.policies import RowPolicy
from tests.unit.application.library import Shelf


class OnlyFrench(RowPolicy):
    """Implements `Policy`: shows French authors, books with copies, and every review."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        rules: dict[str, Specification] = {
            "authors": Where("country", Operator.EQUALS, "FR"),
            "books": Where("copies", Operator.GREATER, 0),
        }
        return rules.get(resource.name, Everything())


async def shelf() -> Shelf:
    filled = Shelf()
    for number, country in enumerate(("FR", "DE"), 1):
        _ = await filled.put("authors", name=f"Author {number}", country=country)
        _ = await filled.put("books", isbn=f"{number}", title=country, author_id=number, copies=1)
        _ = await filled.put("books", isbn=f"{number}0", title=country, author_id=number, copies=0)
        _ = await filled.put("reviews", book_id=2 * number - 1, stars=number)
        _ = await filled.put("reviews", book_id=2 * number, stars=number)
    filled.container.policy.override(OnlyFrench())
    return filled


async def test_reads_show_only_what_is_visible() -> None:
    filled = await shelf()

    assert [row.id for row in await filled.rows("authors")] == [1]
    assert await filled.authors.get(GetEntity(2), NOBODY) == Failure(NotFound("authors", 2))
    assert (await filled.books.count(CountEntities(), NOBODY)).unwrap() == 2
    counted = AggregateEntities(Aggregation(measures=(Measure(Function.SUM, "copies"),)))
    assert (await filled.books.aggregate(counted, NOBODY)).unwrap()[0].totals == (2,)
    exported = (await filled.books.export(ExportEntities(Query()), NOBODY)).unwrap()
    assert [row.id async for rows in exported for row in rows] == [1, 3]


async def test_relations_lead_only_to_what_is_visible() -> None:
    filled = await shelf()

    books = await filled.rows("books", ("include", "author,reviews"))
    assert [(row.id, row.author and row.author.name) for row in books] == [(1, "Author 1"), (3, None)]
    (author,) = await filled.rows("authors", ("include", "books"))
    assert [row.id for row in author.books] == [1]
    assert await filled.rows("books", ("author.country", "DE")) == []
    assert [row.id for row in await filled.rows("reviews", ("book.author__isnull", "false"))] == [1]


async def test_an_order_that_would_disclose_hidden_values_is_refused() -> None:
    filled = await shelf()
    query = filled.books.queries.from_parameters([("sort", "author.name")]).unwrap()

    refused = await filled.books.list(ListEntities(query), NOBODY)

    assert refused == Failure(Forbidden("authors", "list", "author.name"))


async def test_nothing_hidden_is_changed() -> None:
    filled = await shelf()

    missing = Failure(NotFound("books", 2))
    assert await filled.books.update(UpdateEntity(2, Patch({"title": "x"})), NOBODY) == missing
    assert await filled.books.delete(DeleteEntity(2), NOBODY) == missing


async def test_a_write_that_hides_the_entity_from_its_caller_is_refused() -> None:
    filled = await shelf()
    _ = filled.published()

    hidden = CreateEntity({"isbn": "x", "title": "x", "copies": 0})
    assert await filled.books.create(hidden, NOBODY) == Failure(Forbidden("books", "create"))
    moved = UpdateEntity(1, Patch({"copies": 0}))
    assert await filled.books.update(moved, NOBODY) == Failure(Forbidden("books", "update"))
    assert (await filled.books.count(CountEntities(), NOBODY)).unwrap() == 2
    assert filled.published() == []
