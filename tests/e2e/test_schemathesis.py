"""Whatever schemathesis makes of the bookshop's OpenAPI document, no answer is a 5xx and all match the document."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stores import CHOSEN, empty_store
from tests.e2e.test_readme import served

ROOT = Path(__file__).parents[2]
EXAMPLES = "6"
SEED = "20261123"

# Refusals which schemathesis does not count as such: a query string that is too long answers 414, and an import, or a
# bulk whose items stand alone, tells with 207 which of them were refused.
CONFIGURATION = """
hooks = "hooks.py"

[checks.negative_data_rejection]
expected-statuses = ["207", "400", "404", "409", "412", "413", "414", "415", "422"]

# A line that is skipped may say anything: none is.
[[operations]]
include-operation-id-regex = "^import_"
parameters = { "query.from_line" = 1 }
"""

# schemathesis knows no lines of JSON: it is told that the text it made up is sent as it is, and all else as one line.
HOOKS = """
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")
"""

UNFIT = (
    # JSON Schema calls 5.0 an integer and cannot say that a cursor is signed; we refuse both on purpose.
    "positive_data_acceptance",
    # A request line beyond 64 KiB is refused by the server in plain text, before the application sees it.
    "content_type_conformance",
)

PHASES = {
    "generated": ["--phases", "examples,fuzzing,stateful", "--max-examples", EXAMPLES],
    # Thousands of combinations of typed filters say little more than the first; the hostile input tests say it.
    "boundaries": [
        "--phases",
        "coverage",
        "--exclude-operation-id-regex",
        "^(list|count|search|export|aggregate)_",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store", "phases"),
    [
        # What is generated asks the interface and the document, which are the same; a boundary asks the store too.
        pytest.param("postgres", PHASES["generated"], id="postgres-generated"),
        pytest.param("postgres", PHASES["boundaries"], id="postgres-boundaries"),
        pytest.param("sqlite", PHASES["boundaries"], id="sqlite-boundaries"),
    ],
)
def test_every_answer_is_as_documented(store: str, phases: list[str], tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    (tmp_path / "hooks.py").write_text(HOOKS)
    command = [str(Path(sys.executable).parent / "st"), "--config-file", "schemathesis.toml", "run"]
    options = [
        "--checks",
        "all",
        "--exclude-checks",
        ",".join(UNFIT),
        "--seed",
        SEED,
        "--warnings",
        "off",
        "--no-color",
    ]
    with (
        empty_store(store, tmp_path) as url,
        served(tmp_path, "examples.bookshop.app:app", {CHOSEN: url, "PYTHONPATH": str(ROOT)}) as base,
    ):
        run = subprocess.run(
            [*command, f"{base}/openapi.json", *options, *phases],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-2_000:]
    assert " generated, " in run.stdout
