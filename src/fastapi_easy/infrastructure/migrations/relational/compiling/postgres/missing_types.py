"""Enumerations and domains that columns need and that do not exist yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY, DOMAIN, ENUM, CreateDomainType, CreateEnumType

from fastapi_easy.infrastructure.migrations.relational.compiling.postgres.situation import PostgresSituation


@dataclass(frozen=True, slots=True)
class MissingTypes:
    """Statements around those that need the types.

    Attributes:
        create: In front.

        drop: After what undoes them.
    """

    create: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


def missing_types(declared: Iterable[Any], situation: PostgresSituation) -> MissingTypes:
    """Return the statements for types of columns that neither exist nor are created by an operation of their own."""
    write = situation.write
    found = {(each.schema, str(each.name)): each for one in declared for each in _named(one, situation)}
    missing = {key: each for key, each in found.items() if _is_missing(key, situation)}
    return MissingTypes(
        create=tuple(
            write.construct(CreateDomainType(each) if isinstance(each, DOMAIN) else CreateEnumType(each))
            for each in missing.values()
        ),
        drop=tuple(
            f"DROP {'DOMAIN' if isinstance(each, DOMAIN) else 'TYPE'} {write.table(*key)}"
            for key, each in reversed(missing.items())
        ),
    )


def _named(declared: Any, situation: PostgresSituation) -> list[Any]:
    native = situation.write.native_type(declared)
    if isinstance(native, ARRAY):
        return _named(native.item_type, situation)
    return [native] if isinstance(native, ENUM | DOMAIN) and native.name else []


def _is_missing(key: tuple[str | None, str], situation: PostgresSituation) -> bool:
    if key in situation.new_types:
        return False
    catalogue = situation.catalogue
    return catalogue is None or catalogue.labels(*key) is None
