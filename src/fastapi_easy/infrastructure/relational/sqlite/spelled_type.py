"""What the column types on SQLite have in common, and the one whose values others may have spelled otherwise.

They read what they wrote in one step, and refuse what they cannot read as it is. What is refused stands in its row as
an `UnexpectedValue` (see `driver.unreadable`), and is bound as it was stored.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, TypeVar

from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.values.unexpected import UnexpectedValue

T = TypeVar("T")

Processor: TypeAlias = Callable[[Any], Any]


class SpellingWatch:
    """Knows whether a column holds other spellings than ours.

    Attributes:
        is_mixed: Whether it does, as far as we know.

        found: Called when that becomes known.
    """

    __slots__ = ("found", "is_mixed")

    def __init__(self) -> None:
        self.is_mixed = False
        self.found: Callable[[], None] | None = None

    def over(self, read: Processor) -> Processor:
        """Make a processor that reads other spellings with *read*, and takes note of them."""

        def process(stored: Any) -> Any:
            value = read(stored)
            if not self.is_mixed:
                self.is_mixed = True
                if self.found is not None:
                    self.found()
            return value

        return process


class SqliteType(TypeDecorator[T]):
    """A type whose values others may have spelled in another way than we do.

    Attributes:
        normal_form: The function of statements that returns the form in which we store a value.

        own_pattern: What GLOB matches of values in that form, and of none in another; `None` when `own_length` tells.

        own_length: The length of each value in that form, for values that have none of the characters `odd_characters`.

        odd_characters: A pattern of GLOB for a character that no value in that form has.

        foreign_types: Columns declared with one of these hold other forms at any time.

        watch: Told of other forms; the same object in all copies that SQLAlchemy makes of the type.
    """

    normal_form: ClassVar[str]
    own_pattern: ClassVar[str | None] = None
    own_length: ClassVar[int] = 0
    odd_characters: ClassVar[str] = ""
    foreign_types: ClassVar[tuple[str, ...]] = ()
    cache_ok = True

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.watch = SpellingWatch()


def encoder(encode: Processor) -> Processor:
    """Make a processor of what *encode* takes, and of nulls and unexpected values, which stay as they are."""

    def process(value: Any) -> Any:
        if value is None:
            return None
        try:
            return encode(value)
        except (AttributeError, TypeError):
            if isinstance(value, UnexpectedValue):
                return value
            raise

    return process
