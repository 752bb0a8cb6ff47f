"""Which tables an answer depends on is read from the classes, whatever maps them."""

from pathlib import Path
from typing import Any

from dependency_injector import providers

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.settings import Settings
from tests.e2e.cached_library import CountingCache
from tests.e2e.cached_tables import Shelves, Tags


def made(kind: Any, folder: Path, cache: CountingCache) -> Any:
    settings = Settings.model_validate({"databases": {"default": {"url": f"sqlite:///{folder / 'a.db'}"}}})
    return kind(settings=settings, result_cache=providers.Object(cache))


async def test_rows_of_an_association_table_and_of_another_resource_of_the_table_end_answers(
    tmp_path: Path,
) -> None:
    cache = CountingCache()
    async with open_kernel(made(Tags, tmp_path, cache)) as kernel:
        shop: Any = kernel
        _ = (await shop.archive.create({"title": "Emma"})).unwrap()
        _ = (await shop.tags.create({"name": "old"})).unwrap()

        async def tags() -> list[tuple[str, list[str]]]:
            page = (await shop.books.list(include="tags")).unwrap()
            return [(row["title"], [tag["name"] for tag in row["tags"]]) for row in page.items]

        assert [await tags() for _ in range(2)] == [[("Emma", [])]] * 2
        _ = (await shop.links.create({"book_id": 1, "tag_id": 1})).unwrap()
        assert await tags() == [("Emma", ["old"])]
        _ = (await shop.archive.update(1, {"title": "Emma again"})).unwrap()
        assert await tags() == [("Emma again", ["old"])]
        _ = (await shop.books.delete(1)).unwrap()
        assert await tags() == []

    assert cache.hits == 1


async def test_models_of_tortoise_end_answers_also_where_the_database_deletes(tmp_path: Path) -> None:
    cache = CountingCache()
    async with open_kernel(made(Shelves, tmp_path, cache)) as kernel:
        shop: Any = kernel
        _ = (await shop.shelves.create({"name": "upper"})).unwrap()
        _ = (await shop.volumes.create({"title": "One", "shelf_id": 1})).unwrap()
        assert [len((await shop.volumes.list()).unwrap().items) for _ in range(2)] == [1, 1]

        _ = (await shop.shelves.delete(1)).unwrap()

        assert (await shop.volumes.list()).unwrap().items == []
    assert cache.hits == 1
