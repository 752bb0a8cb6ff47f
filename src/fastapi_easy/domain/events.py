"""What happened to an entity, in the past tense."""

import datetime
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastapi_easy.domain.errors import Key


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

        correlation_id: Ties together everything that one call caused.

        occurred_at: Aware, UTC.

        id: Unique for this event.
    """

    verb: ClassVar[str] = "happened"
    resource: str
    key: Key
    occurred_at: datetime.datetime
    actor: str = ""
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
    """

    verb: ClassVar[str] = "created"
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityUpdated(DomainEvent):
    """An entity was changed.

    Attributes:
        values: The readable fields as they are now.

        changed: The fields the caller set, whether or not their values differ from before.
    """

    verb: ClassVar[str] = "updated"
    values: Mapping[str, Any]
    changed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDeleted(DomainEvent):
    """An entity was removed."""

    verb: ClassVar[str] = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRestored(DomainEvent):
    """A deleted entity is there again.

    Attributes:
        values: The readable fields as they are now.
    """

    verb: ClassVar[str] = "restored"
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPurged(DomainEvent):
    """A deleted entity was removed for good."""

    verb: ClassVar[str] = "purged"
