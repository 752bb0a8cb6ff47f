"""Migration scripts: files in which people review and edit the steps from one schema to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Finding
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.migrations.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPart:
    """What one script does.

    Attributes:
        revision: Its revision.

        steps: In order. The last one, in its own transaction where the database has one, records the revision where the
            tool that the scripts belong to looks for it; so does its reverse.

        suppressions: The findings that its comments say do not count.

        findings: What was found in the file itself.

        path: Where it is, for people.
    """

    revision: str
    steps: tuple[Step, ...]
    suppressions: tuple[Suppression, ...] = ()
    findings: tuple[Finding, ...] = ()
    path: str = ""


@runtime_checkable
class ScriptSource(Protocol):
    """Migration scripts of one database. It reads the database and writes files; only a session changes a schema."""

    @property
    def has_scripts(self) -> bool:
        """Whether there is any script: without, plans come from a comparison."""
        ...

    async def pending(self, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what the scripts do that are not applied yet, in order.

        Fails with:
            MigrationStopped: `NO_HISTORY` when the database has tables and nobody knows which scripts made them,
                `CHANGED` when a script that was applied is not what it was, `AHEAD` when the database has a revision
                that there is no script of.

            Unavailable: The database does not answer.
        """
        ...

    async def make(self, plan: MigrationPlan, message: str, hints: Hints) -> Outcome[str]:
        """Write a script that does what *plan* does, after the last one, and return where it is.

        Args:
            plan: A comparison of now.

            message: What it is about, in a few words.

            hints: Those that *plan* was made with.

        Fails with:
            MigrationStopped: The scripts are not in one line, so that nobody knows what it comes after; or the stored
                schema is not any more the one that *plan* was made for.

            Unavailable: The database does not answer.
        """
        ...

    async def stamp(self, revision: str | None, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what records that the database is at *revision* without changing it otherwise.

        Args:
            revision: The last script whose changes it has; `None` for the one that the database says already, or else
                the last of all.

            history: The ledger.

        Returns:
            One part for each revision that has to be adopted, in order; the steps are those of the last one, and may be
            none.

        Fails with:
            NotFound: There is no such script.
        """
        ...
