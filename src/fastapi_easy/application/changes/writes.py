"""The kinds of writes: what is asked before each, what is recorded of it, and what it takes."""

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

        tells_values: The event tells how the entity is now.

        tells_before: The event can tell how it was before.
    """

    change: type[BeforeChange]
    event: type[DomainEvent]
    verb: Operation
    tells_values: bool = False
    tells_before: bool = False


CREATE: Final = Write(BeforeCreate, EntityCreated, Operation.CREATE, tells_values=True)
UPDATE: Final = Write(BeforeUpdate, EntityUpdated, Operation.UPDATE, tells_values=True, tells_before=True)
DELETE: Final = Write(BeforeDelete, EntityDeleted, Operation.DELETE, tells_before=True)
RESTORE: Final = Write(BeforeRestore, EntityRestored, Operation.RESTORE, tells_values=True)
PURGE: Final = Write(BeforePurge, EntityPurged, Operation.PURGE, tells_before=True)
