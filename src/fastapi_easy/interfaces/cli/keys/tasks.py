"""What the commands below `keys` need from the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.tasks import Target

KeyQuestion: TypeAlias = Callable[[Keyring], Awaitable[Outcome[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTasks:
    """The functions behind the commands below `keys`.

    Attributes:
        ask: Opens the API keys of an application, asks a question, closes them, and returns the answer. Raises
            `CommandError` when there is no such application, or it has none that another process could see.
    """

    ask: Callable[[Target, KeyQuestion], Outcome[Any]]


LoadKeyTasks: TypeAlias = Callable[[], KeyTasks]
"""Returns the functions; called when a command below `keys` is."""
