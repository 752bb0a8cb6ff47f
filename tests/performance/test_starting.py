"""The rooms can be entered alone, and with little work."""

from pathlib import Path
from typing import Any

import pytest

from tests.performance.programs import measured

MODULES = 340
"""Imported with the application layer, those of the standard library among them; 332 were counted."""

IMPORT = 240_000
"""Calls of its import; 225,424 were counted."""

BOOKSHOP = 1_600_000
"""Calls from the first import to the end of the start; 1,494,158 were counted."""

COMPARING = 2_000_000
"""The same of the second start, which compares once and begins the ledger; 1,848,396 were counted."""

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
