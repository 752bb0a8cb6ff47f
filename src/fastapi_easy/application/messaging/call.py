"""The circumstances in which one message is handled."""

from dataclasses import dataclass

from fastapi_easy.application.context import Context
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.application.receipt import Receipt
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.principal import ANONYMOUS, Principal, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCall:
    """One message, in whose name it is handled, and how it is noted.

    Attributes:
        message: The message.

        principal: In whose name.

        tenant: In which partition.

        receipt: What notes that it was handled; `None` where nothing does.

        timeout: Seconds that it may take.
    """

    message: ReceivedMessage
    principal: Principal
    tenant: Tenant | None
    receipt: Receipt | None
    timeout: float

    def context(self, now: float) -> Context:
        """Return the context of a command that begins *now*, on the clock of `Clock.monotonic`."""
        return Context(
            principal=self.principal,
            tenant=self.tenant,
            correlation_id=self.message.correlation_id,
            idempotency_key=None if self.receipt is None else self.receipt.message_id,
            receipt=self.receipt,
            deadline=now + self.timeout,
        )


async def find_caller(consumer: Consumer, message: ReceivedMessage) -> tuple[Principal, Tenant | None]:
    """Return in whose name *consumer* handles *message*, and in which partition."""
    principal = consumer.principal
    if not isinstance(principal, Principal):
        found = principal(message)
        if found is not None and not isinstance(found, Principal):
            found = await found
        principal = found or ANONYMOUS
    tenant = consumer.tenant
    if tenant is UNSET:
        return principal, principal.tenant
    return principal, tenant(message) if callable(tenant) else tenant
