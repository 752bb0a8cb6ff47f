"""Which values of an entity the audit trail holds, and how it spells keys."""

from typing import Any

from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.plain_json import to_plain_json


def plain_key(key: object) -> object:
    """Return the key of an entity as plain JSON."""
    return to_plain_json(list(key) if isinstance(key, tuple) else key)


def recorded_fields(resource: Resource[Any]) -> tuple[str, ...]:
    """Return the fields of *resource* whose values are recorded; none unless it is audited."""
    if resource.audit is None:
        return ()
    named = resource.audit.fields
    return resource.recorded if named is None else tuple(each for each in resource.recorded if each in named)
