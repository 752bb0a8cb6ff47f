"""Units of work that include what models do by themselves."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase


class TortoiseUnitOfWork(SqlAlchemyUnitOfWork):
    """Implements `UnitOfWork` on one `TortoiseDatabase`.

    Between its beginning and its end `Book.filter(…)`, `await book.save()` and the like take part in it.
    """

    def __init__(self, database: TortoiseDatabase, *arguments: Any, **named: Any) -> None:
        super().__init__(database, *arguments, **named)
        self._tortoise_database = database
        self._entered = ExitStack()

    async def __aenter__(self) -> Self:
        """Begin, and let the methods of models take part."""
        self._entered.enter_context(self._tortoise_database.activate(self._transaction))
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed and give back the connection."""
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            self._entered.close()
