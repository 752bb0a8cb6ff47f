"""The kinds of writes, each with its before-change event, its domain event, and the operation it requires."""

from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.changes.change import (
    BeforeChange,
    BeforeCreate,
    BeforeDelete,
    BeforePurge,
    BeforeRestore,
    BeforeUpdate,
)
from fastapi_easy.domain.changes.events import (
    DomainEvent,
    EntityCreated,
    EntityDeleted,
    EntityPurged,
    EntityRestored,
    EntityUpdated,
)
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write.

    Attributes:
        change: What those are asked about who have a say in it.

        event: What is recorded of it.

        verb: What the caller has to be allowed.

        has_values: The event tells how the entity is now.

        has_before_values: The event can tell how it was before.
    """

    change: type[BeforeChange]
    event: type[DomainEvent]
    verb: Operation
    has_values: bool = False
    has_before_values: bool = False


CREATE: Final = Write(BeforeCreate, EntityCreated, Operation.CREATE, has_values=True)
UPDATE: Final = Write(BeforeUpdate, EntityUpdated, Operation.UPDATE, has_values=True, has_before_values=True)
DELETE: Final = Write(BeforeDelete, EntityDeleted, Operation.DELETE, has_before_values=True)
RESTORE: Final = Write(BeforeRestore, EntityRestored, Operation.RESTORE, has_values=True)
PURGE: Final = Write(BeforePurge, EntityPurged, Operation.PURGE, has_before_values=True)
