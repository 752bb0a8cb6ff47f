"""A client that records each command as a span of a trace."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.tracer import Span, Tracer
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import BatchCursor
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Commands, FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.counters import Counters
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import Address


class TracedClient(Client):
    """A `Client` whose commands, and the ends of its transactions, are spans."""

    def __init__(
        self,
        address: Address,
        options: ConnectionOptions,
        breaker: Callable[[], Breaker | None],
        tracer: Tracer,
    ) -> None:
        super().__init__(address, options, breaker)
        self._spans = _Spans(tracer, address.database)
        self.commands = TracedCommands(self.commands, self._spans)
        # Made again, because counters run commands, which shall be traced too.
        self.counters = Counters(self.call, self.database, self.commands, options.statement_timeout)

    async def open_cursor(
        self, collection: str, pipeline: Pipeline, batch_size: int, session: Session = None
    ) -> BatchCursor:
        """Open a cursor over what *pipeline* answers, in batches of *batch_size* documents."""
        with self._spans.start("aggregate", collection):
            return await super().open_cursor(collection, pipeline, batch_size, session)

    async def commit(self, session: Session) -> None:
        """Commit the transaction of *session*."""
        with self._spans.start("commitTransaction"):
            await super().commit(session)


class _Spans:
    """Makes the spans of one database."""

    def __init__(self, tracer: Tracer, database: str) -> None:
        self._tracer = tracer
        self._known = {"db.system.name": "mongodb", "db.namespace": database}

    def start(self, command: str, collection: str | None = None) -> AbstractContextManager[Span]:
        """Return the span of *command*, about *collection* if it is about one."""
        attributes = {**self._known, "db.operation.name": command}
        if collection is None:
            return self._tracer.span(command, attributes, is_client=True)
        attributes["db.collection.name"] = collection
        return self._tracer.span(f"{command} {collection}", attributes, is_client=True)


class TracedCommands:
    """Implements `Commands`: passes each on to *commands*, in a span."""

    def __init__(self, commands: Commands, spans: _Spans) -> None:
        self._commands = commands
        self._spans = spans

    async def find(
        self, collection: str, find_options: FindOptions, session: Session = None
    ) -> list[Document]:
        """Return the documents that match *find_options*."""
        with self._spans.start("find", collection):
            return await self._commands.find(collection, find_options, session)

    async def aggregate(self, collection: str, pipeline: Pipeline, session: Session = None) -> list[Document]:
        """Return every document that *pipeline* produces."""
        with self._spans.start("aggregate", collection):
            return await self._commands.aggregate(collection, pipeline, session)

    async def count(self, collection: str, match: Mapping[str, object], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        with self._spans.start("aggregate", collection):
            return await self._commands.count(collection, match, session)

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        with self._spans.start("insert", collection):
            await self._commands.insert(collection, document, session)

    async def find_and_modify(
        self,
        collection: str,
        match: Mapping[str, object],
        update: Mapping[str, object],
        session: Session = None,
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        with self._spans.start("findAndModify", collection):
            return await self._commands.find_and_modify(collection, match, update, session)

    async def remove(self, collection: str, match: Mapping[str, object], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        with self._spans.start("delete", collection):
            return await self._commands.remove(collection, match, session)
