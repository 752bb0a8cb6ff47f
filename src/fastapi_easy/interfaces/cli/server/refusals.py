"""Answers of the server itself, made beforehand in the form of all others."""

from dataclasses import dataclass
from typing import TypeAlias

Refusal: TypeAlias = tuple[int, tuple[tuple[bytes, bytes], ...], bytes]
"""A status, headers and a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRefusals:
    """What is answered without the application.

    Attributes:
        head_too_large: To a request line and headers that are longer than the limit.

        head_too_slow: To those that do not arrive in time.

        unfinished: To a request that was cut because the process ends.
    """

    head_too_large: Refusal
    head_too_slow: Refusal
    unfinished: Refusal
