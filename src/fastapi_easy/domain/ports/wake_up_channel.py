"""Wake-ups between the processes of one database."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome


@runtime_checkable
class WakeUpChannel(Protocol):
    """Carries hints that messages were committed to those processes that wait for some.

    A hint holds nothing, and may be lost, late or there twice: whoever waits looks from time to time as well.
    """

    async def send(self) -> Outcome[None]:
        """Wake every process that listens, apart from this one.

        Fails with:
            Unavailable: The database does not answer.
        """
        ...

    async def listen(self, wake: Callable[[], None], /) -> Outcome[None]:
        """Call *wake* once it listens, and with each hint of another process; return only when that has ended.

        A cancellation ends it, and closes the connection that it has to itself.

        Args:
            wake: Must return quickly. It is called at the beginning too, since what was sent before is not heard.

        Fails with:
            Unavailable: It cannot listen, or not any more.
        """
        ...
