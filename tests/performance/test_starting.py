"""The rooms can be entered alone, and with little work."""

from pathlib import Path
from typing import Any

import pytest

from tests.performance.programs import measured

MODULES = 341
"""Imported with the application layer, those of the standard library among them; 332 were counted."""

IMPORT = 240_000
"""Calls of its import; 225,424 were counted."""

BOOKSHOP = 1_600_000
"""Calls from the first import to the end of the start; 1,494,158 were counted."""

COMPARING = 1_850_000
"""The same of the second start, which compares once and begins the ledger; 1,732,489 were counted."""

RESOURCE = (19_000, 30_000, 18_000)
"""Calls of one more resource in a first start on SQLite, in the next one, which begins the ledger, and in the others.

16,946, 27,772 and 16,290 were counted, with what SQLAlchemy takes for a class.
"""

IMPORTING = """
import json, sys
there = set(sys.modules)
from tests.counted_calls import counted_calls
with counted_calls() as counted:
    import fastapi_easy.application
modules = sorted(set(sys.modules) - there)
print(json.dumps({"calls": counted.calls, "modules": modules}))
"""

STARTING = """
import asyncio, json
from tests.counted_calls import counted_calls

async def main():
    with counted_calls() as counted:
        from examples.bookshop.app import app
        context = app.router.lifespan_context(app)
        await context.__aenter__()
    await context.__aexit__(None, None, None)
    return counted.calls

print(json.dumps({"calls": asyncio.run(main())}))
"""


MANY = """
import asyncio, json, sys
from benchmarks.inside.document import tables
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.counted_calls import counted_calls

async def start(url, count):
    classes = {f"t{number}": resource(each) for number, each in enumerate(tables(count))}
    settings = Settings.model_validate({"databases": {"default": {"url": url}}})
    with counted_calls() as counted:
        app = create_app(type("Shop", (Container,), classes)(settings=settings))
        context = app.router.lifespan_context(app)
        await context.__aenter__()
    await context.__aexit__(None, None, None)
    return counted.calls

async def main(folder):
    found = {count: [await start(f"sqlite:///{folder}/{count}", count) for _ in range(3)] for count in (2, 5, 20)}
    return [(after - before) / 15 for before, after in zip(found[5], found[20])]

print(json.dumps(asyncio.run(main(sys.argv[1]))))
"""


@pytest.fixture(scope="module")
def imported() -> Any:
    # What is compiled for the first time takes other calls.
    return [measured("-c", IMPORTING) for _ in range(2)][-1]


@pytest.mark.parametrize(
    "stranger", ["fastapi", "starlette", "pydantic", "sqlalchemy", "dependency_injector"]
)
def test_the_application_layer_brings_no_framework(imported: Any, stranger: str) -> None:
    assert stranger not in {name.partition(".")[0] for name in imported["modules"]}


def test_the_application_layer_is_imported_with_no_more_calls_than_its_budget(imported: Any) -> None:
    print(f"\n{imported['calls']} calls, {len(imported['modules'])} modules")

    assert len(imported["modules"]) <= MODULES
    assert imported["calls"] <= IMPORT


def test_the_bookshop_starts_with_no_more_calls_than_its_budget(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    # The first start fills the shop.
    first, comparing, again = (measured("-c", STARTING, url=url)["calls"] for _ in range(3))
    print(f"\n{first} calls, {comparing}, then {again}")

    assert comparing <= COMPARING
    assert again <= BOOKSHOP


def test_one_more_resource_starts_with_no_more_calls_than_its_budget(tmp_path: Path) -> None:
    each = measured("-c", MANY, str(tmp_path))
    print(f"\n{[*map(round, each)]} calls for a resource")

    assert all(calls <= budget for calls, budget in zip(each, RESOURCE, strict=True))
