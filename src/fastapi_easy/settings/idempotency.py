"""The settings of calls with an idempotency key."""

from typing import Annotated, Final

from pydantic import Field

from fastapi_easy.settings.section import Seconds, Section

_LARGEST_ANSWER: Final = 11 * 1024 * 1024
"""A document of MongoDB has 16 MiB at most, and encryption makes a third more of an answer."""


class IdempotencySettings(Section):
    """Calls with an idempotency key.

    Attributes:
        retention: Seconds for which a repetition gets the first answer; then the key is free again.

        wait: Seconds that a repetition waits while the first call is still in progress in the same process.

        max_answer: Characters of a stored answer at most; a call with a larger one is refused, and changes nothing.
    """

    retention: Seconds = 86_400.0
    wait: Annotated[float, Field(ge=0)] = 3.0
    max_answer: Annotated[int, Field(ge=1, le=_LARGEST_ANSWER)] = 1_048_576
