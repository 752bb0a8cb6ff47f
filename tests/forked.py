"""Commands that are forked from a process which has imported what they need: a new one would do so for seconds."""

import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.preloaded"])


def run_command(
    words: list[str], folder: Path, variables: Mapping[str, str], patience: float
) -> subprocess.CompletedProcess[str]:
    """Return what `fastapi-easy` with *words* came to in *folder*, as `subprocess.run` does.

    Args:
        words: What stands behind the name of the command.

        folder: Its current directory.

        variables: Its environment.

        patience: Seconds until it is killed.

    Raises:
        subprocess.TimeoutExpired: It was killed.
    """
    with TemporaryDirectory() as made:
        out, err = Path(made, "out"), Path(made, "err")
        process = PROCESSES.Process(target=_run, args=(words, folder, dict(variables), out, err))
        process.start()
        process.join(patience)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, patience, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text(), err.read_text())


def _run(words: list[str], folder: Path, variables: Mapping[str, str], out: Path, err: Path) -> None:
    for number, file in ((1, out), (2, err)):
        with file.open("w") as opened:
            os.dup2(opened.fileno(), number)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(open(number, "wb", closefd=False), line_buffering=number == 2)  # noqa: SIM115
        for number in (1, 2)
    )
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = ["fastapi-easy", *words]
    from fastapi_easy.__main__ import main  # noqa: PLC0415 (loaded in the process that this one is forked from)

    main()
