"""The values of one encrypted field ↔ the texts that are stored."""

import json
import logging
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from fastapi_easy.domain.field import STORE_DEFAULT, Field, Kind
from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.sealed_text import SealedText, encode_digest, read_sealed
from fastapi_easy.domain.values.unexpected import UnexpectedValue

_log: Final = logging.getLogger(__name__)

UNREADABLE: Final = UnexpectedValue("unreadable")
"""In a row, in place of a value that cannot be decrypted. What is stored is shown to nobody."""


_UNDECODABLE: Final = (ValueError, TypeError, InvalidOperation, RecursionError)


class FieldCipher:
    """Encrypts and decrypts the values of one field.

    Args:
        resource: The resource of the field.

        name: The field.

        cipher: What encrypts.

        reads_plaintext: Whether stored values that are not encrypted yet are taken as they are.

    Attributes:
        name: Likewise.

        lookup: The field of its keyed hash, if it has one.
    """

    def __init__(
        self, resource: Resource[Any], name: str, cipher: Cipher, *, reads_plaintext: bool = False
    ) -> None:
        if resource.secrets is None:
            raise ValueError(f"{resource.name} has no secret fields")
        self.name = name
        self.lookup = resource.secrets.lookups.get(name)
        self._field = resource.fields[name]
        self._resource = resource.name
        self._cipher = cipher
        self._reads_plaintext = reads_plaintext
        self._associated = resource.secrets.associated_data(name)

    def seal(self, value: object) -> str:
        """Return what is stored in place of *value*, which is not null."""
        data = self._cipher.encrypt(_encode(self._field, value), self._associated)
        return str(SealedText(self._cipher.key_ids[0], data))

    def unseal(self, stored: object) -> object:
        """Return the value that is *stored*; `UNREADABLE`, and a line in the log, when nobody can tell."""
        if stored is None:
            return None
        sealed = read_sealed(stored)
        if sealed is None:
            if self._reads_plaintext:
                return self.plaintext(stored)
            return self._unreadable("is not encrypted")
        plain = self._cipher.decrypt(sealed.key_id, sealed.data, self._associated)
        if plain is None:
            known = sealed.key_id in self._cipher.key_ids
            return self._unreadable(
                f"was changed, moved, or encrypted with another key of the id {sealed.key_id!r}"
                if known
                else f"is encrypted with the key {sealed.key_id!r}, which is not among encryption.keys"
            )
        try:
            return _decode(self._field, plain)
        except _UNDECODABLE:
            return self._unreadable(f"holds no {self._field.kind}")

    def plaintext(self, stored: object) -> object:
        """Return the value of *stored*, which is not encrypted: what was there before the field was secret."""
        # To a store whose field is a text by now, an older number is unexpected.
        given = stored.shown if isinstance(stored, UnexpectedValue) else stored
        try:
            return _from_json(self._field, given)
        except _UNDECODABLE:
            return self._unreadable(f"holds no {self._field.kind}")

    def digests(self, value: object) -> tuple[str, ...]:
        """Return the keyed hashes that stand for *value*, one for each key, that of the current key first."""
        plain = _encode(self._field, value)
        return tuple(self._digest(key_id, plain) for key_id in self._cipher.key_ids)

    def older_digests(self, value: object) -> tuple[str, ...]:
        """Return the keyed hashes of *value* that entities written with other keys have; none of what is no value."""
        if len(self._cipher.key_ids) == 1 or value is STORE_DEFAULT or isinstance(value, UnexpectedValue):
            return ()
        return self.digests(value)[1:]

    def current_digest(self, value: object) -> str:
        """Return the keyed hash that is stored for *value*."""
        return self._digest(self._cipher.key_ids[0], _encode(self._field, value))

    def is_current(self, stored: object) -> bool:
        """Return whether *stored* is encrypted with the current key."""
        sealed = read_sealed(stored)
        return sealed is not None and sealed.key_id == self._cipher.key_ids[0]

    def _digest(self, key_id: str, plain: bytes) -> str:
        return encode_digest(self._cipher.digest(key_id, plain, self._associated))

    def _unreadable(self, reason: str) -> UnexpectedValue:
        # Never the value: a log lives longer, and has other readers.
        _log.error("%s.%s: a stored value %s", self._resource, self.name, reason)
        return UNREADABLE


def field_ciphers(
    resource: Resource[Any], cipher: Callable[[], Cipher], *, reads_plaintext: bool = False
) -> Mapping[str, FieldCipher]:
    """Return what encrypts each encrypted field of *resource*, by name; *cipher* is not called when there is none."""
    if resource.secrets is None or not resource.secrets.encrypted:
        return {}
    with_ = cipher()
    return {
        name: FieldCipher(resource, name, with_, reads_plaintext=reads_plaintext)
        for name in resource.secrets.encrypted
    }


def _encode(field: Field, value: Any) -> bytes:
    """Return the bytes of *value*: a text as it is, all else as JSON."""
    if field.kind is Kind.TEXT:
        return str(value).encode("utf-8", "surrogatepass")
    if field.kind is Kind.BINARY:
        return bytes(value)
    plain = value if field.kind is Kind.JSON else FORMATS[field.kind].write_key(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _decode(field: Field, plain: bytes) -> object:
    if field.kind is Kind.TEXT:
        return plain.decode("utf-8", "surrogatepass")
    if field.kind is Kind.BINARY:
        return plain
    return _from_json(field, json.loads(plain))


def _from_json(field: Field, found: Any) -> object:
    if field.kind is Kind.JSON or (field.kind is Kind.BINARY and isinstance(found, bytes)):
        return found
    if field.kind is Kind.DECIMAL and isinstance(found, str):
        # All its digits, of which a query may name fewer.
        return Decimal(found)
    return FORMATS[field.kind].read_json(field, found)
