"""Clocks of processes that a run can step: a library that is loaded first adds seconds to their time."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.faults.server_clock import LIBRARY

_PLACE: Final = "MOVED_CLOCK"


class Clocks:
    """The clocks of a run, in *folder*; without a C compiler none can be stepped.

    Attributes:
        can_step: Whether they can.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        compiler = shutil.which("cc")
        self.can_step = compiler is not None
        self._library = folder / "clock.so"
        if compiler is not None:
            source = folder / "clock.c"
            _ = source.write_text(f"#include <stdlib.h>\n{LIBRARY}")
            command = [compiler, "-shared", "-fPIC", f'-DPLACE=getenv("{_PLACE}")', "-o", str(self._library)]
            _ = subprocess.run([*command, str(source), "-ldl"], check=True, capture_output=True)

    def environment(self, name: str) -> dict[str, str]:
        """What gives a process the clock *name*."""
        if not self.can_step:
            return {}
        self.step(name, 0)
        return {"LD_PRELOAD": str(self._library), _PLACE: str(self._offset(name))}

    def step(self, name: str, seconds: int) -> None:
        """Set the clock *name* to so many seconds after the true time."""
        written = self._folder / f"{name}.next"
        _ = written.write_text(str(seconds))
        # Its process may run as somebody else.
        written.chmod(0o644)
        _ = written.replace(self._offset(name))

    def _offset(self, name: str) -> Path:
        return self._folder / f"{name}.offset"
