"""What encrypts fields and hashes passwords, and the repositories that have it done."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from fastapi_easy.application.secrets.field_cipher import FieldCipher, field_ciphers
from fastapi_easy.application.secrets.secret_repository import SecretRepository
from fastapi_easy.application.secrets.stored_form import StoredForm
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Cipher, PasswordHasher, Repository
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = ["SecretsWiring", "has_secrets", "open_cipher", "open_password_hasher", "require_cipher"]

_log: Final = logging.getLogger(__name__)

_NO_KEYS: Final = (
    "fields are declared secret, but there is no key: print one with `fastapi-easy secrets generate`, set "
    "encryption.keys and encryption.current, or provide a `cipher`"
)


def has_secrets(declaration: Declaration[Any]) -> bool:
    """Return whether *declaration* has fields that are stored in another form than they are given."""
    return bool(declaration.fields.secret or declaration.fields.password)


def open_cipher(settings: Settings) -> Cipher | None:
    """Return what encrypts with the keys in *settings*; `None` when there are none.

    Raises:
        DeclarationError: A key is none, or there is none of the current id; never says a key.
    """
    chosen = settings.encryption
    if not chosen.keys and chosen.current is None:
        return None
    with _library("encryption"):
        from fastapi_easy.infrastructure.security.aes_gcm import AesGcmCipher
        from fastapi_easy.infrastructure.security.base64_keys import decode_key
    keys = {name: decode_key(key.get_secret_value()) for name, key in chosen.keys.items()}
    mistakes = [
        f"encryption.keys.{name} is not 32 bytes in base64: print one with `fastapi-easy secrets generate`"
        for name, key in keys.items()
        if key is None
    ]
    if chosen.current is None:
        mistakes.append("encryption.current is not set: set it to the id of one of encryption.keys")
    elif chosen.current not in keys:
        known = ", ".join(sorted(keys)) or "there are none"
        mistakes.append(
            f"encryption.current is {chosen.current!r}, which is not among encryption.keys ({known})"
        )
    if mistakes or chosen.current is None:
        raise DeclarationError(mistakes)
    return AesGcmCipher({name: key for name, key in keys.items() if key is not None}, chosen.current)


def require_cipher(cipher: Callable[[], Cipher | None]) -> Cipher:
    """Return what *cipher* makes.

    Raises:
        DeclarationError: There is no key.
    """
    found = cipher()
    if found is None:
        raise DeclarationError([_NO_KEYS])
    return found


def open_password_hasher() -> PasswordHasher:
    """Return what hashes passwords, with the default parameters.

    Raises:
        DeclarationError: The library is not installed.
    """
    with _library("passwords"):
        from fastapi_easy.infrastructure.security.argon2 import Argon2PasswordHasher
    return Argon2PasswordHasher()


@contextmanager
def _library(extra: str) -> Iterator[None]:
    """Say how a library that is not installed is installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'{error.name} is not installed: pip install "fastapi_easy[{extra}]"']
        ) from error


class SecretsWiring:
    """Puts secret repositories above those of a store, where a resource, or one it leads to, has secrets.

    Args:
        cipher: What encrypts; `None` without keys.

        hasher: What hashes passwords; `None` when there are none.

        settings: Says whether values that are not encrypted yet are read.
    """

    def __init__(self, cipher: Cipher | None, hasher: PasswordHasher | None, settings: Settings) -> None:
        self._cipher = cipher
        self._hasher = hasher
        self._reads_plaintext = settings.encryption.read_plaintext
        if self._reads_plaintext:
            _log.warning(
                "encryption.read_plaintext is set: stored values that nobody encrypted are taken as they are; rotate, "
                "then leave it out"
            )
        self._known: dict[Resource[Any], Mapping[str, FieldCipher]] = {}

    def _require_cipher(self) -> Cipher:
        return require_cipher(lambda: self._cipher)

    def ciphers_of(self, resource: Resource[Any], /) -> Mapping[str, FieldCipher]:
        """Return what encrypts each secret field of *resource*, by name."""
        found = self._known.get(resource)
        if found is None:
            found = field_ciphers(resource, self._require_cipher, reads_plaintext=self._reads_plaintext)
            self._known[resource] = found
        return found

    def above(self, resource: Resource[Any], stored: Repository[Any]) -> Repository[Any]:
        """Return *stored*, or what keeps secrets from it."""
        secrets = resource.secrets
        if secrets is None and not _leads_to_lookups(resource):
            return stored
        form = StoredForm(resource, self.ciphers_of(resource), self._hasher)
        return SecretRepository(resource, stored, form, self.ciphers_of)


def _leads_to_lookups(resource: Resource[Any]) -> bool:
    """Return whether a relation leads, over any number of others, to a resource whose secret fields can be compared."""
    reached, around = {resource}, [resource]
    while around:
        for relation in around.pop().relations.values():
            target = relation.target
            if target.secrets is not None and target.secrets.encrypted:
                return True
            if target not in reached:
                reached.add(target)
                around.append(target)
    return False
