"""The connections of migrations to one MongoDB database: without limits of time, as the build of an index may last."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure

from fastapi_easy.domain.errors import LockHeld
from fastapi_easy.infrastructure.migrations.mongo.failures import Refused
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_counter import ConnectionCounter
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import (
    DriverClient,
    DriverDatabase,
    make_driver_client,
    open_driver_database,
)
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve

_LIMITS: Final = ConnectionOptions(
    pool_size=8, pool_timeout=30.0, connect_timeout=3.0, statement_timeout=7 * 24 * 3600.0
)
_MARK: Final = "fe_migration"
"""The member of the comment of each command by which it is found among what the server is doing."""

_READS: Final = frozenset({"find"})
_ADMIN_COMMANDS: Final = frozenset({"renameCollection"})
_END_ATTEMPTS: Final = 50
_END_PAUSE: Final = 0.1


class MongoConnections:
    """The connections of migrations to one database. Nothing is connected before the first call.

    Args:
        url: Of the database; Motor's is read as PyMongo's, which Motor needs too.
    """

    def __init__(self, url: str) -> None:
        self._address = dataclasses.replace(resolve(url), driver="pymongo")
        self._client: DriverClient | None = None

    @property
    def database_name(self) -> str:
        """The name of the database on its server."""
        return self._address.database

    @property
    def database(self) -> DriverDatabase:
        """The driver's database."""
        if self._client is None:
            self._client = make_driver_client(self._address, _LIMITS, ConnectionCounter())
        return open_driver_database(self._client, self._address)

    async def execute(self, command: Mapping[str, Any], epoch: int, seconds: float = 0.0) -> Document:
        """Execute *command* and return what the server answers, once most of its members have it too.

        Args:
            command: Changes something, unless it is a `find`.

            epoch: The fencing number of whoever asks.

            seconds: How long it may take; 0 for any number.

        Raises:
            OperationFailure: The server refused it, or some of it.
        """
        database = self.database
        asked = {**command, "comment": {_MARK: self.database_name, "epoch": epoch}}
        name = next(iter(command), "")
        if database.write_concern.document and name not in _READS:
            asked["writeConcern"] = database.write_concern.document
        if seconds > 0:
            asked["maxTimeMS"] = max(1, round(seconds * 1000))
        place = database.client.admin if name in _ADMIN_COMMANDS else database
        answer: Document = await place.command(asked)
        for each in (*(answer.get("writeErrors") or ()), answer.get("writeConcernError")):
            if each is not None:
                raise OperationFailure(str(each.get("errmsg", "")), each.get("code"), dict(each))
        return answer

    async def end_statements(self, before: int) -> None:
        """End what sessions with a fencing number smaller than *before* have left running, and wait for its end.

        Raises:
            Refused: It does not end.
        """
        for attempt in range(_END_ATTEMPTS):
            found = [each async for each in self._running(before)]
            if not found:
                return
            if attempt % 10 == 0:
                for each in found:
                    # It may have ended meanwhile. Without the privilege it has to end by itself.
                    with contextlib.suppress(OperationFailure):
                        _ = await self.database.client.admin.command({"killOp": 1, "op": each["opid"]})
            await asyncio.sleep(_END_PAUSE)
        raise Refused(LockHeld(f"a command of an earlier migration of {self.database_name}"))

    async def operations(self, match: Mapping[str, Any]) -> list[Document]:
        """Return what the server is doing that *match* selects; nothing where it does not tell."""
        try:
            cursor = await self.database.client.admin.aggregate(
                [{"$currentOp": {"allUsers": False}}, {"$match": dict(match)}]
            )
            found: list[Document] = await cursor.to_list(None)
        except OperationFailure:
            return []
        return found

    async def _running(self, before: int) -> AsyncIterator[Document]:
        # The build of an index goes on in a thread without a connection, which ends with the command that began it.
        match = {
            f"command.comment.{_MARK}": self.database_name,
            "command.comment.epoch": {"$lt": before},
            "connectionId": {"$exists": True},
        }
        for each in await self.operations(match):
            yield each

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
