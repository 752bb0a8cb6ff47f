"""Names in OpenAPI: short, stable, and readable as English."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain import Resource

_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")
_INVALID_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """The names of one resource in OpenAPI.

    Attributes:
        singular: In operation ids about one entity: `book` in `get_book`.

        plural: In operation ids about several: `books` in `list_books`.

        schema: The read schema, and the beginning of the other schemas' names: `Book`.
    """

    singular: str
    plural: str
    schema: str


def names_of(resources: Iterable[Resource[Any]]) -> dict[str, ResourceNames]:
    """Return the names of each of *resources*, by resource name.

    The singular comes from the class, because English plurals cannot be undone by rules; where several resources
    share a class, from the name of each.
    """
    resources = tuple(resources)
    classes = Counter(resource.entity.__name__.lower() for resource in resources)
    return {
        resource.name: _names_by_resource(resource)
        if classes[resource.entity.__name__.lower()] > 1
        else _names_by_class(resource)
        for resource in resources
    }


def _names_by_class(resource: Resource[Any]) -> ResourceNames:
    name = resource.entity.__name__
    singular = "_".join(word.lower() for word in _WORD.findall(name))
    return ResourceNames(
        singular or _identifier(resource.name), _identifier(resource.name), _identifier(name)
    )


def _names_by_resource(resource: Resource[Any]) -> ResourceNames:
    fit = _identifier(resource.name)
    return ResourceNames(fit, fit, "".join(word.capitalize() for word in fit.split("_")))


def _identifier(text: str) -> str:
    return _INVALID_CHARACTER.sub("_", text)
