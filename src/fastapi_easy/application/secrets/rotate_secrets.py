"""Encrypt what is stored with the current key, and count what is encrypted with which."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from returns.result import Failure, Success

from fastapi_easy.application.secrets.field_cipher import UNREADABLE, FieldCipher
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import NotFound, Outcome, Stale
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.unavailable import SerializationConflict
from fastapi_easy.domain.values.sealed_text import read_sealed

PLAINTEXT: Final = "plaintext"
"""In place of a key id, for stored values that are not encrypted."""

_ATTEMPTS: Final = 20
"""Attempts to change an entity that others change meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The result of a rotation, or what a dry run would have done.

    Attributes:
        resource: The name of the resource, or of the table.

        examined: Entities that were read.

        changed: Those of them that were encrypted anew, or whose keyed hashes were.

        unreadable: Those with values that no known key decrypts; they stay as they are, and the log names their fields.
    """

    resource: str
    examined: int = 0
    changed: int = 0
    unreadable: int = 0

    def counting(self, *, is_changed: bool, is_unreadable: bool) -> "Rotation":
        """Return the same with one more that was read, and whether it was changed or is unreadable."""
        return replace(
            self,
            examined=self.examined + 1,
            changed=self.changed + is_changed,
            unreadable=self.unreadable + is_unreadable,
        )


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many stored values of one field are encrypted with which key.

    Attributes:
        resource, field: Which field.

        values: By the id of the key; `plaintext` for those that are not encrypted. Nulls are not counted.
    """

    resource: str
    field: str
    values: Counter[str]


class EncryptedValues(Protocol):
    """Encrypted values of one kind, as they are stored: those of a resource, or of a table of the system."""

    async def count(self) -> Outcome[tuple[KeyUse, ...]]:
        """Count what is encrypted with which key."""
        ...

    async def rotate(
        self, report: Callable[[Rotation], None], *, is_dry_run: bool = False
    ) -> Outcome[Rotation]:
        """Encrypt with the current key what is not, and tell *report* of the progress."""
        ...


class StoredSecrets:
    """Implements `EncryptedValues` for the encrypted fields of one resource, of deleted entities too.

    No access is checked, and no event is recorded: to the application the values do not change.

    Args:
        resource: The resource.

        stored: Its entities as they are stored.

        ciphers: What encrypts its fields.

        batch: Entities that are read together.
    """

    def __init__(
        self,
        resource: Resource[Any],
        stored: Repository[Any],
        ciphers: Mapping[str, FieldCipher],
        batch: int = 200,
    ) -> None:
        self._resource = resource
        self._stored = stored
        self._ciphers = ciphers
        self._batch = batch
        # Left out, a field like `updated_at` would be set to the time of the rotation.
        self._kept = tuple(name for name, each in resource.fields.items() if each.update_default)

    async def count(self) -> Outcome[tuple[KeyUse, ...]]:
        """Count what is encrypted with which key; nothing is decrypted."""
        found = {name: KeyUse(self._resource.name, name, Counter()) for name in self._ciphers}
        after: Cursor | None = None
        while True:
            page = await self._page(after, (*self._resource.key, *self._ciphers))
            if isinstance(page, Failure):
                return page
            for row in page.unwrap().items:
                for name, use in found.items():
                    if row[name] is not None:
                        sealed = read_sealed(row[name])
                        use.values[PLAINTEXT if sealed is None else sealed.key_id] += 1
            after = page.unwrap().next
            if after is None:
                return Success(tuple(found.values()))

    async def rotate(
        self, report: Callable[[Rotation], None], *, is_dry_run: bool = False
    ) -> Outcome[Rotation]:
        """Encrypt with the current key what is not, plaintext included, and renew keyed hashes.

        Each entity is changed at the version that was read, and is durable at once: a rotation that was killed goes on
        where it was when it is started again, and changes of others in between are neither lost nor waited for.

        Args:
            report: Is told of the progress after each batch.

            is_dry_run: Change nothing.

        Fails with: what `Repository.update` fails with.
        """
        done = Rotation(resource=self._resource.name)
        after: Cursor | None = None
        while True:
            page = await self._page(after, None)
            if isinstance(page, Failure):
                return page
            for row in page.unwrap().items:
                changed = await self._renew(row, is_dry_run=is_dry_run)
                if isinstance(changed, Failure):
                    return changed
                is_changed, is_unreadable = changed.unwrap()
                done = done.counting(is_changed=is_changed, is_unreadable=is_unreadable)
            report(done)
            after = page.unwrap().next
            if after is None:
                return Success(done)

    async def _page(self, after: Cursor | None, fields: tuple[str, ...] | None) -> Outcome[Any]:
        wanted = None if fields is None else tuple(dict.fromkeys(fields))
        return await self._stored.select(
            Query(fields=wanted, page=PageRequest(limit=self._batch, after=after))
        )

    async def _renew(self, row: Row, *, is_dry_run: bool) -> Outcome[tuple[bool, bool]]:
        """Return whether the entity was changed, and whether something in it could not be read."""
        key = self._resource.key_of(row)
        for _ in range(_ATTEMPTS):
            changes, is_unreadable = self._changes(row)
            if is_dry_run or not changes:
                return Success((bool(changes), is_unreadable))
            patch = Patch({**changes, **{name: row[name] for name in self._kept}})
            written = await self._stored.update(key, patch, expected_version=self._resource.version_of(row))
            if not isinstance(written, Failure):
                return Success((True, is_unreadable))
            match written.failure():
                case NotFound():
                    return Success((False, False))
                case Stale():
                    again = await self._stored.read(key)
                    if isinstance(again, Failure):
                        return Success((False, False)) if isinstance(again.failure(), NotFound) else again
                    row = again.unwrap()
                case _:
                    return written
        return Failure(SerializationConflict(self._resource.database))

    def _changes(self, row: Row) -> tuple[dict[str, Any], bool]:
        changes: dict[str, Any] = {}
        is_unreadable = False
        for name, cipher in self._ciphers.items():
            stored = row[name]
            value = (
                cipher.plaintext(stored)
                if stored is not None and read_sealed(stored) is None
                else cipher.unseal(stored)
            )
            if value is UNREADABLE:
                is_unreadable = True
                continue
            if value is not None and not cipher.is_current(stored):
                changes[name] = cipher.seal(value)
            if cipher.lookup is not None:
                digest = None if value is None else cipher.current_digest(value)
                if row[cipher.lookup] != digest:
                    changes[cipher.lookup] = digest
        return changes, is_unreadable
