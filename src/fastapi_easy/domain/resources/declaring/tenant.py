"""The field that a declaration names as that of the tenant."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.resource import Shape

_KINDS: Final = (Kind.TEXT, Kind.INTEGER, Kind.UUID)
"""The kinds whose values one text spells, so that a principal can carry them."""


def check_tenant(
    tenant: str | None, shape: Shape, fields: Mapping[str, Field], mistakes: Mistakes
) -> str | None:
    """Return the field *tenant*; add to *mistakes* what keeps it from saying whose an entity is."""
    if tenant is None or not mistakes.names("tenant", [tenant], fields, "which the entity does not have"):
        return None
    field = fields[tenant]
    if field.kind not in _KINDS or field.comparison is Comparison.NONE:
        mistakes.add(f"tenant {tenant!r} must be a text, a whole number or a UUID: change the field")
    if field.generated:
        mistakes.add(
            f"tenant {tenant!r} is filled by the store, and must be set by the kernel: change the field"
        )
    if shape.key == (tenant,):
        mistakes.add(
            f"tenant {tenant!r} is the whole key, which leaves each tenant one entity: add a field to the key"
        )
    return tenant
