"""Who owes a docstring: every public name of the rooms that people build on."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import fastapi_easy

HOUSE = Path(fastapi_easy.__file__).parent
ROOMS = ("domain", "application", "composition", "container", "bootstrap", "settings", "testing")
"""The modules and folders whose every public name is explained."""

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def modules_of(room: str) -> Iterator[Path]:
    yield from (path for path in [HOUSE / f"{room}.py"] if path.exists())
    yield from sorted((HOUSE / room).rglob("*.py"))


def public_definitions(module: Path) -> Iterator[tuple[str, Definition]]:
    """Every public class and function and, within classes, every public method and class, by dotted name."""
    name = ".".join(module.relative_to(HOUSE).with_suffix("").parts)
    yield from _public(name, ast.parse(module.read_text(encoding="utf-8")))


def _public(outer: str, scope: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Definition]]:
    for node in scope.body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not _needs_none(node):
            yield f"{outer}.{node.name}", node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public(f"{outer}.{node.name}", node)


def _needs_none(node: Definition) -> bool:
    """The name of a test is its sentence; an overload is explained where it is carried out."""
    decorators = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    return node.name.startswith("test_") or bool(decorators & {"overload", "setter"})


def test_every_public_name_is_explained() -> None:
    silent = [
        name
        for room in ROOMS
        for module in modules_of(room)
        for name, node in public_definitions(module)
        if not ast.get_docstring(node)
    ]

    assert silent == []


def test_every_method_of_a_port_is_explained_also_those_with_underscores() -> None:
    silent = [
        f"{module.stem}.{node.name}.{method.name}"
        for module in modules_of("domain/ports")
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        if method.name != "__init__" and not ast.get_docstring(method)
    ]

    assert silent == []
