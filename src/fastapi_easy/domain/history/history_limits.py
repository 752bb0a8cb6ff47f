"""How much of the audit trail one question about the past may read."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLimits:
    """How much of the audit trail one question about the past may read; a larger one is `Invalid`.

    Attributes:
        entries: Entries, for one answer.

        entities: Entities, deleted ones included, for a list of the past.
    """

    entries: int = 10_000
    entities: int = 1000


DEFAULT_LIMITS: Final = HistoryLimits()
"""What is read unless the settings say otherwise."""
