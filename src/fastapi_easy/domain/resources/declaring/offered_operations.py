"""What the operations on offer ask of the other options of a declaration."""

from typing import Any

from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation
from fastapi_easy.domain.resources.resource import Resource


def check_operations(resource: Resource[Any], mistakes: Mistakes) -> None:
    """Check that what create needs is writable, and that nothing is offered twice or called like something else."""
    named_so = (each for field in resource.fields.values() for each in (field.name, field.alias))
    if Operation.HISTORY in resource.operations and "as_of" in named_so:
        mistakes.add(
            "a field cannot be called 'as_of' where the past can be asked for: rename it, or leave 'history' out of "
            "operations"
        )
    for name in sorted({Operation.RESTORE, Operation.PURGE, Operation.HISTORY} & resource.operations):
        if name in (resource.actions or {}):
            mistakes.add(
                f"action {name.value!r} has the name of a built-in operation: give the class another action_name, "
                "or leave the operation out of operations"
            )
    if Operation.IMPORT in resource.operations and RESTORE_IMPORT in (resource.actions or {}):
        mistakes.add(
            f"action {RESTORE_IMPORT!r} has the name of a permission of imports: give the class another action_name, "
            "or leave 'import' out of operations"
        )
    if Operation.CREATE not in resource.operations:
        return
    for field in resource.fields.values():
        if field.required and field.name not in {*resource.writable, resource.tenant, *resource.stamped}:
            mistakes.add(
                f"create cannot work while {field.name!r} has no default and callers cannot write it: "
                "give it a default, make it writable, or leave 'create' out of operations"
            )
