"""What a collection looks like: its options and its indexes, as far as they are schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi_easy.infrastructure.migrations.mongo.commands import canonical
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.indexes import Index
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import SYSTEM_COLLECTION

_OWN_PREFIX: Final = "fe_"
_NOT_SCHEMA: Final = frozenset({"v", "ns", "background"})
"""What the server adds to the description of an index."""
_USUAL: Final = {"validationLevel": "strict", "validationAction": "error", "validator": {}}
"""The options of a collection that it has without being told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPicture:
    """What an index looks like.

    Attributes:
        name: Its name.

        keys: The paths it is on, each with its direction or kind.

        options: All that `createIndexes` was given beside: `unique`, `partialFilterExpression`.
    """

    name: str
    keys: tuple[tuple[str, Any], ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it is on."""
        return tuple(path for path, _ in self.keys)

    @property
    def unique(self) -> bool:
        """Whether no two documents have the same values there."""
        return bool(self.options.get("unique", False))

    @property
    def partial_filter(self) -> Document:
        """Selects the documents in it; empty for all."""
        return dict(self.options.get("partialFilterExpression") or {})

    @property
    def specification(self) -> Document:
        """What `createIndexes` is given."""
        return {"key": dict(self.keys), "name": self.name, **self.options}

    @property
    def identity(self) -> str:
        """A text that is the same for indexes that do the same."""
        keys = [[path, kind] for path, kind in self.keys]
        return canonical([keys, self.unique, self.partial_filter])

    def serves(self, wanted: Index) -> bool:
        """Return whether it does what the program wants of *wanted*."""
        if not wanted.is_on(dict(self.keys), self.options.get("weights") or {}):
            return False
        same_filter = canonical(self.partial_filter) == canonical(dict(wanted.partial_filter))
        return not wanted.unique or (self.unique and same_filter)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPicture:
    """What a collection looks like.

    Attributes:
        name: Its name.

        kind: `collection`, `view` or `timeseries`.

        options: What `create` was given.

        indexes: But for the one of `_id`.
    """

    name: str
    kind: str = "collection"
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[IndexPicture, ...] = ()

    @property
    def validator(self) -> Document:
        """What every document has to fulfil; empty for nothing."""
        return dict(self.options.get("validator") or {})


def index_of(described: Mapping[str, Any]) -> IndexPicture:
    """Return the picture of an index as the server describes it."""
    options = {
        name: value
        for name, value in described.items()
        if name not in {"key", "name"} and name not in _NOT_SCHEMA
    }
    return IndexPicture(name=described["name"], keys=tuple(described["key"].items()), options=options)


def options_of(described: Mapping[str, Any]) -> Document:
    """Return the options of a collection as the server describes it, without what says nothing."""
    options = dict(described)
    has_validator = bool(options.get("validator"))
    # `collMod` leaves them although they say nothing.
    for name, usual in _USUAL.items():
        if not has_validator or options.get(name) == usual:
            _ = options.pop(name, None)
    return options


def is_own(name: str) -> bool:
    """Return whether a collection belongs to this system, or to the server, and is part of no schema."""
    return name.startswith((_OWN_PREFIX, "system.")) or name == SYSTEM_COLLECTION
