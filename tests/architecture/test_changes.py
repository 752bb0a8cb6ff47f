"""What a type checker names when a new member is added and not yet handled, and that CONTRIBUTING names the same."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Addition:
    """One change that begins in one file.

    Attributes:
        row: The words of its row in CONTRIBUTING.

        begins_in: The file with the new member.

        after: The text it is put behind.

        member: The new text.

        sign: What mypy calls it.
    """

    row: str
    begins_in: str
    after: str
    member: str
    sign: str


ADDITIONS = [
    Addition(
        "add a built-in operation",
        "domain/resources/options.py",
        '    IMPORT = "import"\n',
        '    ARCHIVE = "archive"\n',
        "Operation.ARCHIVE",
    ),
    Addition(
        "add a kind of field",
        "domain/field.py",
        '    ARRAY = "array"\n',
        '    MONEY = "money"\n',
        "Kind.MONEY",
    ),
    Addition(
        "add a filter operator",
        "domain/queries/specification.py",
        '    HAS_ALL = "has_all"\n',
        '    SOUNDS_LIKE = "soundslike"\n',
        "Operator.SOUNDS_LIKE",
    ),
    Addition(
        "add an error",
        "domain/errors.py",
        "\nError: TypeAlias = (\n    Invalid\n",
        "    | QuotaExceeded\n",
        "QuotaExceeded",
    ),
]
QUOTA_EXCEEDED = '''
@dataclass(frozen=True, slots=True)
class QuotaExceeded:
    """The tenant has no room left."""

    code: ClassVar[str] = "quota_exceeded"

'''


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says about a copy of the package with every addition."""
    folder = tmp_path_factory.mktemp("additions")
    _ = shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    _ = shutil.copy(ROOT / "pyproject.toml", folder)
    if (ROOT / ".mypy_cache").exists():
        # Another run may be writing it: what is half there is made again.
        _ = shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache", copy_function=_copy_if_there)
    for each in ADDITIONS:
        path = folder / "src" / "fastapi_easy" / each.begins_in
        text = path.read_text(encoding="utf-8")
        assert each.after in text, each
        text = text.replace(each.after, each.after + each.member, 1)
        if each.sign == "QuotaExceeded":
            text = text.replace("\nError: TypeAlias", f"{QUOTA_EXCEEDED}\nError: TypeAlias", 1)
        _ = path.write_text(text, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "src"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.stderr == ""
    return [line for line in answer.stdout.splitlines() if ": error: " in line]


def _copy_if_there(source: str, target: str) -> None:
    try:
        _ = shutil.copy2(source, target)
    except FileNotFoundError:
        return


def table() -> dict[str, str]:
    """The rows of the table of changes in CONTRIBUTING, by what somebody wants to do."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE))


def paths_in(row: str) -> set[str]:
    """The files that *row* names, with `{a,b}` spelt out."""
    found: set[str] = set()
    for text in re.findall(r"`([^`]+\.py)`", row):
        braces = re.fullmatch(r"(.*)\{(.+)\}(.*)", text)
        found |= {f"{braces[1]}{each}{braces[3]}" for each in braces[2].split(",")} if braces else {text}
    return found


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda each: each.row)
def test_what_was_forgotten_is_a_type_error_in_the_files_that_contributing_names(
    addition: Addition, complaints: list[str]
) -> None:
    named = {
        line.partition(":")[0].removeprefix("src/fastapi_easy/")
        for line in complaints
        if re.search(rf"{re.escape(addition.sign)}\b", line)
    }

    assert named | {addition.begins_in} == paths_in(table()[addition.row])


def test_every_file_that_contributing_names_is_there() -> None:
    named = {path for row in table().values() for path in paths_in(row) if "<" not in path and "/" in path}

    house = ROOT / "src" / "fastapi_easy"
    assert [
        each for each in sorted(named) if not (house / each).exists() and not (ROOT / each).exists()
    ] == []
