"""Two generators of TypeScript make clients of every operation, which compile and work."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.generated_clients.test_python import BOOKSHOP, HERE, document_at, environment, operations_of
from tests.e2e.generated_clients.tools import node_tools, run
from tests.e2e.test_readme import served
from tests.thorough import only_when_thorough

PACKAGES = (
    "typescript@5.9",
    "@types/node@20",
    "openapi-typescript@7.13",
    "openapi-fetch@0.17",
    "@hey-api/openapi-ts@0.99",
)
HEY_API = """
export default { input: "openapi.json", output: { path: "made", module: { extension: ".js" } } };
"""
CONFIGURATION = {
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "skipLibCheck": True,
        "types": ["node"],
        "lib": ["es2022", "dom", "dom.iterable"],
        "outDir": "built",
        "rootDir": ".",
    },
}


def built(folder: Path, tools: Path, driver: str) -> Path:
    """What TypeScript makes of *driver*, which is put into *folder* beside what was generated."""
    _ = (folder / "package.json").write_text('{"type": "module"}')
    _ = (folder / "tsconfig.json").write_text(json.dumps({**CONFIGURATION, "files": [driver]}))
    _ = shutil.copy(HERE / driver, folder / driver)
    (folder / "node_modules").symlink_to(tools / "node_modules")
    _ = run([str(tools / "node_modules" / ".bin" / "tsc")], folder)
    return (folder / "built" / driver).with_suffix(".js")


@pytest.mark.slow
def test_openapi_typescript(tmp_path: Path) -> None:
    tools = node_tools("typescript-clients", *PACKAGES)
    with served(tmp_path, BOOKSHOP, environment(tmp_path)) as base:
        document = document_at(base, tmp_path)
        command = [
            str(tools / "node_modules" / ".bin" / "openapi-typescript"),
            "openapi.json",
            "-o",
            "schema.d.ts",
        ]
        _ = run(command, tmp_path)
        done = run(["node", str(built(tmp_path, tools, "drive_openapi_typescript.ts")), base], tmp_path)

    made = (tmp_path / "schema.d.ts").read_text()
    assert [name for name in operations_of(document) if f'operations["{name}"]' not in made] == []
    assert "all asked" in done


@only_when_thorough
def test_hey_api(tmp_path: Path) -> None:
    tools = node_tools("typescript-clients", *PACKAGES)
    with served(tmp_path, BOOKSHOP, environment(tmp_path)) as base:
        document = document_at(base, tmp_path)
        _ = (tmp_path / "openapi-ts.config.mjs").write_text(HEY_API)
        _ = run([str(tools / "node_modules" / ".bin" / "openapi-ts")], tmp_path)
        done = run(["node", str(built(tmp_path, tools, "drive_hey_api.ts")), base], tmp_path)

    made = (tmp_path / "made" / "sdk.gen.ts").read_text()
    camel = ["".join(word.capitalize() for word in name.split("_")) for name in operations_of(document)]
    assert [name for name in camel if f"export const {name[0].lower()}{name[1:]} = " not in made] == []
    assert "all asked" in done
