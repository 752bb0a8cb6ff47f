"""Unique secret fields while entities are stored with keyed hashes of several keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from returns.result import Failure

from fastapi_easy.application.secrets.field_cipher import FieldCipher
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import AlreadyExists, Error, Key
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.resource import Resource


class UniqueDigests:
    """Finds entities whose equal value has the keyed hash of an older key, which a unique constraint does not see.

    Args:
        resource: The resource of the entities.

        ciphers: What encrypts its fields.
    """

    def __init__(self, resource: Resource[Any], ciphers: Mapping[str, FieldCipher]) -> None:
        self._resource = resource
        self._fields = {each.lookup: each.name for each in ciphers.values() if each.lookup is not None}
        self._unique = [
            each for each in ciphers.values() if each.lookup is not None and resource.fields[each.name].unique
        ]

    def named(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return *fields* with secret fields in place of those of their keyed hashes."""
        return tuple(self._fields.get(name, name) for name in fields)

    async def find_taken(
        self, stored: Repository[Any], many: Sequence[Values], key: Key = None
    ) -> Failure[Error] | None:
        """Return the failure that a value of *many* is taken, as far as older keys are concerned; `None` if none is.

        Args:
            stored: The entities as they are stored.

            many: The values that are about to be written.

            key: Of the entity that gets them, if it exists.
        """
        for secret in self._unique:
            older = tuple(
                digest
                for values in many
                if (value := values.get(secret.name)) is not None
                for digest in secret.older_digests(value)
            )
            if not older or secret.lookup is None:
                continue
            found = await stored.select(
                Query(
                    specification=Where(secret.lookup, Operator.IN, older),
                    fields=self._resource.key,
                    page=PageRequest(limit=2),
                )
            )
            if isinstance(found, Failure):
                return found
            if any(self._resource.key_of(row) != key for row in found.unwrap().items):
                return Failure(AlreadyExists(self._resource.name, (secret.name,)))
        return None
