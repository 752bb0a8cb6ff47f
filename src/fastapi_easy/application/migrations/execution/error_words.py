"""Errors of stores in sentences, for ledgers and for people."""

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, Unavailable
from fastapi_easy.domain.migrations.stopped import MigrationStopped


def describe_error(error: Error) -> str:
    """Return what *error* means for a step."""
    if isinstance(error, MigrationStopped):
        return error.message
    if isinstance(error, LockHeld):
        return f"other sessions held locks on what it changes for too long ({error.name})"
    if isinstance(error, LockLost):
        return f"the lock of migrations was lost ({error.name})"
    if isinstance(error, Unavailable):
        return f"{error.dependency} did not answer"
    return f"the store answered {error.code}"
