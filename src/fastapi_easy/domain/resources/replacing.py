"""What a replace of an entity changes."""

from collections.abc import Sequence

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch, Values, reject_unknown_fields
from fastapi_easy.domain.changes.replacement import replacement_of
from fastapi_easy.domain.errors import Fault, Invalid, Outcome
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.resources.resource import Resource


def complete_replacement(
    resource: Resource[object], values: Values, changeable: Sequence[str], missing: Sequence[Fault] = ()
) -> Outcome[Patch]:
    """Return *values*, completed with what a new entity gets in those of *changeable* that are left out.

    Args:
        resource: The resource of the entity.

        values: What the caller gave.

        changeable: The fields that the caller may change; all others stay as they are.

        missing: What the validation found of fields that were left out and have no default.

    Fails with:
        Invalid: A field is unknown, or one of *changeable* was left out and has no default.
    """
    if (unknown := reject_unknown_fields(values, resource.fields.keys())) is not None:
        return unknown
    fixed = {
        pointer
        for name in resource.changeable
        if name not in changeable
        for pointer in _pointers(resource, name)
    }
    # Of what the validation misses, a model of the user's own may require fields that have a default.
    faults = [fault for fault in missing if fault.pointer not in fixed]
    known = {fault.pointer for fault in faults}
    complete = dict(values)
    for name in changeable:
        if name in complete:
            continue
        value = replacement_of(resource.fields[name])
        if value is not UNSET:
            complete[name] = value
        elif known.isdisjoint(pointers := _pointers(resource, name)):
            faults.append(Fault(pointers[0], "Field required", "missing"))
    return Failure(Invalid(tuple(faults))) if faults else Success(Patch(complete))


def _pointers(resource: Resource[object], name: str) -> tuple[str, str]:
    """Return the JSON pointers of field *name*, as callers and as programs call it."""
    return f"/{resource.naming.alias_of(name)}", f"/{name}"
