"""Runs the Python on one page, in a process of its own that has the heavy imports behind it already.

The blocks of a page share one namespace and one event loop, and may `await`; a `test_…` that one defines is run. A
block whose first line names a file, as in `# shop.py`, is written to that file and imported; its names join the
others'. A file of tests is for pytest. A `text` block right behind one that ran is what that one prints; `…` stands
for anything.
"""

import ast
import asyncio
import contextlib
import importlib
import inspect
import io
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.docs.apart import begin
from tests.docs.pages import Block, blocks_of


def run_page(page: Path, folder: Path, given: str = "") -> None:
    """Run the blocks of *page* in *folder*, which is empty.

    Args:
        page: The page.

        folder: Where its files go.

        given: Python that the page takes for granted.
    """
    work = begin(folder, _run, page, given)
    assert work.ended() == 0, work.printed


def matches(shown: str, printed: str) -> bool:
    """Whether *shown* is what was *printed*; `…` in it stands for anything, on one line or several."""
    pattern = ".*?".join(re.escape(part) for part in _tidied(shown).split("…"))
    return re.fullmatch(pattern, _tidied(printed), re.DOTALL) is not None


def _tidied(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _run(page: Path, given: str) -> None:
    blocks = blocks_of(page)
    sys.path.insert(0, "")
    module = types.ModuleType("snippets")
    sys.modules["snippets"] = module
    with asyncio.Runner() as runner:
        _carry_out(runner, given, "given", module)
        printed = ""
        for before, block in zip([None, *blocks], blocks, strict=False):
            if block.language == "python" and block.is_run:
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    _step(runner, block, module)
                printed = out.getvalue()
            elif block.language == "text" and before is not None and _ran(before) and _follows(before, block):
                assert matches(block.text, printed), f"{block.place}: printed was\n{printed}"
            elif block.file and block.language != "python":
                _write(block)


def _ran(block: Block) -> bool:
    return block.language == "python" and block.is_run


def _follows(before: Block, block: Block) -> bool:
    """Whether there is nothing but a closing fence, an empty line and an opening fence between the two."""
    end = before.line + before.text.count("\n")
    return block.line - end <= 3


def _step(runner: asyncio.Runner, block: Block, module: types.ModuleType) -> None:
    if block.file is None:
        known = set(vars(module))
        # Tracebacks shall name the page and its line.
        _carry_out(runner, "\n" * (block.line - 1) + block.text, str(block.page), module)
        for name in sorted(set(vars(module)) - known):
            if name.startswith("test_"):
                runner.run(vars(module)[name]())
        return
    _write(block)
    if block.file.startswith("test_"):
        return
    importlib.invalidate_caches()
    name = block.file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    assert name not in sys.modules, f"{block.place}: {name} is there already"
    imported = importlib.import_module(name)
    module.__dict__.update(_names(vars(imported)))


def _names(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if not name.startswith("__")}


def _write(block: Block) -> None:
    assert block.file
    path = Path(block.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


def _carry_out(runner: asyncio.Runner, text: str, name: str, module: types.ModuleType) -> None:
    code = compile(text, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    answer = eval(code, module.__dict__)  # noqa: S307 (the page's own code is what is to be run)
    if inspect.iscoroutine(answer):
        runner.run(answer)
