"""Processes that have the heavy imports behind them already: each is forked from one that did nothing but import."""

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.forked import PROCESSES

PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Apart:
    """Work that is being done elsewhere."""

    process: ForkServerProcess
    log: Path

    @property
    def printed(self) -> str:
        """Everything it has printed so far."""
        return self.log.read_text()

    def ended(self) -> int:
        """How it ended, once it has."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"does not come to an end:\n{self.printed}")
        return self.process.exitcode


def begin(folder: Path, work: Callable[..., None], *arguments: Any) -> Apart:
    """Begin *work* in *folder*, with a clean environment, warnings as errors, and what it prints in a log."""
    log = folder.with_name(f"{folder.name}-{len(list(folder.parent.iterdir()))}.log")
    log.touch()
    process = PROCESSES.Process(target=_work, args=(folder, log, work, arguments))
    process.start()
    return Apart(process, log)


def type_command(words: list[str]) -> None:
    """Do what a shell does with *words*, in this process."""
    sys.argv = words
    match words:
        case ["fastapi-easy", *_]:
            from fastapi_easy.__main__ import main  # noqa: PLC0415 (only some need it)

            main()
        case ["python", "-m", "pytest", *rest]:
            import pytest  # noqa: PLC0415

            sys.path.insert(0, "")
            # What was imported before has been compiled without pytest.
            sys.exit(pytest.main([*rest, "-W", "ignore::pytest.PytestAssertRewriteWarning"]))
        case _:
            raise AssertionError(f"nobody knows what {words} does")


def _work(folder: Path, log: Path, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    with log.open("a", buffering=1) as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    for name in [each for each in os.environ if each.startswith("FASTAPI_EASY_")]:
        del os.environ[name]
    os.chdir(folder)
    warnings.simplefilter("error")
    try:
        work(*arguments)
    except Exception:  # noqa: BLE001 (the parent shows it)
        traceback.print_exc()
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
