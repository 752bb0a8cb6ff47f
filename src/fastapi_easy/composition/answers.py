"""What a database answers at start, as what a start raises."""

from collections.abc import Sequence
from typing import TypeVar

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError, Error, Outcome
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.silence import describe_silence

__all__ = ["answer", "require_none"]

T = TypeVar("T")


def answer(database: Database, outcome: Outcome[T]) -> T:
    """Return what *outcome* holds.

    Raises:
        DeclarationError: A migration does not go on.

        ConnectionError: The database does not answer.
    """
    if not isinstance(outcome, Failure):
        return outcome.unwrap()
    error: Error = outcome.failure()
    if isinstance(error, MigrationStopped):
        raise DeclarationError(
            [f"database {database.name!r}: {each}" for each in (error.message, *error.details)]
        )
    raise ConnectionError(
        f"database {database.name!r} ({database.technology}) {describe_silence(error, database.name)}"
    )


def require_none(database: Database, differences: Sequence[str]) -> None:
    """Raise `DeclarationError` with *differences*, if there are any."""
    if differences:
        raise DeclarationError([f"database {database.name!r}: {each}" for each in differences])
