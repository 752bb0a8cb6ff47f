"""The folder in which migration scripts are, laid out as Alembic does."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic.script import Script as AlembicScript
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.infrastructure.migrations.scripts.canonical import checksum_of
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import VERSIONS, Script, script_files

TEMPLATE: Final = "script.py.mako"

_TEMPLATE_TEXT: Final = '''"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''


class ScriptFolder:
    """The folder in which migration scripts are.

    Args:
        path: What Alembic calls `script_location`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def has_scripts(self) -> bool:
        """Return whether there is any script; nothing is imported."""
        return bool(script_files(self.path))

    def read(self) -> Sequence[Script]:
        """Return the scripts from the first to the last. They are imported.

        Raises:
            ScriptRefusal: One cannot be imported, or they are not in one line.
        """
        if not self.has_scripts():
            return ()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = self._in_order(ScriptDirectory(self.path))
        except (CommandError, UserWarning) as error:
            raise ScriptRefusal(f"the scripts in {self.path} are not in order: {error}") from error
        return [self._script(each) for each in found]

    def write(self, revision: str, message: str, upgrade: str, downgrade: str, imports: str) -> Script:
        """Write the next script, and what is missing of the folder, and return it.

        Raises:
            ScriptRefusal: The scripts that are there are not in one line, or what was written cannot be imported.
        """
        before = self.read()
        versions = self.path / VERSIONS
        versions.mkdir(parents=True, exist_ok=True)
        template = self.path / TEMPLATE
        if not template.exists():
            _ = template.write_text(_TEMPLATE_TEXT, "utf-8")
        # Stdout is for the report.
        directory = ScriptDirectory(self.path, messaging_opts={"quiet": True})
        head = before[-1].revision if before else "base"
        try:
            written = directory.generate_revision(
                revision, message, head=head, upgrades=upgrade, downgrades=downgrade, imports=imports
            )
        except CommandError as error:
            raise ScriptRefusal(f"no script was written to {versions}: {error}") from error
        if written is None:
            raise ScriptRefusal(f"what was written to {versions} is not a script: look at {template}")
        return self._script(written)

    def _in_order(self, directory: ScriptDirectory) -> list[AlembicScript]:
        try:
            heads, bases = directory.get_heads(), directory.get_bases()
        except CommandError:
            raise
        except Exception as error:
            # A script may raise anything when it is imported.
            raise ScriptRefusal(f"a script in {self.path} cannot be imported: {error!r}") from error
        if len(heads) > 1:
            raise ScriptRefusal(
                f"the scripts in {self.path} have several ends: {', '.join(sorted(heads))}. Let one of them come after "
                "the other (down_revision), so that everybody executes them in one order",
                MigrationStop.CHANGED,
            )
        in_order = list(directory.walk_revisions())[::-1]
        forked = [each.revision for each in in_order if each.is_merge_point or each.is_branch_point]
        if forked or len(bases) > 1:
            names = ", ".join(forked or sorted(bases))
            raise ScriptRefusal(
                f"the scripts in {self.path} are not in one line ({names}): nobody could tell in which order a "
                "database has got them. Let each come after one other",
                MigrationStop.CHANGED,
            )
        return in_order

    def _script(self, found: AlembicScript) -> Script:
        path = Path(found.path)
        text = path.read_text("utf-8")
        return Script(
            revision=found.revision,
            path=_shown(path),
            text=text,
            checksum=checksum_of(text, path.name),
            upgrade=getattr(found.module, "upgrade", None),
            downgrade=getattr(found.module, "downgrade", None),
        )


def _shown(path: Path) -> Path:
    """Return *path* from the current folder, where it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
