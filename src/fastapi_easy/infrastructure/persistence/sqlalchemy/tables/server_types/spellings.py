"""What is checked of a text before a server reads it as a value of one of its types."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.values.kind_format import ParseError

_FIRST_YEAR: Final = 1901
_LAST_YEAR: Final = 2155


@dataclass(frozen=True, slots=True)
class SpellingCheck:
    """Refuses what the server would refuse, or would take for something else. A `Field.check`.

    Attributes:
        sentence: What a value has to be.

        accepts: Returns whether a value is that.
    """

    sentence: str
    accepts: Callable[[object], bool]

    def __call__(self, value: object) -> None:
        """Check *value*; null passes.

        Raises:
            ParseError: It is no such value.
        """
        if value is not None and not self.accepts(value):
            raise ParseError(self.sentence, "value_refused")


def matching(pattern: str, sentence: str) -> SpellingCheck:
    """Return a check of texts that match the whole of *pattern*, whatever the case."""
    accepts = re.compile(pattern, re.IGNORECASE).fullmatch
    return SpellingCheck(sentence, lambda value: isinstance(value, str) and accepts(value) is not None)


def one_of_set(members: tuple[str, ...]) -> SpellingCheck:
    """Return a check of what a SET holds: any of its *members* with commas in between, or nothing."""
    known = frozenset(members)

    def accepts(value: object) -> bool:
        return isinstance(value, str) and (not value or known.issuperset(value.split(",")))

    return SpellingCheck(f"Must be any of {', '.join(members)}, with commas in between", accepts)


def _is_interface(value: object) -> bool:
    return _is_read_by(ipaddress.ip_interface, value)


def _is_network(value: object) -> bool:
    return _is_read_by(ipaddress.ip_network, value)


def _is_read_by(read: Callable[[str], object], value: object) -> bool:
    # The name of a network card is none of PostgreSQL's business.
    if not isinstance(value, str) or "%" in value:
        return False
    try:
        _ = read(value)
    except ValueError:
        return False
    return True


def _is_year(value: object) -> bool:
    # Between 1 and 99 MariaDB adds the century that it deems right.
    return isinstance(value, int) and (value == 0 or _FIRST_YEAR <= value <= _LAST_YEAR)


INTERFACE: Final = SpellingCheck("Must be an IP address, with /bits behind it or not", _is_interface)
NETWORK: Final = SpellingCheck("Must be an IP network without bits beyond its mask", _is_network)
MAC: Final = matching(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", "Must be a MAC address of six bytes")
MAC_8: Final = matching(r"[0-9a-f]{2}([:-][0-9a-f]{2}){7}", "Must be a MAC address of eight bytes")
YEAR: Final = SpellingCheck(f"Must be 0 or a year from {_FIRST_YEAR} to {_LAST_YEAR}", _is_year)
