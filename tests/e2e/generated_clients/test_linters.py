"""Spectral and Redocly have nothing to say about documents, with their recommended rules."""

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examples.bookshop.app import bookshop
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import QueryRules
from fastapi_easy.testing import in_memory
from tests.e2e.generated_clients.tools import node_tools, run
from tests.thorough import only_when_thorough

PACKAGES = ("@stoplight/spectral-cli@6.16", "@redocly/cli@2.77")
RULES = 'extends: ["spectral:oas"]\n'


@dataclass
class Parcel:
    """What is followed, restored, kept in versions, and has no decimal."""

    code: str
    stages: list[str]
    version: int = 1
    removed: datetime.datetime | None = None
    id: int | None = None


class Parcels(Container):
    parcels = resource(
        Parcel,
        version="version",
        soft_delete="removed",
        events=True,
        query=QueryRules(document="all"),
    )


def parcels() -> Any:
    about = {
        "description": "Parcels on their way.",
        "contact": {"name": "The post", "url": "https://post.example"},
        "license_info": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        "servers": [{"url": "/"}],
    }
    return create_app(in_memory(Parcels), **about)


@only_when_thorough
@pytest.mark.parametrize("app", [bookshop, parcels])
def test_linters_report_nothing(app: Callable[[], Any], tmp_path: Path) -> None:
    programs = node_tools("linters", *PACKAGES) / "node_modules" / ".bin"
    _ = (tmp_path / "openapi.json").write_text(json.dumps(app().openapi()))
    _ = (tmp_path / ".spectral.yaml").write_text(RULES)

    spectral = run([str(programs / "spectral"), "lint", "openapi.json", "--fail-severity", "hint"], tmp_path)
    redocly = run([str(programs / "redocly"), "lint", "openapi.json", "--max-problems", "50"], tmp_path)

    assert "No results with a severity of 'hint' or higher found!" in spectral
    assert "Your API description is valid" in redocly
    # It tells of warnings below that.
    assert "You have" not in redocly
