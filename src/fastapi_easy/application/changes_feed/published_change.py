"""A change as the outbox holds it, read once for all who listen."""

import datetime
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.plain_json import from_plain_json


class PublishedChange:
    """One message of the outbox with the values that it holds, of the types of their fields.

    Args:
        message: Has a position.

        resource: Whose entity was changed.

    Attributes:
        position: In the feed.

        message: As the outbox holds it.
    """

    def __init__(self, message: OutboxMessage, resource: Resource[Any]) -> None:
        self.position = message.position or 0
        self.message = message
        self._resource = resource

    @property
    def verb(self) -> str:
        """What happened."""
        return self.message.verb

    @property
    def occurred_at(self) -> datetime.datetime:
        """When it happened; aware, UTC."""
        return self.message.occurred_at

    @cached_property
    def key(self) -> Key:
        """The key of the entity."""
        plain, names = self.message.key, self._resource.key
        fields = self._resource.fields
        if len(names) == 1:
            return from_plain_json(fields[names[0]], plain)
        return tuple(from_plain_json(fields[name], part) for name, part in zip(names, plain, strict=True))

    @cached_property
    def values(self) -> Row | None:
        """The values after the change; `None` when the entity is gone."""
        return self._read(self.message.values)

    @cached_property
    def before(self) -> Row | None:
        """The values before the change; `None` unless the message holds them."""
        return self._read(self.message.before)

    @cached_property
    def version(self) -> str | None:
        """The version after the change; `None` when it cannot be told from what the message holds."""
        if self.message.version is not None:
            return self.message.version
        resource, values = self._resource, self.values
        if values is None or resource.version is not None or not values.keys() >= set(resource.readable):
            return None
        return resource.version_of(values)

    def _read(self, plain: Mapping[str, Any] | None) -> Row | None:
        if plain is None:
            return None
        fields = self._resource.fields
        # A field that a later deployment has dropped is not shown any more.
        return Row(
            {name: from_plain_json(fields[name], value) for name, value in plain.items() if name in fields}
        )
