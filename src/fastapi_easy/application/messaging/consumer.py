"""What a program listens to, and what becomes of the messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.principal import ANONYMOUS, Principal, Tenant

MessageFunction: TypeAlias = Callable[[ReceivedMessage, Kernel, UnitOfWork], Awaitable[Outcome[Any] | None]]
"""Handles a message in a unit of work, which is committed unless it returns a failure or raises."""

FindPrincipal: TypeAlias = Callable[[ReceivedMessage], Awaitable[Principal | None] | Principal | None]
"""Says in whose name a message is handled; `None` for nobody's."""

FindTenant: TypeAlias = Callable[[ReceivedMessage], Tenant | None]
"""Says in which partition a message is handled."""

_SHORTEST_TIMEOUT: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """Messages of one topic, and what becomes of them. Made by `consume`.

    Attributes:
        topic: Where the messages are published.

        command: The resource and the operation or action that they ask for, like `orders.create`.

        handle: What handles them, in place of a command.

        group: Names the processes that share the messages, each of which goes to one of them. The broker keeps the
            messages of a group while none of its processes runs. Named after the class of the container unless given.

        database: Where *handle* works; a command works where its resource lives.

        principal: In whose name the messages are handled, or what says so.

        tenant: The partition they are handled in, or what says so; that of the principal unless given.

        deduplicate: Note handled messages in the database, in the transaction of what they change.

        max_attempts: After so many deliveries that failed a message is parked.

        timeout: Seconds that handling one message may take.
    """

    topic: str
    command: str | None = None
    handle: MessageFunction | None = None
    group: str | None = None
    database: str = "default"
    principal: Principal | FindPrincipal = ANONYMOUS
    tenant: Tenant | FindTenant | None = UNSET
    deduplicate: bool = True
    max_attempts: int = 8
    timeout: float = 30.0

    def find_mistakes(self) -> list[str]:
        """Return what is wrong with it by itself, sentences with the way to mend each."""
        mistakes = []
        if not self.topic:
            mistakes.append("the topic is empty: name what to listen to")
        if (self.command is None) == (self.handle is None):
            mistakes.append("give either command=… or handle=…")
        if self.max_attempts < 1:
            mistakes.append("max_attempts is the number of deliveries: at least 1")
        if self.timeout < _SHORTEST_TIMEOUT:
            mistakes.append(f"timeout is in seconds: at least {_SHORTEST_TIMEOUT}")
        return mistakes


def consume(  # noqa: PLR0913 (a keyword for each thing that may be declared)
    topic: str,
    *,
    command: str | None = None,
    handle: MessageFunction | None = None,
    group: str | None = None,
    database: str = "default",
    principal: Principal | FindPrincipal = ANONYMOUS,
    tenant: Tenant | FindTenant | None = UNSET,
    deduplicate: bool = True,
    max_attempts: int = 8,
    timeout: float = 30.0,
) -> Consumer:
    """Declare what becomes of the messages of *topic*, in `consumers` of a container.

    ```python
    class Shop(Container):
        orders = resource(Order)
        consumers = [consume("orders.create", command="orders.create", principal=Principal(id="web-shop"))]
    ```

    Args:
        topic: Where the messages are published.

        command: The resource and the operation or action that they ask for, like `orders.create`.

        handle: An async function of the message, the kernel and a unit of work, in place of a command. The unit of
            work is committed unless it returns a failure or raises.

        group: Names the processes that share the messages; named after the class of the container unless given.

        database: Where *handle* works.

        principal: In whose name the messages are handled, or a function of the message that says so; nobody's unless
            given. What a message says of itself proves nothing.

        tenant: The partition they are handled in, or a function of the message; that of the principal unless given.

        deduplicate: Note handled messages in the database, in the transaction of what they change, so that one that
            is delivered again has no second effect. Needs a store with transactions.

        max_attempts: After so many deliveries that failed a message is parked.

        timeout: Seconds that handling one message may take.
    """
    return Consumer(
        topic=topic,
        command=command,
        handle=handle,
        group=group,
        database=database,
        principal=principal,
        tenant=tenant,
        deduplicate=deduplicate,
        max_attempts=max_attempts,
        timeout=timeout,
    )
