"""Starts of so many resources on a database: `many_tables 300 [URL]`; CPU seconds of three, the first on nothing.

The second one begins the ledger, as every second start on a database does. A new SQLite file unless given a URL, of an
empty database.
"""

import asyncio
import json
import resource as limits
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import configure_mappers

from benchmarks.inside.document import tables
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings

STARTS: Final = ("first", "second", "third")


def started(count: int, url: str) -> dict[str, float]:
    """What one start costs in this process, once SQLAlchemy knows the classes."""
    classes = tables(count)
    configure_mappers()
    settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
    begun = time.process_time()
    shop: Any = type(
        "Shop", (Container,), {f"t{number}": resource(each) for number, each in enumerate(classes)}
    )
    app = create_app(shop(settings=settings))
    declared = time.process_time()
    opened = asyncio.run(_open(app))
    return {
        "resources": count,
        "declaring": declared - begun,
        "opening": opened - declared,
        "seconds": opened - begun,
        "megabytes": limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def _open(app: Any) -> float:
    async with app.router.lifespan_context(app):
        return time.process_time()


def main(count: str, url: str) -> None:
    """Print a line for each start, each in a process of its own."""
    for name in STARTS:
        command = [sys.executable, "-m", "benchmarks.inside.many_tables", count, url, name]
        print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [given, given_url, name]:
            print(json.dumps({"start": name, **started(int(given), given_url)}))
        case [given, given_url]:
            main(given, given_url)
        case [given]:
            with tempfile.TemporaryDirectory() as folder:
                main(given, f"sqlite:///{Path(folder) / 'shop.sqlite3'}")
        case _:
            sys.exit(__doc__)
