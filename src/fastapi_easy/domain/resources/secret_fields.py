"""The fields of a resource that are stored in another form than callers give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFields:
    """What a resource encrypts and hashes.

    Attributes:
        place: The table or collection, which every ciphertext is bound to; the name of the class where it names
            none.

        encrypted: The fields that are encrypted.

        lookups: Of these, the ones that can be compared for equality, and the field of the keyed hash of each.

        passwords: The fields that are hashed.
    """

    place: str
    encrypted: tuple[str, ...]
    lookups: Mapping[str, str]
    passwords: tuple[str, ...]

    def associated_data(self, field: str) -> bytes:
        """Return what a ciphertext of *field* is bound to, so that it cannot be moved to another field."""
        return f"{self.place}\0{field}".encode()


def find_passwords(secrets: SecretFields | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the passwords in *values*, by the names of their fields."""
    if secrets is None:
        return {}
    return {name: values[name] for name in secrets.passwords if name in values}
