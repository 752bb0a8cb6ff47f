"""Engines that wait for their answers, to databases of one's own."""

from contextlib import ExitStack

import sqlalchemy
from sqlalchemy import Engine

from tests.e2e.datasets import engine_of
from tests.services.wanted import empty_database


class ScratchEngines(dict[str, Engine]):
    """An engine for each server, made when it is asked for.

    Args:
        opened: Closes them.
    """

    def __init__(self, opened: ExitStack) -> None:
        super().__init__()
        self._opened = opened

    def __missing__(self, server: str) -> Engine:
        if server == "sqlite":
            engine = sqlalchemy.create_engine("sqlite://")
        else:
            engine = engine_of(self._opened.enter_context(empty_database(server)))
        self._opened.callback(engine.dispose)
        self[server] = engine
        return engine
