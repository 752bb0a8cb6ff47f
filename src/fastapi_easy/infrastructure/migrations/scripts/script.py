"""One migration script."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VERSIONS: Final = "versions"
"""The folder of the scripts, in that which Alembic calls `script_location`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One migration script.

    Attributes:
        revision: Its revision.

        path: The file.

        text: What is in it.

        checksum: Of what it does.

        upgrade, downgrade: Its functions; `None` for one that it does not have.
    """

    revision: str
    path: Path
    text: str
    checksum: str
    upgrade: Callable[[], object] | None
    downgrade: Callable[[], object] | None

    @property
    def plan_file(self) -> Path:
        """The file beside it that has its plan."""
        return plan_file_of(self.path.parent, self.revision)


def script_files(folder: Path) -> list[Path]:
    """Return the scripts in *folder*, which need not exist; nothing is imported."""
    return sorted((folder / VERSIONS).glob("[!_.]*.py"))


def plan_file_of(folder: Path, revision: str) -> Path:
    """Return the file in *folder* for the plan of the script *revision*."""
    return folder / f"{revision}.plan.json"
