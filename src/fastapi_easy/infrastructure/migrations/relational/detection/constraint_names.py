"""Names for constraints that are declared without one, so that they can be dropped again."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    IndexShape,
    ReferenceShape,
    TableShape,
    UniqueShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair

_LONGEST: Final = 60


def named(pair: TablePair, suffix: str, columns: Sequence[str]) -> str:
    """Return a name as PostgreSQL would choose it, that no constraint of the table has.

    Args:
        pair: The table.

        suffix: `key`, `check`, `fkey` or `pkey`.

        columns: Those that the constraint is about.
    """
    name = shortened("_".join([pair.table, *columns, suffix]))
    taken = set(_names(pair.stored)) | set(_names(pair.declared.shape))
    numbers = (f"{name}{number}" for number in range(1, len(taken) + 2))
    return next(each for each in (name, *numbers) if each not in taken)


def shortened(name: str) -> str:
    """Return *name*, cut and marked if it is too long for a server."""
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: _LONGEST - len(digest) - 1]}_{digest}"


def _names(shape: TableShape) -> Iterable[str]:
    parts: tuple[IndexShape | UniqueShape | CheckShape | ReferenceShape, ...] = (
        *shape.indexes,
        *shape.uniques,
        *shape.checks,
        *shape.references,
    )
    for each in parts:
        if each.name:
            yield each.name
