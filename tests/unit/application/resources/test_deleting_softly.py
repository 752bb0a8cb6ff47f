"""What a resource with `soft_delete` promises: gone for everybody, and back when asked for."""

import pytest
from returns.result import Failure, Success

from fastapi_easy.application import (
    NOBODY,
    CountEntities,
    DeleteEntity,
    GetEntity,
    PurgeEntity,
    RestoreEntity,
)
from fastapi_easy.domain.errors import AlreadyExists, DeclarationError, NotFound, Stale
from tests.unit.application.library import Shelf


async def shelf_with_a_deleted_book() -> Shelf:
    shelf = Shelf()
    author = await shelf.put("authors", name="Ada")
    _ = await shelf.put("books", isbn="a", title="A", author_id=author.id)
    _ = await shelf.books.delete(DeleteEntity(1), NOBODY)
    _ = shelf.published()
    return shelf


async def test_a_deleted_entity_is_not_found() -> None:
    shelf = await shelf_with_a_deleted_book()

    assert await shelf.books.get(GetEntity(1), NOBODY) == Failure(NotFound("books", 1))
    assert await shelf.rows("books") == []
    assert (await shelf.books.count(CountEntities(), NOBODY)).unwrap() == 0
    assert await shelf.books.delete(DeleteEntity(1), NOBODY) == Failure(NotFound("books", 1))
    assert await shelf.rows("authors", ("books__isnull", "false")) == []
    (author,) = await shelf.rows("authors", ("include", "books"))
    assert author.books == []


async def test_a_deleted_entity_can_be_restored() -> None:
    shelf = await shelf_with_a_deleted_book()

    restored = (await shelf.books.restore(RestoreEntity(1), NOBODY)).unwrap()

    assert (restored.isbn, restored.deleted_at) == ("a", None)
    assert shelf.published() == ["books.restored 1"]
    assert (await shelf.books.get(GetEntity(1), NOBODY)).unwrap() == restored
    assert await shelf.books.restore(RestoreEntity(1), NOBODY) == Failure(NotFound("books", 1))


async def test_its_unique_values_are_free_and_may_be_taken_when_it_comes_back() -> None:
    shelf = await shelf_with_a_deleted_book()
    _ = await shelf.put("books", isbn="a", title="Another")

    restored = await shelf.books.restore(RestoreEntity(1), NOBODY)

    assert restored == Failure(AlreadyExists("books", ("isbn",)))


async def test_a_purged_entity_is_gone_for_good() -> None:
    shelf = await shelf_with_a_deleted_book()

    assert await shelf.books.purge(PurgeEntity(1), NOBODY) is not None
    assert shelf.published() == ["books.purged 1"]
    assert await shelf.books.restore(RestoreEntity(1), NOBODY) == Failure(NotFound("books", 1))


async def test_a_deleted_entity_has_a_version_that_must_match_if_given() -> None:
    shelf = await shelf_with_a_deleted_book()
    stale = Failure(Stale("books", 1, "2"))

    assert await shelf.books.restore(RestoreEntity(1, "1"), NOBODY) == stale
    assert await shelf.books.purge(PurgeEntity(1, "1"), NOBODY) == stale
    assert shelf.published() == []
    assert (await shelf.books.restore(RestoreEntity(1, "2"), NOBODY)).unwrap().version == 3
    _ = await shelf.books.delete(DeleteEntity(1), NOBODY)
    assert await shelf.books.purge(PurgeEntity(1, "4"), NOBODY) == Success(None)


async def test_only_what_is_deleted_can_be_purged() -> None:
    shelf = Shelf()
    _ = await shelf.put("books", isbn="a", title="A")

    assert await shelf.books.purge(PurgeEntity(1), NOBODY) == Failure(NotFound("books", 1))


async def test_nothing_is_purged_or_restored_where_nothing_is_marked() -> None:
    shelf = Shelf()
    ada = await shelf.put("authors", name="Ada")

    with pytest.raises(DeclarationError, match="authors: purge needs the option 'soft_delete'"):
        await shelf.authors.purge(PurgeEntity(ada.id), NOBODY)
    with pytest.raises(DeclarationError, match="authors: restore needs the option 'soft_delete'"):
        await shelf.authors.restore(RestoreEntity(ada.id), NOBODY)

    assert await shelf.rows("authors") == [ada]
