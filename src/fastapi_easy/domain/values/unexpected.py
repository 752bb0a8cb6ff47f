"""A stored value that the kind of its field cannot hold."""

from typing import Any, Final


class UnexpectedValue:
    """The place holder, in a row, of a stored value that the field's kind cannot hold.

    Others write into our tables too: a date of PostgreSQL may be `infinity`, a number of a MongoDB document a text, a
    date of SQLite `''`. Such a value is neither changed nor an error. Answers show it as it is stored, cursors carry
    it, and the adapter that made it compares it. Two are equal when the same is shown.

    Attributes:
        shown: The stored value as plain JSON; where JSON has no form for it, the text by which the store knows it.
    """

    # No dataclass: the encoder of JSON would write the members of one, without asking how.
    __slots__ = ("shown",)

    def __init__(self, shown: Any) -> None:
        self.shown: Final = shown

    def __eq__(self, other: object) -> bool:
        """Return whether *other* is an unexpected value that is shown alike, `1` and `true` apart."""
        return isinstance(other, UnexpectedValue) and repr(self.shown) == repr(other.shown)

    def __hash__(self) -> int:
        """Return the same number for equal values."""
        return hash(repr(self.shown))

    def __str__(self) -> str:
        """Return what is shown, as text."""
        return str(self.shown)

    def __repr__(self) -> str:
        """Return a text that tells it from a text of the same letters."""
        return f"UnexpectedValue({self.shown!r})"
