"""Programs that measure in a process of their own: neither what other tests left in memory nor their load counts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def measured(*arguments: str, url: str = "") -> Any:
    """What Python called with *arguments* printed, which is JSON; *url* is where its application keeps things."""
    settings = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": url} if url else {}
    others = {name: value for name, value in os.environ.items() if not name.startswith("FASTAPI_EASY_")}
    # What was compiled once is not compiled in the next program: that is not what is measured.
    others.pop("PYTHONDONTWRITEBYTECODE", None)
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**others, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return json.loads(finished.stdout)
