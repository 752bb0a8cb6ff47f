"""Comparisons of encrypted fields → comparisons of their keyed hashes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, assert_never

from fastapi_easy.application.secrets.field_cipher import FieldCipher
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Relation, Resource


class FieldCiphers(Protocol):
    """Returns what encrypts the fields of a resource, by name."""

    def __call__(self, resource: Resource[Any], /) -> Mapping[str, FieldCipher]:
        """Return what encrypts the fields of *resource*."""
        ...


class NotComparable(Exception):
    """An encrypted field is compared in a way that needs its value.

    Attributes:
        capability: What was asked for, for `Unsupported`.
    """

    def __init__(self, field: str, operator: str) -> None:
        self.capability = f"{operator} of the encrypted field {field}"
        super().__init__(self.capability)


def compare_digests(
    specification: Specification, resource: Resource[Any], ciphers: FieldCiphers
) -> Specification:
    """Return *specification*, about entities of *resource*, with keyed hashes in place of the values of secret fields.

    Raises:
        NotComparable: It compares one in another way than for equality, or one without keyed hashes.
    """
    match specification:
        case Where(name, operator, value):
            secret = ciphers(resource).get(name)
            return specification if secret is None else _compare(secret, operator, value)
        case Related(relation, inner):
            related: Relation = relation
            found = compare_digests(inner, related.target, ciphers)
            return specification if found is inner else Related(related, found)
        case Not(inner):
            found = compare_digests(inner, resource, ciphers)
            return specification if found is inner else Not(found)
        case AllOf(parts):
            changed = [compare_digests(each, resource, ciphers) for each in parts]
            return specification if _are_same(changed, parts) else AllOf(tuple(changed))
        case AnyOf(parts):
            changed = [compare_digests(each, resource, ciphers) for each in parts]
            return specification if _are_same(changed, parts) else AnyOf(tuple(changed))
        case Everything() | HoldsWords():
            return specification
        case _:
            assert_never(specification)


def _are_same(changed: Sequence[Specification], parts: Sequence[Specification]) -> bool:
    return all(one is other for one, other in zip(changed, parts, strict=True))


def _compare(secret: FieldCipher, operator: Operator, value: Any) -> Specification:
    if operator is Operator.IS_NULL:
        # Null stays null.
        return Where(secret.name, operator, value)
    if secret.lookup is None:
        raise NotComparable(secret.name, operator)
    given = value if operator in {Operator.IN, Operator.NOT_IN} else (value,)
    # A comparison with null is false.
    wanted = tuple(each for one in given if one is not None for each in secret.digests(one))
    match operator:
        case Operator.EQUALS | Operator.IN:
            return Where(secret.lookup, Operator.IN, wanted)
        case Operator.NOT_EQUALS | Operator.NOT_IN:
            return Where(secret.lookup, Operator.NOT_IN, wanted)
        case _:
            raise NotComparable(secret.name, operator)
