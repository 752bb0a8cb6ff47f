"""How long a key lasts, as people write it."""

import datetime
import re
from typing import Final

import typer

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")


def parse_lifetime(text: str) -> datetime.timedelta | None:
    """Return the time that *text* says, like `12h`, `90d` or `8w`; `None` for `never`.

    Raises:
        BadParameter: It says something else.
    """
    if text == "never":
        return None
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number and h, d or w, like 12h, 90d or 8w; or never")
    return datetime.timedelta(**{_UNITS[match[2]]: int(match[1])})
