"""Migration scripts of one relational database.

Alembic, and what stands on it, is imported by whoever has something to do with scripts.
"""
# ruff: noqa: PLC0415 (the reason is above)

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.ports.migration_scripts import ScriptPart
from fastapi_easy.infrastructure.migrations.relational.store import RelationalSchemaStore
from fastapi_easy.infrastructure.migrations.scripts.documents import PlanDocuments
from fastapi_easy.infrastructure.migrations.scripts.script import script_files


class _Work(Protocol):
    async def pending(self, history: History) -> Outcome[Sequence[ScriptPart]]: ...

    async def make(self, plan: MigrationPlan, message: str, hints: Hints) -> Outcome[str]: ...

    async def stamp(self, revision: str | None, history: History) -> Outcome[Sequence[ScriptPart]]: ...


class RelationalScripts:
    """Implements `ScriptSource` with scripts of Alembic.

    Args:
        store: The database that they are for.

        folder: Where they are.

        documents: How the plans beside them are written.
    """

    def __init__(self, store: RelationalSchemaStore, folder: Path, documents: PlanDocuments) -> None:
        self._store = store
        self._folder = folder
        self._documents = documents

    @property
    def has_scripts(self) -> bool:
        """Whether there is any script; nothing is imported."""
        return bool(script_files(self._folder))

    async def pending(self, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what the scripts do that the database has not got yet, in order.

        Which it has got, the table of Alembic says, so that Alembic may be used as well; without one, the ledger.

        Fails with:
            MigrationStopped: `NO_HISTORY`, `CHANGED`, `AHEAD` as the port says; `UNSUPPORTED` when a script does what
                only a database can answer.

            Unavailable: The database does not answer.
        """
        return await self._work().pending(history)

    async def make(self, plan: MigrationPlan, message: str, hints: Hints) -> Outcome[str]:
        """Write a script that does what *plan* does, and the plan beside it, and return where the script is.

        Fails with:
            MigrationStopped: `CHANGED` when the scripts are not in one line, `DRIFT` when the schema has changed since
                *plan* was made.

            Unavailable: The database does not answer.
        """
        return await self._work().make(plan, message, hints)

    async def stamp(self, revision: str | None, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what records that the database is at *revision*, as the port says.

        Fails with:
            NotFound: There is no such script.

            MigrationStopped: The scripts are not in one line.

            Unavailable: The database does not answer.
        """
        return await self._work().stamp(revision, history)

    def _work(self) -> _Work:
        from fastapi_easy.infrastructure.migrations.scripts.work import AlembicScripts

        return AlembicScripts(self._store, self._folder, self._documents)
