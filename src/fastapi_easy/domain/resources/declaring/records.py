"""What is published and recorded of a resource, checked against its fields."""

from typing import Any

from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.resource import Resource


def check_records(resource: Resource[Any], mistakes: Mistakes) -> None:
    """Check what *resource* declares about events and the audit trail."""
    found: list[str] = []
    if resource.events is not None:
        found += resource.events.find_mistakes(resource.fields, resource.recorded)
    if resource.audit is not None:
        found += resource.audit.find_mistakes(resource.fields, resource.recorded, resource.key)
    for sentence in found:
        mistakes.add(sentence)
