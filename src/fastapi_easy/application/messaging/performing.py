"""What is done for a message: a command of the kernel, or a function of the program's own."""

from collections.abc import Callable
from typing import Any, Protocol

from returns.result import Failure, Success

from fastapi_easy.application.changes.work.commit import commit_if_successful
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.messaging.call import MessageCall
from fastapi_easy.application.messaging.consumer import MessageFunction
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.domain.deadline import Deadline
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock


class Perform(Protocol):
    """Does what one message asks for."""

    async def __call__(self, call: MessageCall, /) -> Outcome[Any]:
        """Do what the message of *call* asks for, and note it in the same transaction.

        Fails with: whatever the use case or the function fails with; then nothing was changed. Besides that:

            AlreadyHandled: It was handled before.
        """
        ...


class PerformCommand:
    """Carries out a command of the kernel: with its validation, its policy, its journal and its events.

    Args:
        handle: The use case, wrapped in its steps.

        read: Makes the command of a message.

        clock: The clock of deadlines.
    """

    def __init__(
        self,
        handle: Handler[Any, Any],
        read: Callable[[ReceivedMessage], Outcome[object]],
        clock: Callable[[], Clock],
    ) -> None:
        self._handle = handle
        self._read = read
        self._clock = clock

    async def __call__(self, call: MessageCall, /) -> Outcome[Any]:
        """Carry out the command of the message.

        Fails with: what the use case fails with, besides:

            AlreadyHandled: It was handled before.

            Invalid: The message cannot be read as that command.
        """
        read = self._read(call.message)
        if isinstance(read, Failure):
            return read
        return await self._handle(read.unwrap(), call.context(self._clock().monotonic()))


class PerformFunction:
    """Calls a function of the program's own in a unit of work.

    Args:
        function: The function.

        kernel: The kernel of the application.

        database: Where the function works.
    """

    def __init__(self, function: MessageFunction, kernel: Kernel, database: str) -> None:
        self._function = function
        self._kernel = kernel
        self._database = database

    async def __call__(self, call: MessageCall, /) -> Outcome[Any]:
        """Call the function, and commit unless it fails.

        Fails with: what the function and the commit fail with, besides:

            AlreadyHandled: The message was handled before.

        Raises:
            TypeError: The function returns something other than an outcome or `None`; nothing was changed.
        """
        message = call.message
        kernel = self._kernel.acting_as(
            call.principal, tenant=call.tenant, correlation_id=message.correlation_id, timeout=call.timeout
        )
        deadline = Deadline(call.timeout)
        try:
            async with kernel.unit_of_work(self._database) as work:
                refused = None if call.receipt is None else await call.receipt.accept_in(work)
                if refused is not None:
                    return refused
                returned = await self._function(message, kernel, work)
                done: Outcome[Any] = Success(None) if returned is None else returned
                if not isinstance(done, Success | Failure):
                    raise TypeError(
                        f"{self._function!r} returned {type(done).__name__}: return an outcome, or None"
                    )
                return await commit_if_successful(work, done)
        finally:
            deadline.end()
