"""Two generators of Python make a client of every operation, and the clients work."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from tests.e2e.generated_clients.tools import java, python_tools, run
from tests.e2e.stores import CHOSEN
from tests.e2e.test_readme import call, served
from tests.thorough import only_when_thorough

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BOOKSHOP = "examples.bookshop.app:app"


def environment(folder: Path) -> dict[str, str]:
    return {CHOSEN: f"sqlite:///{folder}/shop.sqlite3", "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def document_at(base: str, folder: Path) -> dict[str, Any]:
    """The document of the shop at *base*, which is written to *folder* too."""
    _, _, document = call("GET", f"{base}/openapi.json")
    _ = (folder / "openapi.json").write_text(json.dumps(document))
    return document


def operations_of(document: dict[str, Any]) -> set[str]:
    return {each["operationId"] for path in document["paths"].values() for each in path.values()}


def test_openapi_python_client(tmp_path: Path) -> None:
    tools = python_tools("openapi-python-client-0.29", "openapi-python-client==0.29.1")
    with served(tmp_path, BOOKSHOP, environment(tmp_path)) as base:
        document = document_at(base, tmp_path)
        command = ["generate", "--path", "openapi.json", "--output-path", "made", "--meta", "none"]
        said = run([str(tools / "openapi-python-client"), *command], tmp_path)
        _ = shutil.copy(HERE / "drive_openapi_python_client.py", tmp_path / "drive.py")
        done = run([str(tools / "python"), "drive.py", base], tmp_path, PYTHONPATH="")

    made = {each.stem for each in (tmp_path / "made" / "api").glob("*/*.py")} - {"__init__"}
    assert made == operations_of(document)
    # It knows no text, and sends an import as bytes.
    warned = set(re.findall(r"^(?:Unsupported|Could|Unable|Attempted|Reference).*", said, re.MULTILINE))
    assert warned == {"Unsupported content type application/x-ndjson", "Unsupported content type text/csv"}
    assert "all asked" in done


@only_when_thorough
def test_openapi_generator(tmp_path: Path) -> None:
    needed = ("pydantic>=2", "urllib3>=2", "python-dateutil", "typing-extensions")
    tools = python_tools("openapi-generator", "openapi-generator-cli", *needed)
    (program,) = tools.parent.glob("lib/*/site-packages/openapi_generator_cli/openapi-generator.jar")
    with served(tmp_path, BOOKSHOP, environment(tmp_path)) as base:
        document = document_at(base, tmp_path)
        _ = run(
            [java(), "-jar", str(program), "generate", "-g", "python", "-i", "openapi.json", "-o", "."],
            tmp_path,
        )
        _ = shutil.copy(HERE / "drive_openapi_generator.py", tmp_path / "drive.py")
        done = run([str(tools / "python"), "drive.py", base], tmp_path, PYTHONPATH="")

    made = "".join(each.read_text() for each in (tmp_path / "openapi_client" / "api").glob("*_api.py"))
    assert [name for name in operations_of(document) if f"    def {name}(" not in made] == []
    assert "all asked" in done
