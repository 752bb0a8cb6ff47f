"""Where the results go: a file for programs, and the tables of the page in the documentation."""

import contextlib
import datetime
import importlib.metadata
import json
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.findings import Finding, Part, Table, Target
from benchmarks.machine import description

LATEST: Final = Path(__file__).with_name("results") / "latest.json"
PAGES: Final = tuple((Path(__file__).parents[1] / "docs" / "explanation").glob("performance*.md"))
WIDTH: Final = 110
"""Characters of a line of the page."""

_PACKAGES: Final = (
    "fastapi",
    "starlette",
    "sqlalchemy",
    "asyncpg",
    "pydantic",
    "uvicorn",
    "uvloop",
    "fastcrud",
)
_PLACE: Final = "<!-- measured: {} -->\n"
_END: Final = "<!-- end of what was measured -->"


def document(part: Part, how: str) -> dict[str, Any]:
    """*part* as JSON can hold it, with when, on what and how it was measured."""
    return {
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "on": description(),
        "commit": commit(),
        "with": dict(_versions()),
        "how": how,
        **asdict(part),
    }


def part_in(written: Mapping[str, Any]) -> Part:
    """The part that `document` wrote."""
    return Part(
        tables=[Table(**each) for each in written["tables"]],
        findings=[
            Finding(each["name"], each["figure"], Target(**each["target"])) for each in written["findings"]
        ],
        figures=written["figures"],
    )


def keep(name: str, written: Mapping[str, Any], file: Path = LATEST) -> dict[str, Any]:
    """Put a part into *file*, in the place of an older one of that name, and return all that is in it."""
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    text = json.dumps({**kept, name: written}, indent=1, sort_keys=True)
    file.parent.mkdir(exist_ok=True)
    _ = file.write_text(f"{text}\n")
    read: dict[str, Any] = json.loads(text)
    return read


def write_pages(kept: Mapping[str, Mapping[str, Any]], pages: Sequence[Path] = PAGES) -> None:
    """Put the tables of every part into the place that one of *pages* has for it.

    Raises:
        LookupError: None has.
    """
    texts = {page: page.read_text() for page in pages}
    tables = {"circumstances": circumstances(kept)} | {name: markdown(each) for name, each in kept.items()}
    for name, table in tables.items():
        page = next((page for page, text in texts.items() if _place_of(name).search(text)), None)
        if page is None:
            raise LookupError(f"no page has a place for {name!r}: {_PLACE.format(name).strip()} … {_END}")
        texts[page] = replaced(texts[page], name, table)
    for page, text in texts.items():
        _ = page.write_text(text)


def replaced(text: str, name: str, tables: str) -> str:
    """*text* with *tables* in the place of the part *name*."""
    return _place_of(name).sub(lambda _: f"{_PLACE.format(name)}{tables}{_END}", text)


def _place_of(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(_PLACE.format(name)) + ".*?" + re.escape(_END), re.DOTALL)


def markdown(written: Mapping[str, Any]) -> str:
    """The tables of a part."""
    return "\n".join(each.markdown() for each in part_in(written).tables)


def circumstances(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """When, how and on what the parts were measured, once for all that have it in common."""
    when: dict[str, list[str]] = {}
    where: dict[str, list[str]] = {}
    for name, written in kept.items():
        versions = ", ".join(f"{package} {version}" for package, version in sorted(written["with"].items()))
        line = f"{written['measured'][:10]}, commit {written['commit']}: {written['how']}."
        when.setdefault(line, []).append(name)
        where.setdefault(f"{written['on']}; {versions}.", []).append(name)
    lines = [
        line if len(group) == 1 else f"{', '.join(names)}: {line}"
        for group in (when, where)
        for line, names in group.items()
    ]
    return "".join(f"{textwrap.fill(line, WIDTH)}\n" for line in lines)


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        # FastCRUD is only there once it was measured.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def commit() -> str:
    """What is measured: the commit, and whether anything was changed since."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=, with changes"],  # noqa: S607
        cwd=LATEST.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"
