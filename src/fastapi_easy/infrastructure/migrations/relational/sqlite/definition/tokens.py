"""The words of an SQL text of SQLite's, each exactly as it is written."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal


class TokenKind(enum.StrEnum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    BLOB = "blob"
    STRING = "string"
    QUOTED = "quoted"
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"


# SQLite knows five characters as white space; every one beyond ASCII belongs to a word.
_PATTERN: Final = re.compile(
    r"""
    (?P<space>[ \t\n\f\r]+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[0-9a-fA-F]*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    | (?P<sign>[^'"`\[])
    """,
    re.VERBOSE | re.DOTALL,
)
_TRIVIA: Final = frozenset({TokenKind.SPACE, TokenKind.COMMENT})
_NAMES: Final = frozenset({TokenKind.WORD, TokenKind.QUOTED, TokenKind.STRING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A part of an SQL text that means something as a whole.

    Attributes:
        kind: What it is.

        text: As it is written.

        start: Where it begins.
    """

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Return where it ends."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """Return it in capitals if it may be a keyword, or a sign; empty otherwise."""
        return self.text.upper() if self.kind in {TokenKind.WORD, TokenKind.SIGN} else ""

    @property
    def is_name(self) -> bool:
        """Return whether it can name something: SQLite takes strings for names too."""
        return self.kind in _NAMES

    @property
    def name(self) -> str:
        """Return the name that it spells, without quotes."""
        if self.kind is TokenKind.WORD:
            return self.text
        quote = self.text[0]
        inner = self.text[1:-1]
        return inner if quote == "[" else inner.replace(quote * 2, quote)


def split_tokens(text: str) -> tuple[Token, ...]:
    """Split *text* into tokens; together they are *text* again.

    Raises:
        SqliteRefusal: A quote is not closed.
    """
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise SqliteRefusal(f"a quote is not closed: {text[position : position + 40]}")
        found.append(Token(kind=TokenKind(str(match.lastgroup)), text=match.group(), start=position))
        position = match.end()
    return tuple(found)


def meaningful(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Return *tokens* without white space and comments."""
    return tuple(each for each in tokens if each.kind not in _TRIVIA)


def normal_form(text: str) -> str:
    """Return *text* so that two spellings of the same are equal: no comments, words small, names without quotes."""
    spelled = []
    for each in meaningful(split_tokens(text)):
        match each.kind:
            case TokenKind.WORD:
                spelled.append(each.text.casefold())
            case TokenKind.QUOTED:
                spelled.append(each.name.casefold())
            case _:
                spelled.append(each.text)
    return " ".join(spelled)


def quote(name: str) -> str:
    """Return *name* as an identifier, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def fold(name: str) -> str:
    """Return *name* in the spelling that SQLite compares."""
    return name.translate(_SMALL)


_SMALL: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
