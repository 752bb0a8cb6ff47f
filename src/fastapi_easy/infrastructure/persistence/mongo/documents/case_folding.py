"""Case-insensitive text → a regular expression that matches as `fold_case` compares.

The server's own option for that, `i`, has rules of its own, and all stores shall find the same.
"""

import functools
import re
import sys
from collections.abc import Mapping

from fastapi_easy.domain.queries.case_folding import fold_case


@functools.cache
def _case_variants() -> Mapping[str, str]:
    """Map each character that others fold to, to itself and all of those."""
    found: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        # Nearly all characters are their own lower case, and that test is much quicker than folding them.
        if character.lower() != character and (low := fold_case(character)) != character:
            found.setdefault(low, [low]).append(character)
    return {low: "".join(each) for low, each in found.items()}


def prepare() -> None:
    """Make the table now rather than during the first call; it takes a tenth of a second."""
    _ = _case_variants()


def build_pattern(text: str, *, any_case: bool) -> str:
    """Return the regular expression that matches *text* and nothing else."""
    if not any_case:
        return re.escape(text)
    variants = _case_variants()
    return "".join(_character_class(variants.get(each)) or re.escape(each) for each in fold_case(text))


def _character_class(characters: str | None) -> str | None:
    # Letters only, none of which means anything between brackets.
    return None if characters is None else f"[{characters}]"
