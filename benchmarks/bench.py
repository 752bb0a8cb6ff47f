"""What every part of the measurement is given."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.catalogue import Column, Endpoint
from benchmarks.machine import Cores
from benchmarks.postgres import Database
from benchmarks.rounds import Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every part of the measurement is given.

    Attributes:
        database: PostgreSQL, with the tables loaded.

        cores: Who runs where.

        columns, endpoints: What the comparison is about.

        rounds: How often everything is measured.

        seconds: How long one load lasts.

        tell: Told what is going on.
    """

    database: Database
    cores: Cores
    columns: Sequence[Column]
    endpoints: Sequence[Endpoint]
    rounds: int
    seconds: float
    tell: Tell
