"""What a program declares about its API keys."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeys:
    """API keys are accepted as bearers: `api_keys = ApiKeys()` in a container.

    Attributes:
        database: The name of the database that they are kept in; `None` for `default`, or else the first in use.

        cached_for: Seconds for which a process remembers a key. A key that another process has revoked is accepted for
            so long at most.

        scopes: Those that keys may have for routes of the program's own, like `reports:run`, beside the permissions of
            its resources.

        notes_use: Whether the last use of each key is written, once a minute at most.
    """

    database: str | None = None
    cached_for: float = 5.0
    notes_use: bool = True
    scopes: tuple[str, ...] = ()
