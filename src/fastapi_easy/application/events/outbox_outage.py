"""What the log says of an outbox that does not answer: two lines an outage, however often it is asked."""

import logging

_logger = logging.getLogger(__name__)


class OutboxOutage:
    """Whether the outbox of one task answers.

    Args:
        task: The name of the task, for logs.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._is_on = False

    def goes_on(self, code: str) -> None:
        """Log that the outbox does not answer, with the *code* of the error, when the outage begins."""
        if not self._is_on:
            _logger.warning("%s: the outbox does not answer: %s", self._task, code)
        self._is_on = True

    def is_over(self) -> None:
        """Log that the outbox answers again, where it did not."""
        if self._is_on:
            _logger.warning("%s: the outbox answers again", self._task)
        self._is_on = False
