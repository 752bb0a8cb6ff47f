"""Values about people, encrypted with a key of each of them."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.audit.canonical import (
    from_canonical_json,
    to_canonical_json,
    to_exact_canonical_json,
    to_exact_json,
)
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.audit_sink import AuditSink
from fastapi_easy.domain.ports.subject_cipher import SubjectCipher
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.plain_json import to_plain_json

SUBJECT: Final = "$subject"
VALUE: Final = "$value"
"""The names in what stands in place of a value about somebody: who, and the value encrypted."""

ERASED: Final[Mapping[str, bool]] = {"erased": True}
"""What stands in place of a value whose key was destroyed."""


def subject_of(resource: Resource[Any], values: Mapping[str, Any], key: Any) -> str | None:
    """Return whom an entity of *resource* is about, like `customers/7`; `None` when it is about nobody.

    That is the entity itself, or the one that the field `Audit.subject` refers to; where that field is no reference,
    what it holds.
    """
    field = None if resource.audit is None else resource.audit.subject
    if field is None:
        return f"{resource.name}/{_as_text(key)}"
    value = to_plain_json(values.get(field))
    if value is None:
        return None
    target = next((each.target.name for each in resource.references if each.fields == (field,)), None)
    return _as_text(value) if target is None else f"{target}/{_as_text(value)}"


class PersonalValues:
    """Encrypts values about people, and decrypts them as long as their keys exist.

    Args:
        cipher: Encrypts.
    """

    def __init__(self, cipher: SubjectCipher) -> None:
        self._cipher = cipher

    def tokens(self, subject: str) -> Sequence[str]:
        """Return what stands for *subject* in the trail."""
        return self._cipher.tokens(subject)

    def key_id_of(self, wrapped: bytes) -> str:
        """Return the id of the key of the application's that *wrapped*, the key of somebody, is encrypted with."""
        return self._cipher.key_id_of(wrapped)

    async def keys_for(
        self, sink: AuditSink, work: UnitOfWork, subjects: Iterable[str]
    ) -> Outcome[Mapping[str, tuple[str, bytes | None]]]:
        """Return the token and the wrapped key of each of *subjects*, whose key is `None` once it was erased."""
        tokens = {subject: self._cipher.tokens(subject)[0] for subject in sorted(subjects)}
        new = {token: self._cipher.new_key(token) for token in tokens.values()}
        found = await sink.subject_keys_in(work, new)
        if isinstance(found, Failure):
            return found
        known = found.unwrap()
        return Success({subject: (token, known.get(token)) for subject, token in tokens.items()})

    def encrypt(self, value: Any, key: tuple[str, bytes | None] | None, place: bytes) -> Any:
        """Return what the trail holds of *value*, plain JSON, at *place*, see `place_of`."""
        if value is None:
            return None
        token, wrapped = key or ("", None)
        if wrapped is None:
            return dict(ERASED)
        data = self._cipher.encrypt(token, wrapped, to_exact_canonical_json(value), place)
        if data is None:
            return dict(ERASED)
        return {SUBJECT: token, VALUE: base64.b64encode(data).decode("ascii")}

    async def reveal(
        self, sink: AuditSink, entries: Sequence[AuditEntry]
    ) -> Outcome[Sequence[Mapping[str, Any]]]:
        """Return the changes of each of *entries* with the values about people that can still be read.

        Others are `ERASED`.
        """
        tokens = sorted({token for each in entries for token in _tokens_in(each.changes)})
        if not tokens:
            return Success([each.changes for each in entries])
        found = await sink.subject_keys(tokens)
        if isinstance(found, Failure):
            return found
        return Success([self._reveal_one(each, found.unwrap()) for each in entries])

    def _reveal_one(self, entry: AuditEntry, keys: Mapping[str, bytes]) -> Mapping[str, Any]:
        return {
            name: [self._decrypt(each, keys, place_of(entry.resource, entry.key, name)) for each in value]
            if isinstance(value, list)
            else value
            for name, value in entry.changes.items()
        }

    def _decrypt(self, value: Any, keys: Mapping[str, bytes], place: bytes) -> Any:
        if not _is_encrypted(value):
            return value
        token = value[SUBJECT]
        wrapped = keys.get(token)
        if wrapped is None:
            return dict(ERASED)
        try:
            data = base64.b64decode(value[VALUE], validate=True)
        except binascii.Error:
            return dict(ERASED)
        plain = self._cipher.decrypt(token, wrapped, data, place)
        return dict(ERASED) if plain is None else from_canonical_json(plain)


def place_of(resource: str, key: Any, field: str) -> bytes:
    """Return what the value of *field* of one entity is bound to, so that nobody has it decrypted as another one's."""
    return to_exact_canonical_json([resource, key, field])


def _as_text(value: Any) -> str:
    plain = to_exact_json(value)
    return plain if isinstance(plain, str) else to_canonical_json(plain).decode()


def _is_encrypted(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() == {SUBJECT, VALUE}
        and all(isinstance(each, str) for each in value.values())
    )


def _tokens_in(changes: Mapping[str, Any]) -> Iterable[str]:
    pairs = (each for each in changes.values() if isinstance(each, list))
    return (each[SUBJECT] for pair in pairs for each in pair if _is_encrypted(each))
