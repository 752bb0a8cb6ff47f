"""One line of the report: what was measured under a fault, and whether it is what was wanted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Say what was measured on which server, what came out, and what was wanted."""

    fault: str
    """Which fault, as a heading of the table: `SIGTERM under load`, `Leases across stores`."""

    what: str
    """What was counted or timed, in a few words: `connections reset over 20 exits, 8 clients`."""

    server: str
    """The server that it was measured on: `PostgreSQL`, `MariaDB`, `MongoDB`, `SQLite`, `Redis`, or `-`."""

    value: str
    """What came out, as it is shown: `0 of 2,113`, `3.4 s`."""

    wanted: str
    """What was wanted, as it is shown: `0`, `<= 4 s`."""

    met: bool
    """Whether it is what was wanted."""
