"""Spectral and Redocly have nothing to say about the document of the bookshop, with their recommended rules."""

import json
from pathlib import Path

from examples.bookshop.app import bookshop
from tests.e2e.generated_clients.tools import node_tools, run
from tests.thorough import only_when_thorough

PACKAGES = ("@stoplight/spectral-cli@6.16", "@redocly/cli@2.77")
RULES = 'extends: ["spectral:oas"]\n'


@only_when_thorough
def test_linters_report_nothing(tmp_path: Path) -> None:
    programs = node_tools("linters", *PACKAGES) / "node_modules" / ".bin"
    _ = (tmp_path / "openapi.json").write_text(json.dumps(bookshop().openapi()))
    _ = (tmp_path / ".spectral.yaml").write_text(RULES)

    spectral = run([str(programs / "spectral"), "lint", "openapi.json", "--fail-severity", "hint"], tmp_path)
    redocly = run([str(programs / "redocly"), "lint", "openapi.json", "--max-problems", "50"], tmp_path)

    assert "No results with a severity of 'hint' or higher found!" in spectral
    assert "Your API description is valid" in redocly
    # It tells of warnings below that.
    assert "You have" not in redocly
