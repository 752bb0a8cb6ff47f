"""What callers prefer about the answer to a change (RFC 7240)."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi_easy.application import Context, DryRun
from fastapi_easy.interfaces.http.exchange import Exchange, ProblemError
from fastapi_easy.interfaces.http.request_problems import BAD_PREFERENCE
from fastapi_easy.interfaces.http.requests.decode import read_context

MAX_EVENTS: Final = 50
"""Events that are named to the caller of a dry run; a header has to stay small."""

_PREFERENCE: Final = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of a caller who changes something (RFC 7240).

    Attributes:
        minimal: An answer without the entity.

        dry_run: Everything is to be done but the commit; filled by the use case.
    """

    minimal: bool = False
    dry_run: DryRun | None = None

    def response_headers(self, *, minimal: bool) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers that say which preferences were followed.

        Args:
            minimal: The answer is without the entity because of them.
        """
        followed = [b"return=minimal"] if minimal else []
        if self.dry_run is not None:
            followed.append(b"tx=rollback")
        if not followed:
            return ()
        applied = (b"preference-applied", b", ".join(followed))
        withheld = self._withheld()
        return (applied, (b"withheld-events", withheld)) if withheld else (applied,)

    def _withheld(self) -> bytes:
        """Return the names of the events that a dry run kept back, in their order."""
        events = () if self.dry_run is None else self.dry_run.events
        names = [quote(event.name) for event in events[:MAX_EVENTS]]
        return ", ".join([*names, "..."] if len(events) > MAX_EVENTS else names).encode("ascii")


def read_preferences(exchange: Exchange) -> Preferences:
    """Return what the Prefer headers of *exchange* ask for. Unknown preferences are ignored (RFC 7240, section 2).

    Raises:
        ProblemError: It cannot be said whether the change is to be made.
    """
    header = exchange.headers.get(b"prefer")
    if header is None:
        return _NONE
    pairs = [_parse_preference(each) for each in _PREFERENCE.findall(header)]
    returns = [value for name, value in pairs if name == b"return"]
    ends = {value for name, value in pairs if name == b"tx"}
    if len(ends) > 1 or not ends <= {b"rollback", b"commit"}:
        raise ProblemError(BAD_PREFERENCE)
    return Preferences(returns[:1] == [b"minimal"], DryRun() if b"rollback" in ends else None)


def _parse_preference(text: bytes) -> tuple[bytes, bytes]:
    """Name and value of one preference, without its parameters."""
    name, _, value = text.split(b";", 1)[0].partition(b"=")
    return name.strip().lower(), value.strip().strip(b'"').lower()


_NONE: Final = Preferences()


def read_change_context(exchange: Exchange) -> tuple[Preferences, Context]:
    """Return the preferences of the caller of a change, and the context that follows from them.

    Raises:
        ProblemError: It cannot be said whether the change is to be made.
    """
    preferences = read_preferences(exchange)
    return preferences, read_context(exchange, preferences.dry_run)
