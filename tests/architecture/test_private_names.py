"""Names that libraries keep to themselves: in one file for each library, which says so, or nowhere.

What is private begins with an underscore, or stands in `UNDOCUMENTED`. Where nothing can stand in for a name that is
gone, `pyproject.toml` has a cap on the version.
"""

import ast
import functools
import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import fastapi_easy

HOUSE = Path(fastapi_easy.__file__).parent
MODULES = [module for module in sorted(HOUSE.rglob("*.py")) if module.name != "__main__.py"]
PROJECT = HOUSE.parents[1] / "pyproject.toml"

FILES = {
    "fastapi_internals": {"fastapi"},
    "sqlalchemy_internals": {"sqlalchemy"},
    "driver_internals": {"asyncpg", "asyncmy", "aiomysql"},
    "pydantic_internals": {"pydantic"},
    "tortoise_internals": {"tortoise"},
    "pymongo_internals": {"pymongo"},
    "redis_internals": {"redis"},
    "aiokafka_internals": {"aiokafka"},
}
"""The files that may use private names, and whose."""

UNDOCUMENTED = {
    "fastapi.dependencies.models",
    "fastapi.dependencies.utils",
    "pymongo.helpers_shared",
    "pymongo.message",
    "sqlalchemy.util",
}
"""Modules without an underscore that their libraries do not document."""

HOOKS = {"_provide", "_copy_overridings"}
"""What dependency-injector's documentation has providers of one's own define and call."""

CAPPED = {
    "sqlalchemy": "<2.2",
    "tortoise-orm": "<1.2",
    "pydantic": "<3",
    "aiomysql": "<0.4",
    "asyncmy": "<0.3",
    "pymongo": "<5",
    "redis": "<9",
    "aiokafka": "<0.15",
    "pymysql": "<1.3",
}
"""Where a version that lacks a name would break an app. The last one is what aiomysql stands on."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


@functools.cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def place(module: Path, node: ast.AST, name: str) -> str:
    return f"{module.relative_to(HOUSE)}:{getattr(node, 'lineno', 0)}: {name}"


def own_names(tree: ast.Module) -> set[str]:
    """The private names that a module defines: its functions, classes, slots, and the attributes it sets."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                found.add(name)
    return found


def standard_names(tree: ast.Module) -> set[str]:
    """What a module calls the modules of the standard library that it imports."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] in sys.stdlib_module_names
    }


def is_ours(receiver: ast.expr, standard: set[str]) -> bool:
    match receiver:
        case ast.Name(id=name):
            return name in {"self", "cls"} | standard
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False


OWN = set().union(*(own_names(tree_of(module)) for module in MODULES))
"""The private names of the whole house."""


def private_attributes(module: Path) -> Iterator[tuple[ast.AST, str]]:
    """The private attributes of others that *module* reads, also by `getattr`."""
    tree = tree_of(module)
    own, standard = own_names(tree), standard_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=receiver, attr=name) if is_private(name):
                if name not in own and not is_ours(receiver, standard):
                    yield node, name
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                if is_private(name) and name not in OWN:
                    yield node, name


def private_imports(module: Path) -> Iterator[tuple[ast.AST, str]]:
    """The private names and the undocumented modules that *module* imports."""
    for node in ast.walk(tree_of(module)):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(source), names=aliases):
                names = [f"{source}.{alias.name}" for alias in aliases]
            case _:
                continue
        for name in names:
            parts = name.split(".")
            if parts[0] in {"fastapi_easy", "__future__"} | sys.stdlib_module_names:
                continue
            if any(map(is_private, parts)) or any(f"{name}.".startswith(f"{each}.") for each in UNDOCUMENTED):
                yield node, name


def module_name(module: Path) -> str:
    parts = module.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def strangers(cls: type) -> list[type]:
    """The classes of others that *cls* stands on."""
    return [
        base
        for base in cls.__mro__[1:]
        if base.__module__.partition(".")[0] not in sys.stdlib_module_names | {"fastapi_easy"}
    ]


@functools.cache
def source_of(thing: object) -> str:
    try:
        return inspect.getsource(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""  # compiled


def inherited(module: Path) -> Iterator[tuple[ast.AST, str]]:
    """The private names of others' classes that their subclasses in *module* define or use."""
    loaded = importlib.import_module(module_name(module))
    for node in ast.walk(tree_of(module)):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = strangers(cls) if isinstance(cls := getattr(loaded, node.name, None), type) else []
        used = {
            each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute) and is_private(each.attr)
        }
        used |= {name for name in own_names(ast.Module(node.body, [])) if is_private(name)}
        texts = "".join(map(source_of, bases))
        for name in sorted(used - HOOKS):
            if (
                any(name in vars(base) for base in bases)
                or f"self.{name} " in texts
                or f"self.{name}:" in texts
            ):
                yield node, name


def test_private_names_of_libraries_stand_in_their_files_only() -> None:
    found = [
        place(module, node, name)
        for module in MODULES
        if module.stem not in FILES
        for node, name in (*private_attributes(module), *private_imports(module), *inherited(module))
    ]

    assert found == []


def test_there_is_one_file_for_each_library() -> None:
    there = [module.stem for module in MODULES if module.stem.endswith("_internals")]

    assert sorted(there) == sorted(FILES)


@pytest.mark.parametrize(
    "module", [each for each in MODULES if each.stem in FILES], ids=lambda each: each.stem
)
def test_each_private_name_is_spoken_of_where_it_is_used(module: Path) -> None:
    """What it is for, since when it is known, and what happens when it is gone, is for the reader to judge."""
    written = {
        node.value
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    prose = " ".join(text for text in written if " " in text)

    used = {name.rpartition(".")[2] for _, name in (*private_attributes(module), *private_imports(module))}
    used |= {text for text in written if is_private(text) and text.isidentifier()}

    assert used
    assert [name for name in sorted(used) if f"{name}`" not in prose] == []


def requirements() -> dict[str, list[Requirement]]:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    found: dict[str, list[Requirement]] = {}
    for text in (*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())):
        requirement = Requirement(text)
        found.setdefault(requirement.name, []).append(requirement)
    return found


@pytest.mark.parametrize(("library", "cap"), CAPPED.items())
def test_what_nothing_can_stand_in_for_has_a_cap(library: str, cap: str) -> None:
    asked = requirements()[library]

    assert asked
    assert [str(each) for each in asked if cap not in map(str, each.specifier)] == []


def test_a_private_name_is_found(tmp_path: Path) -> None:
    """The net above has no holes of this size."""
    module = tmp_path / "module.py"
    module.write_text(
        "import sys\nimport fastapi.telemetry._api\nfrom sqlalchemy.types import _Binary, String\n"
        "from sqlalchemy.util import greenlet_spawn\nfrom lib import name\n"
        "class Mine:\n    def __init__(self): self._own = 1\n    def same(self, other): return other._own\n"
        "def read(thing): return thing._secret, getattr(thing, '_well_hidden', None), sys._getframe()\n",
        encoding="utf-8",
    )

    assert {name for _, name in private_attributes(module)} == {"_secret", "_well_hidden"}
    assert {name for _, name in private_imports(module)} == {
        "fastapi.telemetry._api",
        "sqlalchemy.types._Binary",
        "sqlalchemy.util.greenlet_spawn",
    }
