"""The outbox of a relational database: rows of `fe_outbox`, written by the journal."""

from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.tables import OUTBOX, OUTBOX_HEAD
from fastapi_easy.infrastructure.outbox.relational.claims import Claims
from fastapi_easy.infrastructure.outbox.relational.connection import SystemConnection
from fastapi_easy.infrastructure.outbox.relational.parked import ParkedMessages
from fastapi_easy.infrastructure.outbox.relational.positions import Positions
from fastapi_easy.infrastructure.outbox.server_outbox import ServerOutbox
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase

_READ_ONLY: Final = (
    "messages about changes cannot be written, since the database takes no changes: declare its resources without "
    "events"
)


class RelationalOutbox(ServerOutbox):
    """Implements `Outbox` in *database*."""

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        connection = SystemConnection(database, (OUTBOX, OUTBOX_HEAD))
        self._heads = Positions(connection)
        super().__init__(connection.attempt, Claims(connection), ParkedMessages(connection), self._heads)

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the tables."""
        if self._database.is_read_only:
            return Success((_READ_ONLY,))
        added = await self._attempt(self._heads.add_head)
        return added if isinstance(added, Failure) else Success(())
