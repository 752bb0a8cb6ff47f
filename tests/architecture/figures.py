"""Count what a reader meets: openings of docstrings, comments, `Any`, lambdas, and the files that a request crosses.

`python -m tests.architecture.figures` prints the figures of the installed package; PYTHONPATH names another one.
"""

import ast
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from sqlmodel import Field, SQLModel

import fastapi_easy
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings

HOUSE = Path(fastapi_easy.__file__).parent
RIDDLES = frozenset({"What", "Whether", "Who", "Nobody", "How", "Where", "Whose", "Those", "That"})
"""First words of docstrings that say no action and name nothing."""

NO_VERBS = frozenset(
    {
        "The",
        "A",
        "An",
        "As",
        "Its",
        "Every",
        "Nothing",
        "All",
        "It",
        "Each",
        "From",
        "To",
        "Everything",
        "Seconds",
        "One",
    }
)
"""First words of other docstrings that open with no verb."""


class Book(SQLModel, table=True):
    """What is asked for."""

    __tablename__ = "figures_books"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=100)


class Shop(Container):
    """Where it is asked for."""

    books = resource(Book)


def docstrings() -> Iterator[str]:
    """Yield the docstrings of all functions and methods."""
    for module in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
                yield text


def openings() -> dict[str, float]:
    """Return which part of the docstrings opens with a verb in the imperative, and which with a question word."""
    words = Counter(text.split()[0].strip(".,:*`") for text in docstrings())
    total = sum(words.values())
    imperative = sum(
        count
        for word, count in words.items()
        if word not in RIDDLES | NO_VERBS and word[:1].isupper() and word.isalpha() and not word.isupper()
    )
    return {
        "docstrings": total,
        "imperative": imperative / total,
        "question words": sum(words[each] for each in RIDDLES) / total,
    }


def densities() -> dict[str, float]:
    """Return comments and `Any` for each 1,000 lines, and the number of lambdas and lines."""
    lines = comments = anys = lambdas = 0
    for module in HOUSE.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        lines += len(text.splitlines())
        comments += sum(line.lstrip().startswith("#") for line in text.splitlines())
        for node in ast.walk(ast.parse(text)):
            lambdas += isinstance(node, ast.Lambda)
            anys += isinstance(node, ast.Name) and node.id == "Any"
    return {
        "lines": lines,
        "comments per 1,000": comments / lines * 1000,
        "Any per 1,000": anys / lines * 1000,
        "lambdas": lambdas,
    }


def largest_folder() -> tuple[int, str]:
    """Return how many modules the folder with most of them holds, and its name."""
    files = Counter(module.parent for module in HOUSE.rglob("*.py") if module.name != "__init__.py")
    folder, count = files.most_common(1)[0]
    return count, str(folder.relative_to(HOUSE))


async def crossed() -> dict[str, list[str]]:
    """Return the files of ours whose functions a request runs, once everything has been asked once."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {"databases": {"default": {"url": f"sqlite+aiosqlite:///{folder}/figures.db"}}}
        )
        make: Any = Shop
        app = create_app(make(settings=settings))
        async with app.router.lifespan_context(app):
            files = {}
            for name, method, path, body in (
                ("create", "POST", "/books", b'{"title": "Emma"}'),
                ("get", "GET", "/books/1", b""),
            ):
                for _ in range(3):
                    await call(app, method, path, body)
                seen: set[str] = set()

                def note(frame: FrameType, event: str, _: Any, seen: set[str] = seen) -> None:
                    if event == "call" and frame.f_code.co_filename.startswith(str(HOUSE)):
                        seen.add(str(Path(frame.f_code.co_filename).relative_to(HOUSE)))

                sys.setprofile(note)
                await call(app, method, path, body)
                sys.setprofile(None)
                files[name] = sorted(seen)
        return files


async def call(app: Any, method: str, path: str, body: bytes) -> None:
    """Send one request to *app*.

    Raises:
        AssertionError: It is not answered as it should be.
    """
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
        "state": {},
    }
    await app(scope, receive, send)
    assert sent[0]["status"] in {200, 201}, sent


def main() -> None:
    """Print the figures."""
    for name, figure in (openings() | densities()).items():
        print(f"{name}: {round(figure, 2):,}")
    print("largest folder:", *largest_folder())
    for name, files in asyncio.run(crossed()).items():
        print(f"a {name} crosses {len(files)} files:", *files)


if __name__ == "__main__":
    main()
