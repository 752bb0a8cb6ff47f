"""Commands said on the connections of PyMongo's own pool, past its collections, cursors and implicit sessions.

For each command PyMongo's asynchronous client makes two tasks to hear one answer, and a session, a cursor and a
retrying helper around it: three times what saying it costs. The pool, the handshake, and what is known of the
servers stay PyMongo's. That is reached through names it keeps to itself, and so only in the versions where those are
known to be what is written here; in others, and where somebody watches its commands, it is asked in the ordinary way.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pymongo
from bson.int64 import Int64
from pymongo.errors import (
    ConnectionFailure,
    DocumentTooLarge,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.helpers_shared import (
    _RETRYABLE_ERROR_CODES,
    _check_command_response,
    _check_write_command_response,
)
from pymongo.message import _UNPACK_REPLY, _op_msg

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call, Commands, Document, Search
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_cache import Lines

KNOWN: Final = (4, 20)
"""The version of PyMongo in which the names used here are what they are taken for."""

_COMMANDS_LOGGER: Final = logging.getLogger("pymongo.command")


def is_known(client: Any, database: Any) -> bool:
    """Whether commands of *client* may be said directly: nobody compresses, encrypts or watches them."""
    if pymongo.version_tuple[:2] != KNOWN or not isinstance(client, pymongo.AsyncMongoClient):
        return False
    options = client.options
    pool = options.pool_options
    credentials, compression, listeners = pool._credentials, pool._compression_settings, pool._event_listeners  # noqa: SLF001
    return not (
        options.load_balanced
        or options.auto_encryption_opts
        or pool.server_api
        or (compression is not None and compression.compressors)
        or (credentials is not None and credentials.mechanism == "MONGODB-OIDC")
        or (listeners is not None and listeners.enabled_for_commands)
        or not database.write_concern.acknowledged
    )


@dataclass(slots=True)
class _Numbers:
    """Numbers under which the server carries out a write once, however often it hears of it."""

    id: uuid.UUID
    last: int = 0

    def name(self, command: Document) -> None:
        """Give *command* the next number."""
        self.last += 1
        command["lsid"] = {"id": self.id}
        command["txnNumber"] = Int64(self.last)


class DirectCommands:
    """Implements `Commands` for calls outside of transactions; others, and watched ones, go to *ordinary*.

    Args:
        call: Through which everything is asked.

        lines: The connections to say it on.

        client: PyMongo's asynchronous client.

        database: Its database.

        patience: Seconds the server may take, and those to wait for what it says then.

        ordinary: The driver's own way.
    """

    def __init__(
        self,
        call: Call,
        lines: Lines,
        client: Any,
        database: Any,
        patience: tuple[float, float],
        ordinary: Commands,
    ) -> None:
        self._call = call
        self._options = client.options
        self._name = database.name
        self._codec = database.codec_options
        self._limit, self._backstop = patience
        self._reading = _given("readConcern", database.read_concern.document)
        self._writing = _given("writeConcern", database.write_concern.document)
        self._ordinary = ordinary
        self._lines = lines
        self._numbers: list[_Numbers] = []

    async def find(self, collection: str, search: Search, session: Any = None) -> list[Document]:
        """The documents that *search* means."""
        if self._is_for_others(session):
            return await self._ordinary.find(collection, search, session)
        command = {"find": collection, "filter": search.match, "limit": search.limit, **self._reading}
        if search.limit > 1:
            command["batchSize"] = search.limit
            command["allowDiskUse"] = True
        if search.projection is not None:
            command["projection"] = search.projection
        if search.sort is not None:
            command["sort"] = search.sort
        if search.skip:
            command["skip"] = search.skip
        return await self._documents(collection, command)

    async def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], session: Any = None
    ) -> list[Document]:
        """Every document that *pipeline* answers."""
        if self._is_for_others(session):
            return await self._ordinary.aggregate(collection, pipeline, session)
        command = {"aggregate": collection, "pipeline": pipeline, "cursor": {}, "allowDiskUse": True}
        return await self._documents(collection, {**command, **self._reading})

    async def count(self, collection: str, match: Mapping[str, Any], session: Any = None) -> int:
        """How many documents *match* means."""
        if not match or self._is_for_others(session):
            # Of a whole collection the command would answer with what the server remembers, which may be wrong.
            return await self._ordinary.count(collection, match, session)
        counted = await self._read({"count": collection, "query": match, **self._reading})
        return int(counted["n"])

    async def insert(self, collection: str, document: Document, session: Any = None) -> None:
        """Add *document*."""
        if self._is_for_others(session):
            return await self._ordinary.insert(collection, document, session)
        _ = await self._write({"insert": collection, "documents": [document], **self._writing})
        return None

    async def change(
        self, collection: str, match: Mapping[str, Any], update: Mapping[str, Any], session: Any = None
    ) -> Document | None:
        """Change one document that *match* means, and answer it as it is then; `None` when there is none."""
        if self._is_for_others(session):
            return await self._ordinary.change(collection, match, update, session)
        command = {"findAndModify": collection, "query": match, "update": update, "new": True}
        changed: Document | None = (await self._write({**command, **self._writing})).get("value")
        return changed

    async def remove(self, collection: str, match: Mapping[str, Any], session: Any = None) -> bool:
        """Remove one document that *match* means; whether there was one."""
        if self._is_for_others(session):
            return await self._ordinary.remove(collection, match, session)
        deletes = [{"q": match, "limit": 1}]
        return bool((await self._write({"delete": collection, "deletes": deletes, **self._writing}))["n"])

    def _is_for_others(self, session: Any) -> bool:
        return session is not None or _COMMANDS_LOGGER.isEnabledFor(logging.DEBUG)

    async def _documents(self, collection: str, command: Document) -> list[Document]:
        cursor = (await self._read(command))["cursor"]
        documents: list[Document] = cursor["firstBatch"]
        while number := cursor["id"]:
            # More than one answer can hold.
            more = {"getMore": number, "collection": collection}
            cursor = (await self._call(lambda more=more: self._once(more), limited=False, ordinary=False))[
                "cursor"
            ]
            documents += cursor["nextBatch"]
        return documents

    async def _read(self, command: Document) -> Document:
        again = _may_read_again if self._options.retry_reads else _never
        answer: Document = await self._call(
            lambda: self._twice(command, again), limited=False, ordinary=False
        )
        return answer

    async def _write(self, command: Document) -> Document:
        answer: Document = await self._call(
            lambda: self._numbered(command), changes=True, limited=False, ordinary=False
        )
        _check_write_command_response(answer)
        return answer

    async def _numbered(self, command: Document) -> Document:
        server = await self._lines.server()
        if not (self._options.retry_writes and server.description.retryable_writes_supported):
            return await self._once(command)
        numbers = self._numbers.pop() if self._numbers else _Numbers(uuid.uuid4())
        numbers.name(command)
        answer = await self._twice(command, _may_write_again)
        # Those of a command that failed are not used again: it may still be going on.
        self._numbers.append(numbers)
        return answer

    async def _twice(self, command: Document, again: Callable[[PyMongoError], bool]) -> Document:
        """The answer to *command*; asked once more where what failed may pass, as the driver itself would."""
        try:
            return await self._once(command)
        except PyMongoError as error:
            if not again(error):
                raise
            first = error
        try:
            return await self._once(command)
        except ServerSelectionTimeoutError:
            raise first from None
        except PyMongoError as error:
            if error.has_error_label("NoWritesPerformed"):
                raise first from error
            raise

    async def _once(self, command: Document) -> Document:
        line = await self._lines.take()
        try:
            answer = await self._answer(line.connection, command)
        except BaseException as error:
            await self._lines.drop(line, error)
            raise
        self._lines.keep(line)
        return answer

    async def _answer(self, connection: Any, command: Document) -> Document:
        limit = deadline.within(self._limit)
        if "getMore" not in command:
            # Of what follows from a command the server knows already.
            command["maxTimeMS"] = max(1, round(limit * 1000))
        if self._lines.to_secondary:
            command["$readPreference"] = {"mode": "primaryPreferred"}
        number, message, _size, largest = _op_msg(0, command, self._name, None, self._codec)
        if largest > connection.max_bson_size:
            raise DocumentTooLarge(f"a document of {largest} bytes")
        wire = connection.conn.get_conn
        patience = asyncio.get_running_loop().call_later(
            limit + self._backstop, wire.close, NetworkTimeout("the server is silent")
        )
        try:
            await wire.write(message)
            data, code = await wire.read(number, connection.max_message_size)
        except BaseException as error:
            # Closes it: what is said on it from now on would be the answer to something else.
            await connection._raise_connection_failure(error)  # noqa: SLF001
            raise
        finally:
            patience.cancel()
        answer: Document = _UNPACK_REPLY[code](data).unpack_response(codec_options=self._codec)[0]
        _check_command_response(answer, connection.max_wire_version)
        return answer


def _given(name: str, document: Mapping[str, Any]) -> Document:
    return {name: document} if document else {}


def _may_read_again(error: PyMongoError) -> bool:
    if isinstance(error, OperationFailure):
        return error.code in _RETRYABLE_ERROR_CODES
    return isinstance(error, ConnectionFailure) and not isinstance(error, _LASTING)


def _may_write_again(error: PyMongoError) -> bool:
    if isinstance(error, NotPrimaryError | OperationFailure):
        details: Any = error.details or {}
        return "RetryableWriteError" in details.get("errorLabels", ())
    return isinstance(error, ConnectionFailure) and not isinstance(error, _LASTING)


def _never(error: PyMongoError) -> bool:
    return False


_LASTING: Final = (NetworkTimeout, ServerSelectionTimeoutError, WaitQueueTimeoutError)
"""What has taken all the time there is."""
