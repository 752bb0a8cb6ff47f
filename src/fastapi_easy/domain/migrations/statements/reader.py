"""A place in the tokens of one statement, and what can be read from there."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.domain.migrations.change import Dialect
from fastapi_easy.domain.migrations.statements.tokens import Token, TokenKind

_DEFAULT_SCHEMAS: Final = {"postgresql": "public", "sqlite": "main"}


class NotUnderstoodError(ValueError):
    """A statement has a form that nobody has thought of."""


class Reader:
    """A place in the tokens of one statement.

    Args:
        text: The whole text.

        tokens: Those of the statement.

        dialect: The kind of database.
    """

    __slots__ = ("_at", "_text", "_tokens", "dialect")

    def __init__(self, text: str, tokens: Sequence[Token], dialect: Dialect) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self.dialect = dialect

    @property
    def rest(self) -> Sequence[Token]:
        """Return the tokens that were not read."""
        return self._tokens[self._at :]

    @property
    def is_done(self) -> bool:
        """Return whether every token was read."""
        return self._at >= len(self._tokens)

    def sees(self, *words: str) -> bool:
        """Return whether *words* come next."""
        return [token.word for token in self.rest[: len(words)]] == list(words)

    def take(self, *words: str) -> bool:
        """Read *words* if they come next, and return whether they did."""
        found = self.sees(*words)
        if found:
            self._at += len(words)
        return found

    def take_any(self, *words: str) -> str:
        """Read one of *words* if it comes next, and return it; empty for none."""
        return next((word for word in words if self.take(word)), "")

    def expect(self, *words: str) -> None:
        """Read *words*, which come next."""
        if not self.take(*words):
            raise NotUnderstoodError

    def name(self) -> str:
        """Read one name as the server stores it."""
        if self.is_done:
            raise NotUnderstoodError
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case TokenKind.WORD:
                return token.value.lower() if self.dialect == "postgresql" else token.value
            case TokenKind.NAME | TokenKind.STRING:
                return token.value
            case _:
                raise NotUnderstoodError

    def skip(self) -> None:
        """Read one token, whatever it is."""
        self._at += 1

    def qualified_name(self) -> str:
        """Read a name with the schema in front, unless that is the default one."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if parts[1:] and parts[0] == _DEFAULT_SCHEMAS.get(self.dialect):
            del parts[0]
        return ".".join(parts)

    def names(self) -> tuple[str, ...]:
        """Read names with commas between them."""
        names = [self.qualified_name()]
        while self.take(","):
            names.append(self.qualified_name())
        return tuple(names)

    def in_brackets(self) -> "Reader":
        """Read what is in the brackets that come next."""
        self.expect("(")
        begin, depth = self._at, 1
        while depth:
            if self.is_done:
                raise NotUnderstoodError
            word = self._tokens[self._at].word
            depth += (word == "(") - (word == ")")
            self._at += 1
        return Reader(self._text, self._tokens[begin : self._at - 1], self.dialect)

    def parts(self) -> list["Reader"]:
        """Return what was not read, divided at the commas that are in no brackets."""
        parts: list[list[Token]] = [[]]
        depth = 0
        for token in self.rest:
            depth += (token.word in {"(", "["}) - (token.word in {")", "]"})
            if token.word == "," and depth == 0:
                parts.append([])
            else:
                parts[-1].append(token)
        return [Reader(self._text, part, self.dialect) for part in parts]

    def until(self, *stops: str) -> "Reader":
        """Read up to the first of *stops* that is in no brackets, or to the end."""
        begin, depth = self._at, 0
        while not self.is_done:
            word = self._tokens[self._at].word
            if depth == 0 and word in stops:
                break
            depth += (word in {"(", "["}) - (word in {")", "]"})
            self._at += 1
        return Reader(self._text, self._tokens[begin : self._at], self.dialect)

    @property
    def text(self) -> str:
        """Return what was not read, as written."""
        rest = self.rest
        return self._text[rest[0].start : rest[-1].end] if rest else ""

    @property
    def words(self) -> list[str]:
        """Return the words and symbols that were not read, in capitals; empty texts for all else."""
        return [token.word for token in self.rest]
