"""The values of entities as callers give them ↔ as their store holds them, where a resource has secrets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.secrets.field_cipher import FieldCipher
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.replacement import resolve_store_defaults
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.errors import Fault, Invalid, Outcome
from fastapi_easy.domain.field import STORE_DEFAULT, UNSET
from fastapi_easy.domain.ports.password_hasher import PasswordHasher
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.passwords import PasswordHash, check_password
from fastapi_easy.domain.values.unexpected import UnexpectedValue

_NO_PASSWORDS: Final = ()


class StoredForm:
    """Converts the values of one resource.

    Args:
        resource: The resource.

        ciphers: What encrypts its fields, by name.

        hasher: What hashes its passwords; `None` when it has none.
    """

    def __init__(
        self, resource: Resource[Any], ciphers: Mapping[str, FieldCipher], hasher: PasswordHasher | None
    ) -> None:
        self._resource = resource
        self._ciphers = ciphers
        self._hasher = hasher
        self._passwords = _NO_PASSWORDS if resource.secrets is None else resource.secrets.passwords
        # The version of an entity is that of what is stored, so that nobody can try values until their hash fits.
        self._carries_version = bool(ciphers or self._passwords) and resource.version is None
        self._defaults = {
            name: STORE_DEFAULT
            for name in ciphers
            if resource.fields[name].default is not UNSET or resource.fields[name].default_factory is not None
        }

    @property
    def is_plain(self) -> bool:
        """Return whether values are stored as they are given."""
        return not (self._ciphers or self._passwords)

    async def of_new(self, values: Values) -> Outcome[Values]:
        """Return the *values* of a new entity as they are stored, defaults included.

        Fails with:
            Invalid: A password is too long.
        """
        return await self.of_changes({**self._defaults, **values})

    async def of_changes(self, values: Values) -> Outcome[Values]:
        """Return *values* as they are stored.

        Fails with: as `of_new`.
        """
        changed = dict(values)
        for name, cipher in self._ciphers.items():
            if name in changed:
                self._seal(cipher, changed)
        for name in self._passwords:
            given = changed.get(name)
            # What was read as a hash, and is written again with the rest of its entity, stays one.
            if given is None or type(given) is PasswordHash:
                continue
            try:
                check_password(given)
            except ParseError as error:
                return Failure(Invalid((Fault(f"/{name}", str(error), error.code),)))
            if self._hasher is not None:
                changed[name] = await self._hasher.hash(given)
        return Success(changed)

    def row(self, stored: Row) -> Row:
        """Return the row that callers get for what is *stored*."""
        values = dict(stored)
        for name, cipher in self._ciphers.items():
            if name in values:
                values[name] = cipher.unseal(values[name])
        for name in self._passwords:
            if isinstance(values.get(name), str):
                values[name] = PasswordHash(values[name])
        if self._carries_version and all(name in stored for name in self._resource.readable):
            return PartialRow(values, self._resource.version_of(stored))
        return Row(values)

    def rows(self, stored: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that callers get for those that are *stored*."""
        return [self.row(each) for each in stored]

    def _seal(self, cipher: FieldCipher, values: dict[str, Any]) -> None:
        name = cipher.name
        value = values[name]
        if isinstance(value, UnexpectedValue):
            # Nobody could read it: what is stored stays, for those who find the key.
            del values[name]
            return
        if value is STORE_DEFAULT:
            value = resolve_store_defaults(self._resource.fields, {name: value})[name]
        values[name] = None if value is None else cipher.seal(value)
        if cipher.lookup is not None:
            values[cipher.lookup] = None if value is None else cipher.current_digest(value)
