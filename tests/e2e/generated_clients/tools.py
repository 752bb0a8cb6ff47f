"""Programs of PyPI and npm, installed once into a folder beside the caches of other tools."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

_LIMIT = 300
_ROOT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fastapi-easy-tests"


def python_tools(name: str, *packages: str) -> Path:
    """The `bin` of an environment with *packages*; skips the test where they cannot be installed."""
    folder = _ROOT / name
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _install([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *packages], folder)
    return folder / "bin"


def node_tools(name: str, *packages: str) -> Path:
    """The folder of a package with *packages*; skips the test where they cannot be installed."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no node and npm: install Node.js 20 or newer")
    folder = _ROOT / name
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _ = (folder / "package.json").write_text('{"type": "module"}')
        _install(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], folder)
    return folder


def java() -> str:
    """The command of Java; skips the test where there is none."""
    found = shutil.which("java")
    if found is None:
        pytest.skip("no java: install a Java runtime 11 or newer")
    return found


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What *command* prints; the test fails with it where the command does."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
    return done.stdout + done.stderr


def _install(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} took longer than {_LIMIT} seconds: is a package index in reach?")
    if done.returncode:
        pytest.skip(f"{' '.join(command)} failed: is a package index in reach? {done.stderr[-500:]}")
    _ = (folder / "ready").write_text(sys.version)
