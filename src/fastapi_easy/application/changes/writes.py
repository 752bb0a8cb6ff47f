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
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write.

    Attributes:
        before_change: The event announced before it; its handlers may change or refuse it.

        event: The event recorded of it.

        operation: The operation, or `RESTORE_IMPORT`, that the caller must be allowed.

        creates: Whether there is a new entity afterwards.

        has_values: Whether the event holds the values after the change.

        has_before_values: Whether the event can hold the values before the change.
    """

    before_change: type[BeforeChange]
    event: type[DomainEvent]
    operation: str
    creates: bool = False
    has_values: bool = False
    has_before_values: bool = False


CREATE: Final = Write(BeforeCreate, EntityCreated, Operation.CREATE, creates=True, has_values=True)
CREATE_STORED: Final = Write(BeforeCreate, EntityCreated, RESTORE_IMPORT, creates=True, has_values=True)
UPDATE: Final = Write(BeforeUpdate, EntityUpdated, Operation.UPDATE, has_values=True, has_before_values=True)
DELETE: Final = Write(BeforeDelete, EntityDeleted, Operation.DELETE, has_before_values=True)
RESTORE: Final = Write(BeforeRestore, EntityRestored, Operation.RESTORE, has_values=True)
PURGE: Final = Write(BeforePurge, EntityPurged, Operation.PURGE, has_before_values=True)
