"""The outcomes of one operation as bytes."""

import json
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.caching.answers import ANSWERS
from fastapi_easy.application.caching.fingerprint import Fingerprint
from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

_MISSING: Final = b"missing"
"""What is kept for a key that no entity has."""


class AnswerCodec:
    """Writes and reads the outcomes of *operation* on *resource*.

    Args:
        resource: The resource that is asked.

        operation: One of `ANSWERS`.
    """

    __slots__ = ("_answers", "_resource")

    def __init__(self, resource: Resource[Any], operation: Operation) -> None:
        self._resource = resource
        self._answers = ANSWERS[operation]

    def fingerprint(self, command: Any) -> Fingerprint | None:
        """Return the fingerprint of *command*; `None` where it cannot be told from every other one."""
        if type(command) is not self._answers.command:
            return None
        fingerprint = Fingerprint(self._resource)
        try:
            self._answers.ask(command, fingerprint)
        except Uncacheable:
            return None
        return fingerprint

    def encode(self, outcome: Outcome[Any], command: Any) -> bytes | None:
        """Return *outcome* of *command* as bytes; `None` when it is not to be kept."""
        if isinstance(outcome, Failure):
            return _MISSING if self._is_missing(outcome.failure(), command) else None
        try:
            written = self._answers.write(outcome.unwrap(), command, self._resource)
            return json.dumps(written, separators=(",", ":"), check_circular=False).encode("ascii")
        except (Uncacheable, ValueError, RecursionError):
            # A number of more digits than Python writes, or a document that is too deep.
            return None

    def decode(self, value: bytes, command: Any) -> Outcome[Any] | None:
        """Return the outcome of an equal *command* that was encoded as *value*; `None` when that is damaged."""
        if value == _MISSING:
            return Failure(NotFound(self._resource.name, command.key))
        try:
            return Success(self._answers.read(json.loads(value), command, self._resource))
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            return None

    def _is_missing(self, error: object, command: Any) -> bool:
        return isinstance(error, NotFound) and error == NotFound(
            self._resource.name, getattr(command, "key", None)
        )
