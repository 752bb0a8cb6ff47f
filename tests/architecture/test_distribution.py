"""What the package index and installers are told of the package."""

import ast
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fastapi_easy

HOUSE = Path(fastapi_easy.__file__).parent
PROJECT: dict[str, Any] = tomllib.loads((HOUSE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]


def imported() -> set[str]:
    """The top-level packages that the house imports."""
    found: set[str] = set()
    for module in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=aliases):
                    found |= {alias.name.partition(".")[0] for alias in aliases}
                case ast.ImportFrom(module=str(source)):
                    found.add(source.partition(".")[0])
    return found


def test_what_is_required_is_imported() -> None:
    providers = packages_distributions()
    used = {canonicalize_name(each) for name in imported() for each in providers.get(name, ())}

    required = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}

    assert required - used == set()


@pytest.mark.parametrize("label", ["Homepage", "Repository", "Documentation", "Changelog", "Issues"])
def test_the_index_leads_to(label: str) -> None:
    assert PROJECT["urls"][label].startswith("https://")


@pytest.mark.parametrize(
    "classifier",
    [
        "Framework :: AsyncIO",
        "Framework :: FastAPI",
        "Framework :: Pydantic",
        "Typing :: Typed",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)),
    ],
)
def test_the_index_is_told(classifier: str) -> None:
    assert classifier in PROJECT["classifiers"]


def test_the_licence_is_an_expression_only() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert [each for each in PROJECT["classifiers"] if each.startswith("License ::")] == []
