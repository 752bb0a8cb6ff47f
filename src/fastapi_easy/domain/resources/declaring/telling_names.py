"""Fields that are called like secrets, which callers read only when somebody has said that they may."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import Fields

_TELLING: Final = re.compile(
    r"(?:.*_)?(?:password|passwd|secret|token|api_?key|private_?key|secret_?key)(?:_?hash(?:ed)?)?|(?:.*_)?pwd",
    re.IGNORECASE,
)
_KINDS: Final = frozenset({Kind.TEXT, Kind.BINARY})
"""Those that a secret may have: a number, a time or a UUID is none."""


def check_readable_secrets(
    access: Fields, readable: Iterable[str], fields: Mapping[str, Field], mistakes: Mistakes
) -> None:
    """Add a mistake for each of the *readable* fields that is called like a secret, and not named as readable.

    Args:
        access: As declared.

        readable: What callers may read.

        fields: All fields, by name.

        mistakes: Where mistakes go.
    """
    declared = {*(access.read or ()), *access.secret, *access.readable}
    for name in readable:
        if name not in declared and fields[name].kind in _KINDS and _TELLING.fullmatch(name):
            mistakes.add(
                f"{name!r} is called like a secret, and every caller could read it: name it in fields as hidden=, "
                "password= (stored as a hash) or secret= (encrypted), or as readable= if it is not one"
            )
