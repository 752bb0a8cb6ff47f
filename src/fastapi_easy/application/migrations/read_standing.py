"""Tell in one word how a database stands to what is declared."""

import enum

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.ports.schema_store import SchemaStore


class Standing(enum.StrEnum):
    """How a database stands to what is declared."""

    CURRENT = "current"
    """It was brought to what is declared."""

    PENDING = "pending"
    """It was brought to something else: a plan says what is left to do."""

    RUNNING = "running"
    """Somebody migrates it, or was cut off doing so."""

    FAILED = "failed"
    """A run has failed and can be gone on with."""

    BLOCKED = "blocked"
    """Nobody can tell what a step has done: it needs repair."""

    UNMANAGED = "unmanaged"
    """Nothing was ever migrated here."""


_OF_RUNS = {
    RunState.RUNNING: Standing.RUNNING,
    RunState.FAILED: Standing.FAILED,
    RunState.BLOCKED: Standing.BLOCKED,
}


class ReadStandingHandler:
    """Reads the ledger, and nothing else.

    Args:
        store: The stored schema and its ledger.
    """

    def __init__(self, store: SchemaStore) -> None:
        self._store = store

    async def __call__(self) -> Outcome[Standing]:
        """Return how the database stands, by what its ledger says; that is quick.

        Fails with:
            Unavailable: The database does not answer.
        """
        read = await self._store.history()
        if isinstance(read, Failure):
            return read
        history = read.unwrap()
        if not history.exists:
            return Success(Standing.UNMANAGED)
        if history.unfinished is not None:
            return Success(_OF_RUNS[history.unfinished.state])
        declared = await self._store.declared()
        if isinstance(declared, Failure):
            return declared
        return Success(Standing.CURRENT if history.declared == declared.unwrap() else Standing.PENDING)
