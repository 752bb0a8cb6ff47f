"""Texts without the passwords that drivers and users put into them."""

import re
from typing import Final

_MASK: Final = "***"

_WORD: Final = re.compile(r"\S+")
_USER: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s:/@]*:", re.IGNORECASE)
_NAMES: Final = r"(?:ssl)?(?:password|passwd|passphrase|pwd|secret|token|api_?key)"
_ASSIGNED: Final = re.compile(rf"\b({_NAMES})(\s*=\s*)(?:'[^']*'|\"[^\"]*\"|[^\s,;&)]+)", re.IGNORECASE)
_QUOTED: Final = re.compile(rf"(['\"]{_NAMES}['\"]\s*:\s*)(?:'[^']*'|\"[^\"]*\")", re.IGNORECASE)


def masked(text: str) -> str:
    """Return *text* with passwords masked: of URLs, of `password=…`, and of `"password": "…"`."""
    text = _WORD.sub(_mask_url, text)
    text = _ASSIGNED.sub(rf"\1\2{_MASK}", text)
    return _QUOTED.sub(rf"\1'{_MASK}'", text)


def _mask_url(word: re.Match[str]) -> str:
    """Return the word with everything between the user and the last `@` masked: a password may contain any letter."""
    before, at, after = word[0].rpartition("@")
    user = _USER.search(before)
    return f"{before[: user.end()]}{_MASK}{at}{after}" if user else word[0]


def printable(text: str) -> str:
    """Return *text* masked, and without characters that a terminal obeys, such as those that begin with ESC."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode("ascii")
        for each in masked(text)
    )


def on_one_line(text: str) -> str:
    """Return *text* as `printable` does, with every run of white space as one space."""
    return printable(" ".join(text.split()))
