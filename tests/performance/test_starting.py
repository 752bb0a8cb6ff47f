"""The rooms can be entered alone, and nobody waits long at the door."""

from pathlib import Path
from typing import Any

import pytest

from tests.performance.programs import measured

MODULES = 260
"""Imported with the application layer, those of the standard library among them; 231 to 254 were counted."""

IMPORT = 480
"""CPU time of its import in units of `tests.performance.units`; 308 were measured, which were 0.14 s."""

BOOKSHOP = 2_200
"""CPU time from the first import to the end of the start, in such units; these were 1.0 s."""

IMPORTING = """
import json, sys, time
there = set(sys.modules)
begun = time.process_time()
import fastapi_easy.application
seconds = time.process_time() - begun
modules = sorted(set(sys.modules) - there)
from tests.performance.units import unit
units = seconds / min(unit() for _ in range(20))
print(json.dumps({"seconds": seconds, "units": units, "modules": modules}))
"""

STARTING = """
import asyncio, json, time
begun = time.process_time()

async def main():
    from examples.bookshop.app import app
    async with app.router.lifespan_context(app):
        return time.process_time() - begun

seconds = asyncio.run(main())
from tests.performance.units import unit
print(json.dumps({"seconds": seconds, "units": seconds / min(unit() for _ in range(20))}))
"""


@pytest.fixture(scope="module")
def imports() -> Any:
    return [measured("-c", IMPORTING) for _ in range(3)]


@pytest.mark.parametrize(
    "stranger", ["fastapi", "starlette", "pydantic", "sqlalchemy", "dependency_injector"]
)
def test_the_application_layer_brings_no_framework(imports: Any, stranger: str) -> None:
    assert stranger not in {name.partition(".")[0] for name in imports[0]["modules"]}


def test_the_application_layer_is_imported_quickly(imports: Any) -> None:
    least = min(imports, key=lambda each: each["units"])
    print(f"\n{least['seconds']:.3f} s, {least['units']:.0f} units, {len(least['modules'])} modules")

    assert len(least["modules"]) <= MODULES
    assert least["units"] <= IMPORT


def test_the_bookshop_starts_quickly(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    # The first start fills the shop.
    first, *others = (measured("-c", STARTING, url=url) for _ in range(4))
    again = min(others, key=lambda each: each["units"])
    print(f"\n{first['seconds']:.2f} s, then {again['seconds']:.2f} s, which are {again['units']:.0f} units")

    assert again["units"] <= BOOKSHOP
