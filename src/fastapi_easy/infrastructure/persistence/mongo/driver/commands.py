"""The commands that nearly every request needs, and the driver's own methods for them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pymongo import ReturnDocument

from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import DriverDatabase, Session

T = TypeVar("T")

_TOTAL: Final = "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOptions:
    """The options of a `find`.

    Attributes:
        match: The filter.

        projection: The fields of each document; `None` for all of them.

        sort: The paths to sort by, the most important first, with 1 or -1; `None` for any order.

        skip: How many documents to skip.

        limit: How many documents at most; 1 or more.
    """

    match: Mapping[str, object]
    projection: Mapping[str, object] | None = None
    sort: Mapping[str, int] | None = None
    skip: int = 0
    limit: int = 1


class Call(Protocol):
    """The type of `Client.call`: runs what needs one connection."""

    async def __call__(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        is_write: bool = False,
        has_timeout: bool = True,
        uses_driver_pool: bool = True,
    ) -> T: ...


class Commands(Protocol):
    """Commands on one collection. Each raises what the driver raises."""

    async def find(
        self, collection: str, find_options: FindOptions, session: Session = None
    ) -> list[Document]:
        """Return the documents that match *find_options*."""
        ...

    async def aggregate(self, collection: str, pipeline: Pipeline, session: Session = None) -> list[Document]:
        """Return every document that *pipeline* produces."""
        ...

    async def count(self, collection: str, match: Mapping[str, object], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        ...

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        ...

    async def find_and_modify(
        self,
        collection: str,
        match: Mapping[str, object],
        update: Mapping[str, object],
        session: Session = None,
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        ...

    async def remove(self, collection: str, match: Mapping[str, object], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        ...


class DriverCommands:
    """Implements `Commands` through the collections of the driver, PyMongo's or Motor's.

    Args:
        call: Runs each call of the driver (`Client.call`).

        database: The driver's database.
    """

    def __init__(self, call: Call, database: DriverDatabase) -> None:
        self._call = call
        self._database = database

    async def find(
        self, collection: str, find_options: FindOptions, session: Session = None
    ) -> list[Document]:
        """Return the documents that match *find_options*."""

        def read() -> Any:
            return (
                self._database[collection]
                .find(
                    find_options.match,
                    find_options.projection,
                    sort=None if find_options.sort is None else list(find_options.sort.items()),
                    skip=find_options.skip,
                    limit=find_options.limit,
                    # All in one batch, as far as a reply can hold them.
                    batch_size=find_options.limit,
                    allow_disk_use=True,
                    session=session,
                )
                .to_list(None)
            )

        found: list[Document] = await self._call(read, is_write=session is not None)
        return found

    async def aggregate(self, collection: str, pipeline: Pipeline, session: Session = None) -> list[Document]:
        """Return every document that *pipeline* produces."""

        async def read() -> Any:
            cursor = self._database[collection].aggregate(pipeline, session=session, allowDiskUse=True)
            # Motor returns the cursor, PyMongo a coroutine that returns it.
            return await (cursor if hasattr(cursor, "to_list") else await cursor).to_list(None)

        found: list[Document] = await self._call(read, is_write=session is not None)
        return found

    async def count(self, collection: str, match: Mapping[str, object], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        found = await self.aggregate(collection, [{"$match": match}, {"$count": _TOTAL}], session)
        return int(found[0][_TOTAL]) if found else 0

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        target = self._database[collection]
        _ = await self._call(lambda: target.insert_one(document, session=session), is_write=True)

    async def find_and_modify(
        self,
        collection: str,
        match: Mapping[str, object],
        update: Mapping[str, object],
        session: Session = None,
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        target = self._database[collection]
        changed: Document | None = await self._call(
            lambda: target.find_one_and_update(
                match, update, return_document=ReturnDocument.AFTER, session=session
            ),
            is_write=True,
        )
        return changed

    async def remove(self, collection: str, match: Mapping[str, object], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        target = self._database[collection]
        done = await self._call(lambda: target.delete_one(match, session=session), is_write=True)
        return bool(done.deleted_count)
