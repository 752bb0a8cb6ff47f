"""Whatever schemathesis makes of an OpenAPI document of ours, no answer is a 5xx and all match the document.

`THOROUGH=1` runs it for all stores, with thousands of requests each, and with a number of examples in `EXAMPLES`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import protected_orders
from tests.e2e.stores import CHOSEN, empty_store
from tests.e2e.test_readme import served
from tests.thorough import only_when_thorough

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("EXAMPLES", "3")
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


# An empty value is how OpenAPI writes an empty list, which the document allows. schemathesis takes it for a name.
@schemathesis.hook
def filter_query(context, query):
    return not any((query or {}).get(name) in ("", [""]) for name in ("fields", "group_by", "include", "sort", "total"))
"""

# A caller whose credentials are invalid, or who may do nothing here, is refused before anything else is looked at.
PROTECTED_CONFIGURATION = (
    CONFIGURATION.replace('"400",', '"400", "401", "403",')
    + """
[auth.wfc]
path = "callers.json"
peers = ["ada", "eve"]
"""
)

PROTECTED = """
from tests.e2e.protected_orders import protected_app

app = protected_app()
"""

UNFIT = (
    # JSON Schema calls 5.0 an integer and cannot say that a cursor is signed; we refuse both on purpose.
    "positive_data_acceptance",
    # A request line beyond 64 KiB is refused by the server in plain text, before the application sees it.
    "content_type_conformance",
)

PHASES = {
    "generated": ["--phases", "fuzzing,stateful", "--max-examples", EXAMPLES],
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
        pytest.param("postgres", PHASES["boundaries"], id="postgres-boundaries", marks=only_when_thorough),
        pytest.param("mariadb", PHASES["generated"], id="mariadb-generated", marks=only_when_thorough),
        pytest.param("sqlite", PHASES["boundaries"], id="sqlite-boundaries", marks=only_when_thorough),
    ],
)
def test_every_answer_is_as_documented(store: str, phases: list[str], tmp_path: Path) -> None:
    answered = attacked(tmp_path, store, "examples.bookshop.app:app", CONFIGURATION, phases)

    assert " generated, " in answered


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=only_when_thorough)])
def test_no_credentials_are_ignored_and_nobody_gets_what_is_anothers(store: str, tmp_path: Path) -> None:
    callers = {"ada": ("customer",), "eve": ("customer",), "clerk": ("clerk", "customer")}
    identities = [
        {
            "name": name,
            "fixedHeaders": [
                {"name": "Authorization", "value": f"Bearer {protected_orders.token_of(name, *roles)}"}
            ],
        }
        for name, roles in callers.items()
    ]
    (tmp_path / "orders.py").write_text(PROTECTED)
    (tmp_path / "callers.json").write_text(json.dumps({"auth": identities}))

    answered = attacked(
        tmp_path,
        store,
        "orders:app",
        PROTECTED_CONFIGURATION,
        PHASES["generated"],
    )

    assert " generated, " in answered


def attacked(folder: Path, store: str, program: str, configuration: str, phases: list[str]) -> str:
    """Run schemathesis in *folder* on *program* at *store*; return what it printed."""
    (folder / "schemathesis.toml").write_text(configuration)
    (folder / "hooks.py").write_text(HOOKS)
    command = [str(Path(sys.executable).parent / "st"), "--config-file", "schemathesis.toml", "run"]
    checks = ["--checks", "all", "--exclude-checks", ",".join(UNFIT), "--seed", SEED]
    with (
        empty_store(store, folder) as url,
        served(folder, program, {CHOSEN: url, "PYTHONPATH": str(ROOT)}) as base,
    ):
        run = subprocess.run(
            [*command, f"{base}/openapi.json", *checks, "--warnings", "off", "--no-color", *phases],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )
    assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-2_000:]
    print(*[line for line in run.stdout.splitlines() if " generated, " in line or "Tested:" in line])
    return run.stdout
