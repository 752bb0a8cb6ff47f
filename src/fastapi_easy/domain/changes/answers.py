"""What changes answer that one row cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome


@dataclass(frozen=True, slots=True)
class Upserted:
    """The result of an upsert.

    Attributes:
        row: The readable fields as they are now.

        created: Whether it was created.
    """

    row: Row
    created: bool


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """The outcome of every item of a bulk.

    Attributes:
        outcomes: One for each item, in their order: the row, `Upserted`, `None` for a delete, the number of entities
            for items without a key, or a failure; `None` in place of an outcome that was rolled back or never tried
            because another item failed, or, unless atomic, because the store stopped answering.

        applied: Whether something may have been changed: always, except for an atomic call with a failed item.
    """

    outcomes: Sequence[Outcome[object] | None]
    applied: bool = True
