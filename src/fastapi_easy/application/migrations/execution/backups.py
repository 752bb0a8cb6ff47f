"""Copies the database before something is deleted or rebuilt, where it is one that is copied."""

from returns.result import Failure, Success

from fastapi_easy.application.migrations.execution.step_executor import StepExecutor
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.schema_store import SchemaStore


async def back_up(store: SchemaStore, steps: StepExecutor) -> Outcome[None]:
    """Copy the database and note where the copy is.

    Fails with:
        MigrationStopped: There is not enough free space.

        Unavailable: The database does not answer.
    """
    copied = await store.backup()
    if isinstance(copied, Failure):
        return copied
    if copied.unwrap():
        # Nothing went wrong, so nobody but whoever asked is told.
        steps.notes.append(f"a copy of the database from before is at {copied.unwrap()}")
    return Success(None)
