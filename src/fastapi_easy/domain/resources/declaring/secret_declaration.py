"""`Fields(secret=…, password=…)` → what is encrypted and hashed, and the fields as callers and stores see them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi_easy.domain.field import UNSET, Comparison, Field, Kind
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import Fields
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.resources.secret_fields import SecretFields
from fastapi_easy.domain.values.passwords import HASH_LENGTH, MAX_PASSWORD, MIN_PASSWORD, check_password
from fastapi_easy.domain.values.sealed_text import DIGEST_LENGTH, sealable_characters, sealed_length

_UNSEALABLE: Final = frozenset({Kind.ARRAY})
_COMPARABLE: Final = frozenset({Kind.TEXT, Kind.INTEGER, Kind.UUID, Kind.DATE})
"""The kinds of which equal values are spelled alike."""


@dataclass(frozen=True, slots=True)
class DeclaredSecrets:
    """What is declared of secret fields.

    Attributes:
        secrets: What is encrypted and hashed; `None` for nothing.

        access: Who may read and write which fields, with the lookup fields hidden.

        fields: Every field as callers see it.

        stored_fields: Every field as stores hold it.
    """

    secrets: SecretFields | None
    access: Fields
    fields: dict[str, Field]
    stored_fields: Mapping[str, Field]


def lookup_field_of(name: str) -> str:
    """Return the name of the field that holds the keyed hash of the field *name*."""
    return f"{name}_lookup"


def declare_secrets(
    entity: type[Any], access: Fields, shape: Shape, fields: dict[str, Field], mistakes: Mistakes
) -> DeclaredSecrets:
    """Return what *access* declares as secret, and add every mistake in it to *mistakes*.

    Args:
        entity: The class that is stored.

        access: As declared.

        shape: What was read from the class.

        fields: Its fields by name.

        mistakes: Where mistakes go.
    """
    if not (access.secret or access.lookup or access.password):
        return DeclaredSecrets(None, access, fields, fields)
    lack = "which the entity does not have"
    encrypted = mistakes.names("fields.secret", access.secret, fields, lack)
    lookups = mistakes.names("fields.lookup", access.lookup, encrypted, "which fields.secret does not name")
    passwords = mistakes.names("fields.password", access.password, fields, lack)
    found = {name: lookup_field_of(name) for name in lookups}
    outer, stored = dict(fields), dict(fields)
    for name in encrypted:
        _check_use("fields.secret", name, shape, fields[name], mistakes)
        outer[name], stored[name] = _sealed(fields[name], shape, mistakes, is_compared=name in found)
    for name, digest in found.items():
        _check_lookup(name, fields, shape, mistakes)
        if digest in fields:
            # Only the system writes it.
            outer[digest] = replace(fields[digest], generated=True)
            outer[name] = replace(outer[name], unique=fields[digest].unique)
    for name in passwords:
        if name in encrypted:
            mistakes.add(
                f"{name!r} is in fields.secret and fields.password: a hash is not encrypted, remove one"
            )
        if name in (access.read or ()):
            mistakes.add(f"fields.read names {name!r}, which fields.password keeps from everybody: remove it")
        _check_use("fields.password", name, shape, fields[name], mistakes)
        outer[name] = _password(fields[name], mistakes)
    secrets = SecretFields(
        place=shape.root_table or shape.table or entity.__name__,
        encrypted=encrypted,
        lookups=found,
        passwords=passwords,
    )
    hidden = (*access.hidden, *(each for each in found.values() if each in fields))
    read = None if access.read is None else tuple(name for name in access.read if name not in passwords)
    return DeclaredSecrets(secrets, replace(access, hidden=hidden, read=read), outer, stored)


def _check_use(option: str, name: str, shape: Shape, field: Field, mistakes: Mistakes) -> None:
    """Check that the store does nothing with the values of *field* that needs them as they are."""
    uses = {
        "is part of the key": name in shape.key,
        "refers to another entity": any(name in each.fields for each in shape.references),
        "is unique": field.unique or any(name in rule for rule in shape.unique),
        "is filled by the store": field.generated
        or field.store_default
        or field.computed
        or field.update_default,
    }
    for use, applies in uses.items():
        if applies:
            remedy = f"; make {lookup_field_of(name)!r} unique instead" if use == "is unique" else ""
            mistakes.add(f"{option} names {name!r}, which {use}: the store cannot read it{remedy}, remove it")


def _sealed(field: Field, shape: Shape, mistakes: Mistakes, *, is_compared: bool) -> tuple[Field, Field]:
    """Return the encrypted *field* as callers see it and as the store holds it."""
    seen = replace(
        field,
        comparison=Comparison.EQUALITY if is_compared else Comparison.NONE,
        other_values=None,
        other_types=None,
    )
    if field.kind in _UNSEALABLE:
        mistakes.add(f"fields.secret names {field.name!r} of kind {field.kind}, which cannot be encrypted")
    kept = replace(
        field,
        default=UNSET,
        default_factory=None,
        min_length=None,
        max_length=field.stored_length,
        check=None,
        document=None,
        rules=(),
        other_values=None,
        other_types=None,
    )
    if shape.table is None:
        # Documents have no column types: what is encrypted is a text.
        return seen, replace(
            kept, kind=Kind.TEXT, enumeration=None, max_length=None, minimum=None, maximum=None
        )
    is_text = field.kind is Kind.TEXT and field.check is None and field.comparison is Comparison.FULL
    if not is_text and field.kind is not Kind.JSON:
        mistakes.add(
            f"fields.secret names {field.name!r} of kind {field.kind}: encrypted values are texts, so that its column "
            "must be one for text or JSON"
        )
    if field.stored_length is None or not is_text:
        return seen, kept
    most = sealable_characters(field.stored_length)
    wanted = field.max_length or field.stored_length
    if wanted < field.stored_length or most < 1:
        if most < wanted:
            mistakes.add(
                f"fields.secret names {field.name!r}, whose texts of {wanted} characters need "
                f"{sealed_length(wanted)} when they are encrypted, but its column holds {field.stored_length}: make "
                f"it Text, or String({sealed_length(wanted)})"
            )
        return seen, kept
    return replace(seen, max_length=most), kept


def _check_lookup(name: str, fields: Mapping[str, Field], shape: Shape, mistakes: Mistakes) -> None:
    """Check that the keyed hash of the field *name* can be computed and stored."""
    field, digest = fields[name], fields.get(lookup_field_of(name))
    if field.kind not in _COMPARABLE:
        mistakes.add(
            f"fields.lookup names {name!r} of kind {field.kind}, whose equal values may be spelled differently: remove "
            "it"
        )
    if digest is None:
        mistakes.add(
            f"fields.lookup names {name!r}, but there is no field {lookup_field_of(name)!r} for its keyed hash: add a "
            f"text of {DIGEST_LENGTH} characters{', nullable' if field.nullable else ''}"
        )
        return
    place = f"{digest.name!r} holds the keyed hash of {name!r}"
    if digest.kind is not Kind.TEXT or digest.check is not None:
        mistakes.add(f"{place} and is of kind {digest.kind}: make it a text")
    if any(each is not None and each < DIGEST_LENGTH for each in (digest.max_length, digest.stored_length)):
        mistakes.add(f"{place}, which has {DIGEST_LENGTH} characters: make it that long")
    if digest.nullable != field.nullable:
        mistakes.add(f"{place}: make both nullable, or none")
    if digest.name in shape.key:
        mistakes.add(f"{place}, which changes with the key of the encryption: leave it out of the key")


def _password(field: Field, mistakes: Mistakes) -> Field:
    """Return the password *field* as callers give it."""
    if field.kind is not Kind.TEXT or field.check is not None:
        mistakes.add(f"fields.password names {field.name!r} of kind {field.kind}: make it a text")
    if field.stored_length is not None and field.stored_length < HASH_LENGTH:
        mistakes.add(
            f"fields.password names {field.name!r}, whose column holds {field.stored_length} characters: a hash needs "
            f"{HASH_LENGTH}, make it String({HASH_LENGTH}) or Text"
        )
    is_declared = field.max_length is not None and field.max_length != field.stored_length
    return replace(
        field,
        min_length=field.min_length or MIN_PASSWORD,
        max_length=field.max_length if is_declared else MAX_PASSWORD,
        check=check_password,
        comparison=Comparison.NONE,
        other_values=None,
        other_types=None,
    )
