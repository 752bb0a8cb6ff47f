"""A flag that tasks wait for, on any event loop."""

from typing import Protocol


class Signal(Protocol):
    """A flag that one task sets and others wait for, as `asyncio.Event` is."""

    def is_set(self) -> bool:
        """Return whether it is set."""
        ...

    def set(self) -> None:
        """Set it, and wake everybody who waits."""
        ...

    def clear(self) -> None:
        """Unset it: who waits from now on waits for the next `set`."""
        ...

    async def wait(self) -> object:
        """Wait until it is set."""
        ...
