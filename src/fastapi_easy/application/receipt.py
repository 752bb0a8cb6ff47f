"""The note that a message was handled, in the transaction of what handling it changes."""

from dataclasses import dataclass

from returns.result import Failure

from fastapi_easy.domain.errors import AlreadyHandled, Error
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is noted in the inbox of a consumer before anything else is done for a message.

    Attributes:
        inbox: The inbox of the database that is changed.

        consumer: The consumer whose inbox it is.

        message_id: Identifies the message, however often it is delivered.
    """

    inbox: Inbox
    consumer: str
    message_id: str

    async def accept_in(self, work: UnitOfWork) -> Failure[Error] | None:
        """Note the message in the transaction of *work*; return why nothing is to be done for it, or `None`.

        Fails with:
            AlreadyHandled: It was noted before.

            Unavailable: The database did not answer.
        """
        accepted = await self.inbox.accept_in(innermost(work), self.consumer, self.message_id)
        if isinstance(accepted, Failure):
            return accepted
        return None if accepted.unwrap() else Failure(AlreadyHandled(self.message_id))
