"""What things are called in OpenAPI: short, stable, and readable as English."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain import Resource

_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Names:
    """What one resource is called.

    Attributes:
        one: In operation ids about one entity: `book` in `get_book`.

        many: In operation ids about several: `books` in `list_books`.

        schema: The read schema, and the beginning of the other schemas' names: `Book`.
    """

    one: str
    many: str
    schema: str


def names_of(resources: Iterable[Resource[Any]]) -> dict[str, Names]:
    """The names of each of *resources*, by resource name.

    One entity is called as its class is, which needs no grammar; where several resources share a class, each is called
    by its own name.
    """
    resources = tuple(resources)
    classes = Counter(resource.entity.__name__.lower() for resource in resources)
    return {
        resource.name: _own(resource)
        if classes[resource.entity.__name__.lower()] > 1
        else _by_class(resource)
        for resource in resources
    }


def _by_class(resource: Resource[Any]) -> Names:
    name = resource.entity.__name__
    one = "_".join(word.lower() for word in _WORD.findall(name))
    return Names(one or _fit(resource.name), _fit(resource.name), _fit(name))


def _own(resource: Resource[Any]) -> Names:
    fit = _fit(resource.name)
    return Names(fit, fit, "".join(word.capitalize() for word in fit.split("_")))


def _fit(text: str) -> str:
    return _UNFIT.sub("_", text)
