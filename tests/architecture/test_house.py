"""The rules of the house that import-linter cannot say."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import grimp
import pytest

import fastapi_easy

HOUSE = Path(fastapi_easy.__file__).parent
MODULES = sorted(HOUSE.rglob("*.py"))
PERSISTENCE = HOUSE / "infrastructure" / "persistence"

WEB = ("fastapi", "starlette")
DOORS = ("pydantic", "pydantic_settings", "dependency_injector", "structlog", "orjson")
STORES = (
    *("sqlalchemy", "sqlmodel", "tortoise", "aiosqlite", "asyncpg", "psycopg", "aiomysql", "asyncmy"),
    *("pymongo", "bson", "motor"),
)

ORM_ROOMS = {"connection", "mapping", "specification", "repository", "unit_of_work", "errors"}
BORROWED = {
    "memory": ORM_ROOMS - {"mapping"},
    "sqlalchemy": ORM_ROOMS - {"errors"},
    "sqlmodel": {"mapping"},
    "tortoise": {"connection", "mapping", "unit_of_work"},
}
"""The rooms of those who stand on others: memory reads classes as `entities` does, SQLModel's classes are
SQLAlchemy's, and so are Tortoise's statements; `relational` translates the errors of every SQL database."""

DUMPING_GROUNDS = {"utils", "helpers", "common", "core", "base", "misc", "shared"}
LONGEST = 400
"""Lines of a module."""

MOST_FILES = 15
"""Modules of a folder, beside its `__init__`."""

LARGER_FOLDERS = {"fastapi_easy.domain.ports": 42}
"""One Protocol to a file, whatever their number: a port is looked for by its name."""


def dotted(module: Path) -> str:
    parts = module.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_built(module: str) -> bool:
    there = HOUSE.parent.joinpath(*module.split("."))
    return there.with_suffix(".py").exists() or (there / "__init__.py").exists()


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def rooms_of_persistence() -> list[Path]:
    return sorted(folder for folder in PERSISTENCE.glob("*/") if any(folder.glob("*.py")))


def imports_of(module: Path) -> set[str]:
    imported: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return imported


def test_inner_layers_import_only_the_allowed_packages() -> None:
    graph = grimp.build_graph("fastapi_easy", include_external_packages=True, cache_dir=None)
    inner = {
        module
        for layer in ("fastapi_easy.domain", "fastapi_easy.application")
        for module in (layer, *graph.find_descendants(layer))
    }

    imported = {name for module in inner for name in graph.find_modules_directly_imported_by(module)}

    outside = {name for name in imported if not name.startswith("fastapi_easy.")}
    assert outside - sys.stdlib_module_names <= {"returns", "typing_extensions"}


@pytest.mark.parametrize(
    ("entrance", "unneeded"),
    [
        pytest.param("fastapi_easy", (*WEB, *DOORS, *STORES, "returns", "typer"), id="the house"),
        pytest.param("fastapi_easy.domain", (*WEB, *DOORS, *STORES, "typer"), id="the domain"),
        pytest.param("fastapi_easy.application", (*WEB, *DOORS, *STORES, "typer"), id="the application"),
        pytest.param("fastapi_easy.application.kernel", (*WEB, *DOORS, *STORES, "typer"), id="the kernel"),
        pytest.param(
            "fastapi_easy.interfaces.cli.app",
            (*WEB, "pydantic", "dependency_injector", *STORES),
            id="the command line",
        ),
        pytest.param(
            "fastapi_easy.bootstrap",
            (*STORES, "typer", "fastapi_easy.interfaces.http.openapi.document"),
            id="the application of a worker",
        ),
    ],
)
def test_an_entrance_brings_in_only_what_it_needs(entrance: str, unneeded: tuple[str, ...]) -> None:
    if not is_built(entrance):
        pytest.skip(f"{entrance} is not built yet")
    look_around = f"import sys, {entrance}; print(*(name for name in {unneeded!r} if name in sys.modules))"

    seen = subprocess.run([sys.executable, "-c", look_around], capture_output=True, text=True, check=False)

    assert (seen.stdout.split(), seen.stderr, seen.returncode) == ([], "", 0)


def test_a_module_fits_on_a_few_screens() -> None:
    lines = {dotted(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}

    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_a_folder_can_be_read_at_a_glance() -> None:
    files = Counter(dotted(module).rpartition(".")[0] for module in MODULES if module.name != "__init__.py")

    assert {name: count for name, count in files.items() if count > MOST_FILES} == LARGER_FOLDERS


def test_no_room_is_a_dumping_ground() -> None:
    assert [name for name in map(dotted, MODULES) if DUMPING_GROUNDS & set(name.split("."))] == []


def test_every_orm_has_the_same_rooms() -> None:
    missing = {
        folder.name: needed - {module.stem for module in folder.rglob("*.py")}
        for folder in rooms_of_persistence()
        for needed in [BORROWED.get(folder.name, ORM_ROOMS)]
    }

    assert {name: stems for name, stems in missing.items() if stems} == {}


def test_every_module_says_what_it_holds() -> None:
    silent = [
        dotted(module)
        for module in MODULES
        if not ast.get_docstring(tree := tree_of(module)) and (tree.body or module.name != "__init__.py")
    ]

    assert silent == []


def test_an_import_for_types_is_an_import() -> None:
    # It imports its types when it is called (ADR 95).
    known = ["fastapi_easy.bootstrap"]

    assert [dotted(module) for module in MODULES if "TYPE_CHECKING" in module.read_text("utf-8")] == known


def test_nobody_mocks() -> None:
    assert [dotted(module) for module in MODULES if "unittest.mock" in imports_of(module)] == []


def test_nothing_behaves_otherwise_under_test() -> None:
    aware = [
        dotted(module)
        for module in MODULES
        if "testing" not in module.relative_to(HOUSE).parts and "pytest" in module.read_text("utf-8").lower()
    ]

    assert aware == []


def test_only_the_testing_kit_knows_pytest() -> None:
    elsewhere = [module for module in MODULES if not module.is_relative_to(HOUSE / "testing")]

    assert [dotted(each) for each in elsewhere if "pytest" in each.read_text(encoding="utf-8").lower()] == []
