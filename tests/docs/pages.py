"""The pages of the documentation, taken apart into what can be checked: fences, links, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)$")
_FILE = re.compile(r"\A# (?P<name>[\w./-]+\.\w+)(?:\s.*)?\n")
_REASON = re.compile(r"<!--\s*no-run: (.+?)\s*-->\s*\Z", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<inline>[^)\s]+)\)|^\[[^\]]+\]:\s*(?P<named>\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: The page it is on.

        line: The number of its first line, below the fence.

        language: The first word behind the fence.

        marks: The other words.

        text: What is between the fences.

        reason: What the comment before it says about not running it; empty without one.
    """

    page: Path
    line: int
    language: str
    marks: tuple[str, ...]
    text: str
    reason: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{name_of(self.page)}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that its first line names, as in `# shop.py`."""
        found = _FILE.match(self.text)
        return found["name"] if found else None

    @property
    def is_run(self) -> bool:
        """It is not marked as `no-run`."""
        return "no-run" not in self.marks


def name_of(page: Path) -> str:
    """*page* as a path from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of *page* in one of *languages*, or all of them."""
    return [each for each in _blocks(page) if not languages or each.language in languages]


def links_of(page: Path) -> list[str]:
    """The targets of the links on *page*, outside of fences and code."""
    text = re.sub(r"`[^`\n]*`", "", _prose(page))
    return [found["inline"] or found["named"] for found in _LINK.finditer(text)]


def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of *page*, and those that it gives itself."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    given = re.findall(r'<a id="([^"]+)"></a>', _prose(page))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings} | {*given}


def table_under(page: Path, heading: str) -> list[dict[str, str]]:
    """The rows of the first table below *heading*, by the names of its columns; ticks are taken off."""
    _, found, rest = f"\n{page.read_text()}".partition(f"\n{heading}\n")
    assert found, f"{name_of(page)} has no heading {heading!r}"
    lines: list[str] = []
    for line in rest.splitlines():
        if line.startswith("|"):
            lines.append(line)
        elif lines or line.startswith("#"):
            break
    assert len(lines) > 2, f"{name_of(page)} has no table below {heading!r}"
    names, _, *rows = [_cells(line) for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [_bare(cell.strip()).replace("\\|", "|") for cell in cells]


def _bare(cell: str) -> str:
    return cell[1:-1] if re.fullmatch(r"`[^`]*`", cell) else cell


def _prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def _blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text().splitlines()
    position = 0
    while position < len(lines):
        opening = _FENCE.match(lines[position])
        position += 1
        if opening is None:
            continue
        begun = position
        while not (_FENCE.match(lines[position]) and not lines[position].strip("` ")):
            position += 1
        language, *marks = opening["info"].split() or [""]
        reason = _REASON.search("\n".join(lines[: begun - 1]))
        text = "\n".join(line.removeprefix(opening["indent"]) for line in lines[begun:position]) + "\n"
        yield Block(page, begun + 1, language, tuple(marks), text, reason[1] if reason else "")
        position += 1
