"""The collections that a program declares."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi_easy.infrastructure.migrations.mongo.commands import canonical
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.indexes import (
    Index,
    build_validator,
    needed_indexes,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCollection:
    """A collection that a program declares.

    Attributes:
        name: Its name.

        validator: What every document has to fulfil in a new one.

        indexes: Those that it needs.
    """

    name: str
    validator: Document
    indexes: tuple[Index, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields of its documents."""
        return frozenset(self.validator["$jsonSchema"]["properties"])


def declare(plans: Iterable[Plan]) -> tuple[DeclaredCollection, ...]:
    """Return the collections of *plans*, by name; several resources may share one."""
    found: dict[str, DeclaredCollection] = {}
    for plan in plans:
        first = found.get(plan.collection)
        known = () if first is None else first.indexes
        found[plan.collection] = DeclaredCollection(
            name=plan.collection,
            validator=build_validator(plan) if first is None else first.validator,
            indexes=(*known, *(each for each in needed_indexes(plan) if each not in known)),
        )
    return tuple(found[name] for name in sorted(found))


def checksum_of(declared: Iterable[DeclaredCollection]) -> str:
    """Return the SHA-256 of what is declared."""
    content = [
        [each.name, each.validator, [[index.paths, index.options] for index in each.indexes]]
        for each in declared
    ]
    return hashlib.sha256(canonical(content).encode()).hexdigest()
