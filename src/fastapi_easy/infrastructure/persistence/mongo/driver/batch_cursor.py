"""What the server gives out piece by piece."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call


class BatchCursor:
    """The pieces of one answer, each asked for when it is wanted.

    Args:
        call: Through which everything is asked.

        run_cleanup: Carries out what lets something go, also when the task is cancelled.

        cursor: The driver's.

        batch_size: Documents in one piece.

        in_transaction: It belongs to one.
    """

    def __init__(
        self,
        call: Call,
        run_cleanup: Callable[[Callable[[], Awaitable[Any]]], Awaitable[None]],
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
        return cast(
            "list[Document]",
            await self._call(
                lambda: self._cursor.to_list(self._batch_size),
                is_write=self._in_transaction,
                has_timeout=False,
            ),
        )

    async def close(self) -> None:
        """Close the cursor on the server, also when the task is cancelled."""
        await self._run_cleanup(self._cursor.close)
