"""The rooms can be entered alone, and with little work."""

from pathlib import Path
from typing import Any

import pytest

from tests.performance.programs import measured

MODULES = 345
"""Imported with the application layer, those of the standard library among them; 339 were counted."""

IMPORT = 246_000
"""Calls of its import; 232,475 were counted."""

BOOKSHOP = 1_490_000
"""Calls from the first import to the end of the start; 1,387,441 were counted."""

COMPARING = 1_740_000
"""The same of the second start, which compares once and begins the ledger; 1,627,492 were counted."""

RESOURCE = (17_000, 28_500, 16_500)
"""Calls of one more resource in a first start on SQLite, in the next one, which begins the ledger, and in the others.

15,355, 26,212 and 14,679 were counted, with what SQLAlchemy takes for a class.
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


LOADED = """
import json, sys
{statements}
print(json.dumps(sorted(sys.modules)))
"""
"""What a program has imported when it has done *statements*."""

README = """
import asyncio
from decimal import Decimal
from sqlmodel import Field, SQLModel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from benchmarks.inside.calling import call

class Book(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(min_length=1, max_length=200, index=True)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)

class Shop(Container):
    books = resource(Book)

async def main():
    app = create_app(Shop())
    async with app.router.lifespan_context(app):
        made = await call(app, "POST", "/books", b'{"title": "Emma", "price": "9.50"}')
        listed = await call(app, "GET", "/books?price__lt=10")
        assert (made[0], listed[0]) == (201, 200), (made, listed)

asyncio.run(main())
"""

OF_OTHERS = (
    "alembic", "argon2", "casbin", "cryptography", "faststream", "httpcore2", "httpx2", "itsdangerous", "jwt",
    "limits", "motor", "opentelemetry.sdk", "prometheus_client", "pymongo", "redis", "rich", "tenacity", "tortoise",
    "asyncpg", "psycopg", "aiomysql", "asyncmy", "structlog",
)  # fmt: skip
"""Libraries that the program of the README, on SQLite, has no use for."""

OURS = (
    "application.migrations.execution", "application.migrations.planning", "command_line", "composition.caching.wiring",
    "composition.schemas.migrations", "domain.migrations.rules", "domain.policies.rule_policy",
    "infrastructure.audit", "infrastructure.authentication.jwt", "infrastructure.brokers", "infrastructure.caching",
    "infrastructure.idempotency", "infrastructure.migrations.mongo",
    "infrastructure.migrations.relational.compiling.steps",
    "infrastructure.migrations.relational.statistics",
    "infrastructure.outbox", "infrastructure.persistence.memory",
    "infrastructure.persistence.mongo", "infrastructure.persistence.tortoise", "infrastructure.rate_limits",
    "infrastructure.webhooks", "interfaces.cli", "interfaces.messaging", "testing",
)  # fmt: skip
"""Rooms of ours that it has no use for."""

README_MODULES = 800
"""Modules of ours that it imports; 783 were counted."""

HELP = 95
"""Modules of ours behind `fastapi-easy --help`; 91 were counted."""


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


def loaded(statements: str, url: str = "") -> list[str]:
    """The modules that *statements* import."""
    modules: list[str] = measured("-c", LOADED.format(statements=statements), url=url)
    return modules


def within(modules: list[str], *rooms: str) -> list[str]:
    """Those of *modules* that are one of *rooms*, or in one."""
    return [each for each in modules if any(each == room or each.startswith(f"{room}.") for room in rooms)]


def test_the_bootstrap_takes_no_longer_to_import_than_fastapi() -> None:
    alone = loaded("import fastapi")

    more = set(loaded("import fastapi_easy.bootstrap")) - set(alone)

    assert more == {"fastapi_easy", "fastapi_easy.bootstrap"}


@pytest.mark.parametrize("start", ["first", "third"])
def test_a_plain_program_imports_what_it_uses(start: str, plain_starts: dict[str, list[str]]) -> None:
    modules = plain_starts[start]
    ours = within(modules, "fastapi_easy")
    print(f"\n{len(ours)} modules of ours")

    assert within(modules, "typer", *OF_OTHERS) == []
    assert within(modules, *(f"fastapi_easy.{each}" for each in OURS)) == []
    assert len(ours) <= README_MODULES


@pytest.fixture(scope="module")
def plain_starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('plain') / 'shop.sqlite3'}"
    # The second start on a database compares, and begins the ledger.
    return {start: loaded(README, url) for start in ("first", "second", "third")}


def test_help_imports_the_command_line_alone() -> None:
    modules = loaded(
        "sys.argv = ['fastapi-easy', '--help']\n"
        "import contextlib, io\n"
        "from fastapi_easy.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()"
    )
    ours = within(modules, "fastapi_easy")
    print(f"\n{len(ours)} modules of ours")

    web = ("fastapi", "starlette", "pydantic", "sqlalchemy", "dependency_injector")
    assert within(modules, *web, *OF_OTHERS) == []
    assert {"typer", "fastapi_easy.interfaces.cli.app"} <= set(modules)
    assert len(ours) <= HELP
