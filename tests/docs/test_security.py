"""The page about security names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.partition("## Row → test")[2].splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=[each.split("|")[1].strip() for each in ROWS])
def test_each_row_names_tests_that_are_there(row: str) -> None:
    named = re.findall(r"`((?:tests/\S+\.py)|(?:[Tt]est_?\w+))`", row.split("|")[-2])
    assert named

    source = ""
    for name in named:
        if name.endswith(".py"):
            source = (ROOT / name).read_text(encoding="utf-8")
        else:
            assert re.search(rf"(def|class) {name}\b", source), name
