"""Earlier answers as their caller may see them now."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.redaction import redact
from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted
from fastapi_easy.domain.changes.row import PartialRow
from fastapi_easy.domain.resources.resource import Resource


def show_replayed(
    answer: Any, resource: Resource[Any], access: Access, resources: Iterable[Resource[Any]]
) -> Any:
    """Return *answer* without the fields that the caller may not read any more.

    Args:
        answer: The answer of an earlier call.

        resource: The resource that it was about.

        access: The permissions that the caller has now.

        resources: The resources whose rows there may be in the answer of an action.
    """
    if not access.is_limited:
        return answer
    readable = frozenset(access.readable(resource))

    def cut(value: Any) -> Any:
        match value:
            case PartialRow():
                # The version is that of the whole row, as in the first answer.
                kept = {
                    name: each
                    for name, each in value.items()
                    if name in readable or name not in resource.fields
                }
                return PartialRow(kept, value.full_version)
            case Upserted(row=row):
                return replace(value, row=cut(row))
            case BulkAnswer(outcomes=outcomes):
                shown = [
                    each if each is None or isinstance(each, Failure) else Success(cut(each.unwrap()))
                    for each in outcomes
                ]
                return replace(value, outcomes=shown)
            case _:
                return redact(value, resource, access, resources)

    return cut(answer)
