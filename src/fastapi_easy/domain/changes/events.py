"""What happened to an entity, in the past tense."""

import datetime
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.principal import Tenant


def _new_id() -> uuid.UUID:
    # Of the process's own generator: an id is no secret, and to ask the system for one takes ten times as long.
    return uuid.UUID(int=random.getrandbits(128), version=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something happened to one entity.

    Attributes:
        resource: The name of the resource.

        key: Which entity.

        actor: The id of the principal who asked; empty when anonymous.

        tenant: The partition that the call worked in, if the application has tenants.

        by_system: The change was made beyond what the actor may do: through `UnitOfWork.as_system`.

        correlation_id: Ties together everything that one call caused.

        occurred_at: Aware, UTC.

        id: Unique for this event.
    """

    verb: ClassVar[str] = "happened"
    resource: str
    key: Key
    occurred_at: datetime.datetime
    actor: str = ""
    tenant: Tenant | None = None
    by_system: bool = False
    correlation_id: str = ""
    id: uuid.UUID = field(default_factory=_new_id)

    @property
    def name(self) -> str:
        """Resource and verb: `books.created`."""
        return f"{self.resource}.{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCreated(DomainEvent):
    """An entity was stored for the first time.

    Attributes:
        values: The readable fields as stored.

        version: The value of the resource's `version` field, if it has one.
    """

    verb: ClassVar[str] = "created"
    values: Mapping[str, Any]
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityUpdated(DomainEvent):
    """An entity was changed.

    Attributes:
        values: The readable fields as they are now.

        changed: The fields that were set, whether or not their values differ from before.

        version: The value of the resource's `version` field, if it has one.

        before: The readable fields as they were; `None` unless somebody asked for them.
    """

    verb: ClassVar[str] = "updated"
    values: Mapping[str, Any]
    changed: frozenset[str]
    version: str | None = None
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDeleted(DomainEvent):
    """An entity was removed.

    Attributes:
        before: The readable fields as they were; `None` unless somebody asked for them.
    """

    verb: ClassVar[str] = "deleted"
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRestored(DomainEvent):
    """A deleted entity was restored.

    Attributes:
        values: The readable fields as they are now.

        version: The value of the resource's `version` field, if it has one.
    """

    verb: ClassVar[str] = "restored"
    values: Mapping[str, Any]
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPurged(DomainEvent):
    """A deleted entity was removed for good.

    Attributes:
        before: The readable fields as they were; `None` unless somebody asked for them.
    """

    verb: ClassVar[str] = "purged"
    before: Mapping[str, Any] | None = None
