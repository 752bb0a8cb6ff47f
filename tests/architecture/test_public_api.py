"""What users may import: names that exist, in an order one can search."""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

import fastapi_easy

HOUSE = Path(fastapi_easy.__file__).parent
FACES = (
    "fastapi_easy.domain",
    "fastapi_easy.domain.ports",
    "fastapi_easy.application",
    "fastapi_easy.container",
    "fastapi_easy.bootstrap",
    "fastapi_easy.messaging",
    "fastapi_easy.authentication",
    "fastapi_easy.events",
    "fastapi_easy.migrations",
    "fastapi_easy.policies",
    "fastapi_easy.settings",
    "fastapi_easy.testing",
)
"""The modules users import from."""


def names_of(module: Path) -> list[str] | None:
    """What `__all__` of *module* lists; `None` when it has none."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == ["__all__"]:
            return [str(each) for each in ast.literal_eval(node.value)]
    return None


def dotted(module: Path) -> str:
    parts = module.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


LISTED = {
    dotted(module): names for module in sorted(HOUSE.rglob("*.py")) if (names := names_of(module)) is not None
}


def place(name: str) -> tuple[int, str]:
    """Constants come before classes, classes before the rest, as ruff puts them."""
    if len(name) > 1 and name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("module", LISTED)
def test_every_listed_name_exists(module: str) -> None:
    there = importlib.import_module(module)

    assert [name for name in LISTED[module] if not hasattr(there, name)] == []


@pytest.mark.parametrize("module", LISTED)
def test_names_are_listed_once_and_in_order(module: str) -> None:
    assert LISTED[module] == sorted(set(LISTED[module]), key=place)


@pytest.mark.parametrize("module", LISTED)
def test_nothing_private_is_listed(module: str) -> None:
    assert [name for name in LISTED[module] if name.startswith("_")] == []


@pytest.mark.parametrize("face", FACES)
def test_a_face_lists_its_names(face: str) -> None:
    if find_spec(face) is None:
        pytest.skip(f"{face} is not built yet")

    assert LISTED.get(face), f"{face} defines no __all__"


def test_the_house_itself_exports_nothing() -> None:
    statements = ast.parse(Path(fastapi_easy.__file__).read_text(encoding="utf-8")).body

    assert [ast.unparse(each) for each in statements[1:]] == []
