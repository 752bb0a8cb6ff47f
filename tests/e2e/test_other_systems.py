"""What `fastapi-easy run`, SQLite and memory need is on every system: nothing that only POSIX has."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.commands import environment


def test_serves_without_anything_that_only_posix_has() -> None:
    program = Path(__file__).with_name("other_system.py")
    variables = {
        name: text for name, text in environment().items() if name != "FASTAPI_EASY_DATABASES__DEFAULT__URL"
    }

    ended = subprocess.run(
        [sys.executable, str(program), "hide"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert ended.stdout.splitlines()[-1:] == ["served"], f"{ended.stdout}\n{ended.stderr}"
