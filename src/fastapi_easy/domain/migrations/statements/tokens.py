"""The tokens of SQL texts, in the spelling of each kind of database."""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.change import Dialect


class TokenKind(enum.Enum):
    """What a token is."""

    WORD = enum.auto()
    """A keyword, or a name without quotes."""

    NAME = enum.auto()
    """A name in quotes."""

    STRING = enum.auto()
    NUMBER = enum.auto()
    SYMBOL = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text.

    Attributes:
        kind: What it is.

        value: A word as written, a name or string without its quotes, a symbol of one character.

        start, end: Where it stands.
    """

    kind: TokenKind
    value: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return the word in capitals, a symbol as it is; empty for all else."""
        match self.kind:
            case TokenKind.WORD:
                return self.value.upper()
            case TokenKind.SYMBOL:
                return self.value
            case _:
                return ""


class UnreadableError(ValueError):
    """A text is no SQL: a string, name or comment has no end."""


_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"[^\W\d][\w$]*")
_NUMBER: Final = re.compile(r"\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+")
_DOLLARS: Final = re.compile(r"\$([^\W\d]\w*)?\$")
_EXECUTED_COMMENT: Final = re.compile(r"/\*M?!\d*")


def tokens_of(text: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of *text* without comments.

    Raises:
        UnreadableError: A string, name or comment has no end.
    """
    return list(_scan(text, dialect))


def _scan(text: str, dialect: Dialect) -> Iterator[Token]:
    at, executed = 0, 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
        elif dialect == "mysql" and (executed_comment := _EXECUTED_COMMENT.match(text, at)):
            # The server executes what is in it.
            at, executed = executed_comment.end(), executed + 1
        elif executed and text.startswith("*/", at):
            at, executed = at + 2, executed - 1
        elif (end := _comment_end(text, at, dialect)) is not None:
            at = end
        else:
            token = _token(text, at, dialect)
            yield token
            at = token.end


def _comment_end(text: str, at: int, dialect: Dialect) -> int | None:
    dashes = text.startswith("--", at) and (
        dialect != "mysql" or text[at + 2 : at + 3] in {"", " ", "\t", "\n", "\r"}
    )
    if dashes or (dialect == "mysql" and text[at] == "#"):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    if not text.startswith("/*", at):
        return None
    depth, end = 1, at + 2
    while depth:
        close = text.find("*/", end)
        if close < 0:
            raise UnreadableError("a comment has no end")
        inner = text.find("/*", end)
        # Only PostgreSQL has comments within comments.
        if dialect == "postgresql" and 0 <= inner < close:
            depth, end = depth + 1, inner + 2
        else:
            depth, end = depth - 1, close + 2
    return end


def _token(text: str, at: int, dialect: Dialect) -> Token:
    return (
        _string_or_name(text, at, dialect)
        or _word(text, at, dialect)
        or (
            Token(TokenKind.NUMBER, number[0], at, number.end())
            if (number := _NUMBER.match(text, at))
            else Token(TokenKind.SYMBOL, text[at], at, at + 1)
        )
    )


def _string_or_name(text: str, at: int, dialect: Dialect) -> Token | None:
    character = text[at]
    if character == "'":
        return _quoted(text, at, at, TokenKind.STRING, "'", escapes=dialect == "mysql")
    if character == '"':
        kind = TokenKind.STRING if dialect == "mysql" else TokenKind.NAME
        return _quoted(text, at, at, kind, '"', escapes=dialect == "mysql")
    if character == "`" and dialect in {"mysql", "sqlite"}:
        return _quoted(text, at, at, TokenKind.NAME, "`", escapes=False)
    if character == "[" and dialect == "sqlite":
        end = text.find("]", at)
        if end < 0:
            raise UnreadableError("a name has no end")
        return Token(TokenKind.NAME, text[at + 1 : end], at, end + 1)
    if dialect == "postgresql" and (dollars := _DOLLARS.match(text, at)):
        end = text.find(dollars[0], dollars.end())
        if end < 0:
            raise UnreadableError("a string has no end")
        return Token(TokenKind.STRING, text[dollars.end() : end], at, end + len(dollars[0]))
    return None


def _word(text: str, at: int, dialect: Dialect) -> Token | None:
    if word := _WORD.match(text, at):
        quote = text[word.end() : word.end() + 1]
        if quote == "'" and word[0].upper() in {"E", "N", "B", "X"}:
            escapes = dialect == "mysql" or word[0].upper() == "E"
            return _quoted(text, at, word.end(), TokenKind.STRING, "'", escapes=escapes)
        return Token(TokenKind.WORD, word[0], at, word.end())
    return None


def _quoted(text: str, start: int, opening: int, kind: TokenKind, quote: str, *, escapes: bool) -> Token:
    at = opening + 1
    value: list[str] = []
    while at < len(text):
        character = text[at]
        if escapes and character == "\\":
            value.append(text[at + 1 : at + 2])
            at += 2
        elif character != quote:
            value.append(character)
            at += 1
        elif text.startswith(quote, at + 1):
            value.append(quote)
            at += 2
        else:
            return Token(kind, "".join(value), start, at + 1)
    raise UnreadableError("a string or name has no end")
