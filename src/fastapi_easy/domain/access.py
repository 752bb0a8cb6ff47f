"""Grants: what a caller may do with the entities of one resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.queries.specification import Everything, Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The rights of one caller, for one action, on the entities of one resource.

    Attributes:
        rows: The entities it may be done to; all others do not exist for the caller.

        readable: Of the readable fields of the resource, those the caller may read; `None` means all. Those of the
            key are always among them.

        writable: Of the writable fields, those the caller may set; `None` means all.

        stamps: Fields that every new entity gets, whatever the caller says: its owner, its tenant.
    """

    rows: Specification = Everything()
    readable: frozenset[str] | None = None
    writable: frozenset[str] | None = None
    stamps: Mapping[str, object] = field(default_factory=dict)


FULL_GRANT: Final = Grant()
"""All rights on all entities."""
