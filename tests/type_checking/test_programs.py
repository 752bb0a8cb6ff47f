"""Type checkers find what is misspelt in a user's program, and nothing else."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"


def refused_by_mypy(program: Path) -> dict[int, str]:
    """The lines that mypy refuses, as strictly as the project itself is checked."""
    said = checked("mypy", "--no-error-summary", "--no-pretty", str(program))
    found = re.findall(
        rf"^{re.escape(str(program.relative_to(ROOT)))}:(\d+): error: (.*)$", said, re.MULTILINE
    )
    assert found or not said.strip(), said
    return {int(line): sentence for line, sentence in found}


def refused_by_pyright(program: Path) -> dict[int, str]:
    """The lines that pyright refuses, as it is set up by default."""
    said = json.loads(checked("pyright", "--outputjson", "-p", str(program.parent)))
    return {
        each["range"]["start"]["line"] + 1: each["message"]
        for each in said["generalDiagnostics"]
        if each["severity"] == "error" and each["file"] == str(program)
    }


def checked(*command: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode in {0, 1}, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.parametrize("refused_by", [refused_by_mypy, refused_by_pyright], ids=["mypy", "pyright"])
@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("*.py")), ids=lambda each: each.stem)
def test_they_refuse_each_mistake_and_nothing_else(
    program: Path, refused_by: Callable[[Path], dict[int, str]]
) -> None:
    lines = program.read_text("utf-8").splitlines()
    mistakes = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}

    refused = refused_by(program)

    assert {line: sentence for line, sentence in refused.items() if line not in mistakes} == {}
    assert mistakes == refused.keys()
