"""Reading a cursor of the server batch by batch."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call


class BatchCursor:
    """The batches of one answer, each fetched when it is wanted.

    Args:
        call: Runs each call of the driver (`Client.call`).

        run_cleanup: Runs what releases something on the server, also when the task is cancelled.

        cursor: The driver's cursor.

        batch_size: Documents in one batch.

        in_transaction: Whether it belongs to one.
    """

    def __init__(
        self,
        call: Call,
        run_cleanup: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]],
        cursor: Any,
        batch_size: int,
        *,
        in_transaction: bool,
    ) -> None:
        self._call = call
        self._run_cleanup = run_cleanup
        self._cursor = cursor
        self._batch_size = batch_size
        self._in_transaction = in_transaction

    async def next(self) -> list[Document]:
        """Fetch the next batch; an empty one is the end."""
        batch: list[Document] = await self._call(
            lambda: self._cursor.to_list(self._batch_size), is_write=self._in_transaction, has_timeout=False
        )
        return batch

    async def close(self) -> None:
        """Close the cursor on the server, also when the task is cancelled."""
        await self._run_cleanup(self._cursor.close)
