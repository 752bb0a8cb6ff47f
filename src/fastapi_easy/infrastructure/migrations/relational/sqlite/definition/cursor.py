"""A place in an SQL text that is read from front to back."""

from typing import NoReturn

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    Token,
    TokenKind,
    meaningful,
    split_tokens,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal


class Cursor:
    """A place in an SQL text; white space and comments are passed over.

    Args:
        text: What is read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tuple(
            each
            for each in meaningful(split_tokens(text))
            if each.text != ";" or each.end != len(text.rstrip())
        )
        self._at = 0

    @property
    def at_end(self) -> bool:
        """Return whether everything is read."""
        return self._at >= len(self._tokens)

    @property
    def token(self) -> Token:
        """Return what is read next."""
        if self.at_end:
            return Token(kind=TokenKind.SPACE, text="", start=len(self.text))
        return self._tokens[self._at]

    @property
    def last(self) -> Token:
        """Return what was read last."""
        return self._tokens[self._at - 1]

    @property
    def word(self) -> str:
        """Return the keyword or sign that is next, in capitals; empty if it is neither."""
        return self.token.word

    @property
    def following(self) -> str:
        """Return the keyword or sign after the next token."""
        return self._tokens[self._at + 1].word if self._at + 1 < len(self._tokens) else ""

    def advance(self, count: int = 1) -> None:
        """Pass over *count* tokens."""
        if self._at + count > len(self._tokens):
            self.fail("it ends too early")
        self._at += count

    def take(self, word: str) -> bool:
        """Pass over *word* if it is next, and tell whether it was."""
        if self.word != word:
            return False
        self.advance()
        return True

    def expect(self, word: str) -> Token:
        """Pass over *word*, which must be next."""
        if self.word != word:
            self.fail(f"{word} is expected")
        self.advance()
        return self.last

    def expect_end(self) -> None:
        """Make sure that nothing is left."""
        if not self.at_end:
            self.fail("it goes on")

    def name(self) -> Token:
        """Pass over a name."""
        if not self.token.is_name:
            self.fail("a name is expected")
        self.advance()
        return self.last

    def parenthesis(self) -> str:
        """Pass over what is in parentheses, and return what is between them."""
        opening = self.expect("(")
        depth = 1
        while depth:
            self.advance()
            depth += {"(": 1, ")": -1}.get(self.last.word, 0)
        return self.text[opening.end : self.last.start].strip()

    def names(self) -> tuple[str, ...]:
        """Pass over a list of columns in parentheses, and return their names without COLLATE, ASC and DESC."""
        _ = self.expect("(")
        found = [self.name().name]
        while not self.take(")"):
            if self.take(","):
                found.append(self.name().name)
            else:
                self.advance()
        return tuple(found)

    def fail(self, message: str) -> NoReturn:
        """Refuse the text.

        Raises:
            SqliteRefusal: Always.
        """
        start = self.token.start
        near = self.text[start : start + 40] or "its end"
        raise SqliteRefusal(f"cannot read the definition: {message}, at {near}")
