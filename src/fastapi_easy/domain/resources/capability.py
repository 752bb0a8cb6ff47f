"""Capabilities of stores. A store declares what it lacks, instead of pretending."""

import enum
from typing import Final


class Capability(enum.StrEnum):
    """One thing that not every store can do. The value is its name in documentation and errors."""

    TRANSACTIONS = "transactions"
    """A unit of work is all or nothing, and isolated until its commit."""

    MICROSECONDS = "microseconds"
    """Times keep microseconds."""

    ARRAYS = "arrays"
    """Fields may hold a list of scalars and be asked `has`, `has_any`, `has_all`."""

    WIDE_DECIMALS = "wide_decimals"
    """Decimals may have more than 15 digits."""

    COMPOSITE_KEYS = "composite_keys"
    """A key may have several fields."""

    ESTIMATES = "estimates"
    """The store keeps an estimate of how many entities there are; elsewhere `estimated` counts exactly."""

    RETURNING = "returning"
    """A new entity is stored and given back by one statement."""

    REFERENCES = "references"
    """Foreign keys that classes declare are enforced."""


EVERY_CAPABILITY: Final = frozenset(Capability)
