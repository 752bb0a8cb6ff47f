"""Commands written straight to the connections of PyMongo's own pool, past its collections, cursors and sessions.

For each command PyMongo's asynchronous client makes two tasks to read one reply, and a session, a cursor and a
retrying helper around it: three times what the command itself costs. Requests per second, beside `DriverCommands`:

| request | get | list | create | patch |
|---|---|---|---|---|
| times as many | 1.58 | 1.36 | 1.45 | 1.57 |

(PyMongo 4.20.0, in-process requests, a replica set of one on the same two cores; per second of CPU 1.5 to 2.1.)

The pool, the handshake, and the monitoring of servers stay PyMongo's. They are reached through private names, which
`pymongo_internals` gathers and `is_supported` checks: other versions of PyMongo, Motor, and clients whose commands
are watched, compressed or encrypted take `DriverCommands`.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

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

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call, Commands, FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_cache import ConnectionCache
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import (
    DriverClient,
    DriverDatabase,
    Session,
)
from fastapi_easy.infrastructure.persistence.mongo.driver.pymongo_internals import (
    RETRYABLE_ERROR_CODES,
    check_command_response,
    check_write_command_response,
    is_known_version,
    is_plain,
    op_msg,
    raise_connection_failure,
    unpack_reply,
)

_COMMANDS_LOGGER: Final = logging.getLogger("pymongo.command")


def is_supported(client: DriverClient, database: DriverDatabase) -> bool:
    """Return whether commands of *client* may be sent directly: neither compressed, encrypted nor watched."""
    if not is_known_version(client):
        return False
    options = client.options
    return is_plain(client) and not (
        # Behind a load balancer a cursor is bound to its connection, which is not kept for it here.
        options.load_balanced
        or options.auto_encryption_opts
        or options.pool_options.server_api
        or not database.write_concern.acknowledged
    )


@dataclass(slots=True)
class _RetryableWriteSession:
    """A session and the transaction numbers in it, under which the server makes a write once, however often it comes.

    Attributes:
        id: Of the session; chosen by the client.

        last: The number of the last write.
    """

    id: uuid.UUID
    last: int = 0

    def number_command(self, command: Document) -> None:
        """Stamp *command* with the next number."""
        self.last += 1
        command["lsid"] = {"id": self.id}
        command["txnNumber"] = Int64(self.last)


class WireCommands:
    """Implements `Commands` for calls outside of transactions; others, and logged ones, go to *fallback*.

    Args:
        call: Runs each call within the limits (`Client.call`).

        connection_cache: The connections to write commands to.

        client: PyMongo's asynchronous client.

        database: Its database.

        timeouts: Seconds the server may take, and seconds to wait for its reply after that.

        fallback: The driver's own methods.
    """

    def __init__(
        self,
        call: Call,
        connection_cache: ConnectionCache,
        client: DriverClient,
        database: DriverDatabase,
        timeouts: tuple[float, float],
        fallback: Commands,
    ) -> None:
        self._call = call
        self._options = client.options
        self._name = database.name
        self._codec = database.codec_options
        self._limit, self._timeout_margin = timeouts
        self._read_concern = _optional("readConcern", database.read_concern.document)
        self._write_concern = _optional("writeConcern", database.write_concern.document)
        self._fallback = fallback
        self._connection_cache = connection_cache
        self._idle_write_sessions: list[_RetryableWriteSession] = []

    async def find(
        self, collection: str, find_options: FindOptions, session: Session = None
    ) -> list[Document]:
        """Return the documents that match *find_options*."""
        if self._needs_fallback(session):
            return await self._fallback.find(collection, find_options, session)
        command = {
            "find": collection,
            "filter": find_options.match,
            "limit": find_options.limit,
            **self._read_concern,
        }
        if find_options.limit > 1:
            command["batchSize"] = find_options.limit
            command["allowDiskUse"] = True
        if find_options.projection is not None:
            command["projection"] = find_options.projection
        if find_options.sort is not None:
            command["sort"] = find_options.sort
        if find_options.skip:
            command["skip"] = find_options.skip
        return await self._documents(collection, command)

    async def aggregate(self, collection: str, pipeline: Pipeline, session: Session = None) -> list[Document]:
        """Return every document that *pipeline* produces."""
        if self._needs_fallback(session):
            return await self._fallback.aggregate(collection, pipeline, session)
        command = {"aggregate": collection, "pipeline": pipeline, "cursor": {}, "allowDiskUse": True}
        return await self._documents(collection, {**command, **self._read_concern})

    async def count(self, collection: str, match: Mapping[str, object], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        if not match or self._needs_fallback(session):
            # About a whole collection `count` answers from the metadata, which may be wrong after a crash.
            return await self._fallback.count(collection, match, session)
        counted = await self._read({"count": collection, "query": match, **self._read_concern})
        return int(counted["n"])

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        if self._needs_fallback(session):
            return await self._fallback.insert(collection, document, session)
        _ = await self._write({"insert": collection, "documents": [document], **self._write_concern})
        return None

    async def find_and_modify(
        self,
        collection: str,
        match: Mapping[str, object],
        update: Mapping[str, object],
        session: Session = None,
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        if self._needs_fallback(session):
            return await self._fallback.find_and_modify(collection, match, update, session)
        command = {"findAndModify": collection, "query": match, "update": update, "new": True}
        changed: Document | None = (await self._write({**command, **self._write_concern})).get("value")
        return changed

    async def remove(self, collection: str, match: Mapping[str, object], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        if self._needs_fallback(session):
            return await self._fallback.remove(collection, match, session)
        deletes = [{"q": match, "limit": 1}]
        return bool(
            (await self._write({"delete": collection, "deletes": deletes, **self._write_concern}))["n"]
        )

    def _needs_fallback(self, session: Session) -> bool:
        return session is not None or _COMMANDS_LOGGER.isEnabledFor(logging.DEBUG)

    async def _documents(self, collection: str, command: Document) -> list[Document]:
        cursor = (await self._read(command))["cursor"]
        documents: list[Document] = cursor["firstBatch"]
        while number := cursor["id"]:
            # A reply holds 16 MB at most; the rest is asked for on the same cursor.
            more = {"getMore": number, "collection": collection}
            cursor = (
                await self._call(partial(self._send_once, more), has_timeout=False, uses_driver_pool=False)
            )["cursor"]
            documents += cursor["nextBatch"]
        return documents

    async def _read(self, command: Document) -> Document:
        is_retryable = _is_retryable_read if self._options.retry_reads else _never
        answer: Document = await self._call(
            lambda: self._send_with_retry(command, is_retryable), has_timeout=False, uses_driver_pool=False
        )
        return answer

    async def _write(self, command: Document) -> Document:
        answer: Document = await self._call(
            lambda: self._send_retryable_write(command),
            is_write=True,
            has_timeout=False,
            uses_driver_pool=False,
        )
        check_write_command_response(answer)
        return answer

    async def _send_retryable_write(self, command: Document) -> Document:
        server = await self._connection_cache.server()
        if not (self._options.retry_writes and server.description.retryable_writes_supported):
            return await self._send_once(command)
        write_session = (
            self._idle_write_sessions.pop()
            if self._idle_write_sessions
            else _RetryableWriteSession(uuid.uuid4())
        )
        write_session.number_command(command)
        answer = await self._send_with_retry(command, _is_retryable_write)
        # Only now: after a failure the session is not used again, since its command may still be running.
        self._idle_write_sessions.append(write_session)
        return answer

    async def _send_with_retry(
        self, command: Document, is_retryable: Callable[[PyMongoError], bool]
    ) -> Document:
        """Send *command*, once more where the failure may pass, as the driver itself would."""
        try:
            return await self._send_once(command)
        except PyMongoError as error:
            if not is_retryable(error):
                raise
            first = error
        try:
            return await self._send_once(command)
        except ServerSelectionTimeoutError:
            raise first from None
        except PyMongoError as error:
            if error.has_error_label("NoWritesPerformed"):
                raise first from error
            raise

    async def _send_once(self, command: Document) -> Document:
        cached = await self._connection_cache.take()
        try:
            answer = await self._send(cached.connection, command)
        except BaseException as error:
            await self._connection_cache.discard(cached, error)
            raise
        self._connection_cache.release(cached)
        return answer

    async def _send(self, connection: Any, command: Document) -> Document:
        limit = deadline.within(self._limit)
        if "getMore" not in command:
            # The server applies the limit of the first command to the batches that follow, and rejects another one.
            command["maxTimeMS"] = max(1, round(limit * 1000))
        if self._connection_cache.to_secondary:
            command["$readPreference"] = {"mode": "primaryPreferred"}
        number, message, _size, largest = op_msg(0, command, self._name, None, self._codec)
        if largest > connection.max_bson_size:
            raise DocumentTooLarge(f"a document of {largest} bytes")
        wire = connection.conn.get_conn
        timeout_handle = asyncio.get_running_loop().call_later(
            limit + self._timeout_margin, wire.close, NetworkTimeout("the server did not answer in time")
        )
        try:
            await wire.write(message)
            data, code = await wire.read(number, connection.max_message_size)
        except BaseException as error:
            # Closes it: the next read on it would get the reply to this command.
            await raise_connection_failure(connection, error)
            raise
        finally:
            timeout_handle.cancel()
        answer: Document = unpack_reply[code](data).unpack_response(codec_options=self._codec)[0]
        check_command_response(answer, connection.max_wire_version)
        return answer


def _optional(name: str, document: Mapping[str, Any]) -> Document:
    return {name: document} if document else {}


def _is_retryable_read(error: PyMongoError) -> bool:
    if isinstance(error, OperationFailure):
        return error.code in RETRYABLE_ERROR_CODES
    return isinstance(error, ConnectionFailure) and not isinstance(error, _NOT_RETRYABLE)


def _is_retryable_write(error: PyMongoError) -> bool:
    if isinstance(error, NotPrimaryError | OperationFailure):
        details: Any = error.details or {}
        return "RetryableWriteError" in details.get("errorLabels", ())
    return isinstance(error, ConnectionFailure) and not isinstance(error, _NOT_RETRYABLE)


def _never(error: PyMongoError) -> bool:
    return False


_NOT_RETRYABLE: Final = (NetworkTimeout, ServerSelectionTimeoutError, WaitQueueTimeoutError)
"""What has taken all the time there is."""
