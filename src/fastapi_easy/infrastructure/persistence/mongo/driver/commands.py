"""The commands that nearly every request comes to, and how the driver's own collections carry them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pymongo import ReturnDocument

from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session

_TOTAL: Final = "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOptions:
    """Which documents of a collection, in which order.

    Attributes:
        match: Which ones.

        projection: What of each; `None` for all of it.

        sort: By what, the most important first; nothing for any order.

        skip: How many to pass over.

        limit: How many at most; 1 or more.
    """

    match: Mapping[str, Any]
    projection: Mapping[str, Any] | None = None
    sort: Mapping[str, int] | None = None
    skip: int = 0
    limit: int = 1


class Call(Protocol):
    """How a client carries out what needs one connection (`Client.call`)."""

    async def __call__(
        self,
        operation: Any,
        *,
        is_write: bool = False,
        has_timeout: bool = True,
        uses_driver_pool: bool = True,
    ) -> Any: ...


class Commands(Protocol):
    """What one collection can be asked with one command. What fails raises what the driver raises."""

    async def find(
        self, collection: str, find_options: FindOptions, session: Session = None
    ) -> list[Document]:
        """Return the documents that match *find_options*."""
        ...

    async def aggregate(self, collection: str, pipeline: Pipeline, session: Session = None) -> list[Document]:
        """Return every document that *pipeline* produces."""
        ...

    async def count(self, collection: str, match: Mapping[str, Any], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        ...

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        ...

    async def find_and_modify(
        self, collection: str, match: Mapping[str, Any], update: Mapping[str, Any], session: Session = None
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        ...

    async def remove(self, collection: str, match: Mapping[str, Any], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        ...


class DriverCommands:
    """Implements `Commands` through the collections of the driver, PyMongo's or Motor's.

    Args:
        call: Through which the driver is asked.

        database: The driver's database.
    """

    def __init__(self, call: Call, database: Any) -> None:
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
            # Motor gives the cursor at once.
            return await (cursor if hasattr(cursor, "to_list") else await cursor).to_list(None)

        found: list[Document] = await self._call(read, is_write=session is not None)
        return found

    async def count(self, collection: str, match: Mapping[str, Any], session: Session = None) -> int:
        """Return the number of documents that *match* selects."""
        found = await self.aggregate(collection, [{"$match": match}, {"$count": _TOTAL}], session)
        return int(found[0][_TOTAL]) if found else 0

    async def insert(self, collection: str, document: Document, session: Session = None) -> None:
        """Insert *document*."""
        kept = self._database[collection]
        _ = await self._call(lambda: kept.insert_one(document, session=session), is_write=True)

    async def find_and_modify(
        self, collection: str, match: Mapping[str, Any], update: Mapping[str, Any], session: Session = None
    ) -> Document | None:
        """Update one document that *match* selects, and return it as it is then; `None` when there is none."""
        kept = self._database[collection]
        changed: Document | None = await self._call(
            lambda: kept.find_one_and_update(
                match, update, return_document=ReturnDocument.AFTER, session=session
            ),
            is_write=True,
        )
        return changed

    async def remove(self, collection: str, match: Mapping[str, Any], session: Session = None) -> bool:
        """Delete one document that *match* selects; return whether there was one."""
        kept = self._database[collection]
        done = await self._call(lambda: kept.delete_one(match, session=session), is_write=True)
        return bool(done.deleted_count)
