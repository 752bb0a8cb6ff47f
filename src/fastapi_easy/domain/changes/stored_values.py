"""The values of an entity as a store held them before."""

from collections.abc import Iterable
from typing import Any

from fastapi_easy.domain.changes.patch import Values


class StoredValues(dict[str, Any]):
    """The values of an entity that an import restores.

    Args:
        values: All values, by the names of their fields.

        restored: The fields that only a restore sets.

    Attributes:
        restored: Likewise.
    """

    __slots__ = ("restored",)

    def __init__(self, values: Values, restored: Iterable[str]) -> None:
        super().__init__(values)
        self.restored = frozenset(restored)
