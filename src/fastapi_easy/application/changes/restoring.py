"""The rules for restoring entities: what an import may set that no other change does."""

from functools import lru_cache

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.domain.changes.patch import Values, reject_unknown_fields
from fastapi_easy.domain.changes.stored_values import StoredValues
from fastapi_easy.domain.errors import Error, Fault, Forbidden, Invalid
from fastapi_easy.domain.resources.options import RESTORE_IMPORT
from fastapi_easy.domain.resources.resource import Resource


def check_stored(resource: Resource[object], access: Access, values: Values) -> Failure[Error] | None:
    """Return a failure when *values* are not those of an entity that this caller may restore; `None` otherwise.

    A policy says who may restore, and which fields. Without one, whoever imports may set generated fields, but none
    that the declaration keeps from callers.
    """
    if (unknown := reject_unknown_fields(values, _stored_fields(resource))) is not None:
        return unknown
    if (unrestorable := find_unrestorable_fields(resource)) is not None:
        return unrestorable
    if (foreign := _check_tenant(resource, access, values)) is not None:
        return foreign
    chosen = {name: value for name, value in values.items() if name != resource.tenant}
    denied = access.check_writable(resource, RESTORE_IMPORT, chosen)
    if denied is not None or access.has_policy:
        return denied
    restored = values.restored if isinstance(values, StoredValues) else frozenset()
    refused = [name for name in values if name in restored and name in resource.protected]
    if not refused:
        return None
    message = f"Is read-only: an import restores it if a policy grants {RESTORE_IMPORT!r}, or fields.restore names it"
    return Failure(Invalid(tuple(Fault(f"/{name}", message, "read_only") for name in refused)))


def _check_tenant(resource: Resource[object], access: Access, values: Values) -> Failure[Error] | None:
    """Return a failure when *values* are those of an entity of another tenant than the caller's."""
    tenant = resource.tenant
    if tenant is None or tenant not in values:
        return None
    grant = access.grant(resource, RESTORE_IMPORT)
    if grant is None or grant.stamps.get(tenant) != values[tenant]:
        return Failure(Forbidden(resource.name, RESTORE_IMPORT, tenant))
    return None


def find_missing_keys(resource: Resource[object], values: Values) -> Failure[Error] | None:
    """Return a failure when *values* lack a part of the key: a restored entity would get another one."""
    missing = [name for name in resource.key if values.get(name) is None]
    if not missing:
        return None
    return Failure(Invalid(tuple(Fault(f"/{name}", "Field required", "missing") for name in missing)))


@lru_cache(maxsize=1024)
def find_unrestorable_fields(resource: Resource[object]) -> Failure[Error] | None:
    """Return a failure when entities of *resource* hold what no export shows, and cannot be stored without it."""
    hidden = [
        name
        for name, field in resource.fields.items()
        if field.required and name not in (resource.tenant, *resource.readable, *resource.writable)
    ]
    if not hidden:
        return None
    message = (
        "Is hidden and has no default, so that exports do not hold it and no import can restore an entity"
    )
    return Failure(Invalid(tuple(Fault(f"/{name}", message, "hidden_field") for name in hidden)))


@lru_cache(maxsize=1024)
def _stored_fields(resource: Resource[object]) -> frozenset[str]:
    return frozenset(name for name, field in resource.fields.items() if not field.computed)
