"""Words of texts: what full-text search looks for, and the rule that every store keeps to.

A word is a run of letters, digits, marks and underscores, whatever its case. The sigma at the end of a word is that
within it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.queries.case_folding import fold_case

FINAL_SIGMA: Final = "\u03c2"
SIGMA: Final = "\u03c3"
"""What the one above counts as: stores do not agree about which of them is the lower case of the capital."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class HoldsWords:
    """Every entity whose *fields* together hold all *words*.

    Attributes:
        fields: The names of text fields, in the order in which they were declared.

        words: As `words_of` gives them.

        language: By whose rules a store that knows languages compares words; `None` for words as they are written.
    """

    fields: tuple[str, ...]
    words: tuple[str, ...]
    language: str | None = None


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of *text* in lower case, each once, in their order."""
    if text.isascii():
        return tuple(dict.fromkeys(_PLAIN.findall(text.lower())))
    folded = "".join(each if _is_part(each) else " " for each in fold_case(text))
    return tuple(dict.fromkeys(folded.replace(FINAL_SIGMA, SIGMA).split()))


def holds_words(asked: HoldsWords, entity: object) -> bool:
    """Return whether the entity, an object or a mapping of field names to values, is one that *asked* means.

    Raises:
        TypeError: A field is no text.
    """
    wanted = set(asked.words)
    for text in _texts(asked, entity):
        wanted.difference_update(words_of(text))
    return not wanted


def _texts(asked: HoldsWords, entity: object) -> Iterator[str]:
    for name in asked.fields:
        value = entity[name] if isinstance(entity, Mapping) else getattr(entity, name)
        if isinstance(value, str):
            yield value
        elif value is not None:
            raise TypeError(f"only texts have words, and {name} is {type(value).__name__}")


def _is_part(character: str) -> bool:
    return character == "_" or character.isalnum() or unicodedata.category(character).startswith("M")
