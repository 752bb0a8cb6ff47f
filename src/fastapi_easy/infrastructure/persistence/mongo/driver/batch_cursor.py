"""What the server gives out piece by piece."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call


class Parts:
    """The pieces of one answer, each asked for when it is wanted.

    Args:
        call: Through which everything is asked.

        end: Carries out what lets something go, also when the task is cancelled.

        cursor: The driver's.

        size: Documents in one piece.

        in_transaction: It belongs to one.
    """

    def __init__(
        self,
        call: Call,
        end: Callable[[Callable[[], Awaitable[Any]]], Awaitable[None]],
        cursor: Any,
        size: int,
        *,
        in_transaction: bool,
    ) -> None:
        self._call = call
        self._end = end
        self._cursor = cursor
        self._size = size
        self._in_transaction = in_transaction

    async def next(self) -> list[dict[str, Any]]:
        """The next part; an empty one is the end."""
        return cast(
            "list[dict[str, Any]]",
            await self._call(
                lambda: self._cursor.to_list(self._size), changes=self._in_transaction, limited=False
            ),
        )

    async def close(self) -> None:
        """Let the server forget it, also when the task is cancelled."""
        await self._end(self._cursor.close)
