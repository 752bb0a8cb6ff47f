"""A broker that writes a line for each message into a file that all processes append to."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastapi_easy.domain import Failure, Outcome, Success, Unavailable
from fastapi_easy.domain.ports import BrokerMessage
from tests.faults.chaos.variables import PUBLISHED

AWAY = ".away"
"""Ends the name of the file that, while it exists, keeps messages from being taken."""


@dataclass(frozen=True, slots=True)
class Published:
    """A message that was published: its id, what happened, and to which entity."""

    id: str
    event: str
    key: int
    number: int


class FileBroker:
    """Implements `Broker`: a message is in the file once it is confirmed, also when the process is killed then."""

    name = "file"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._away = Path(f"{file}{AWAY}")

    @classmethod
    def of_environment(cls) -> Self:
        """The one whose file the environment names."""
        return cls(Path(os.environ.get(PUBLISHED, os.devnull)))

    async def open(self) -> Outcome[None]:
        return Success(None)

    async def publish(self, message: BrokerMessage) -> Outcome[None]:
        if self._away.exists():
            return Failure(Unavailable("broker"))
        event = json.loads(message.body)
        line = json.dumps([message.id, event["type"], event["data"]["key"], int(event["sequence"])])
        # In one call: lines of several processes do not mix, and none is cut by a kill.
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            _ = os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        pass


def read_published(file: Path) -> Iterator[Published]:
    """What was published, in its order."""
    if file.exists():
        for line in file.read_text().splitlines():
            yield Published(*json.loads(line))
