"""Several hosts in a URL: each is asked in turn, and a silent one keeps nobody from the next."""

import functools
import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Connect: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Opens a connection with arguments that take the place of those of the URL."""

_SHORTEST: Final = 0.5
"""Seconds that a host has at least."""


class Hosts:
    """The hosts of a URL, the one that was connected to last first.

    The drivers ask one after the other themselves. asyncpg has one time limit for all of them, which a silent host uses
    up, and takes a server that starts up for the answer of all; libpq waits two seconds for each at least.

    Args:
        addresses: Their names and ports, in the order of the URL.

        connect_timeout: Seconds that all of them have together.

        as_text: Whether the driver takes names and ports as text, which is libpq's way.
    """

    def __init__(
        self, addresses: Sequence[tuple[str, int]], connect_timeout: float, *, as_text: bool
    ) -> None:
        self._addresses = tuple(addresses)
        self._connect_timeout = connect_timeout
        self._as_text = as_text
        self._last = 0

    def connect(self, connect: Connect, errors: tuple[type[Exception], ...]) -> Any:
        """Return a connection to the first host with which *connect* succeeds.

        Raises:
            Exception: What the last host said, one of *errors*.
        """
        until = time.monotonic() + self._connect_timeout
        number = len(self._addresses)
        for tried in range(number):
            place = (self._last + tried) % number
            left = (until - time.monotonic()) / (number - tried)
            try:
                connection = connect(self._arguments(place, max(_SHORTEST, left)))
            except errors:
                if tried == number - 1:
                    raise
            else:
                self._last = place
                return connection
        raise AssertionError("there is a last host")

    def _arguments(self, place: int, seconds: float) -> dict[str, Any]:
        name, port = self._addresses[place]
        if self._as_text:
            # It imports psycopg, which is installed by those who use it.
            module = importlib.import_module("fastapi_easy.infrastructure.relational.driver.psycopg_adapters")
            within = functools.partial(module.connect_within, seconds)
            return {"host": name, "port": str(port), "async_creator_fn": within}
        return {"host": [name], "port": [port], "timeout": seconds}
