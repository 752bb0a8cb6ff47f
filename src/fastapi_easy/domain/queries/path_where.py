"""A comparison of a value inside of a JSON field."""

from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.queries.specification import Where


@dataclass(frozen=True, slots=True, eq=False)
class PathWhere(Where):
    """A comparison whose `field` is the name of a declared path: `attributes.colour`.

    Attributes:
        path: The place.
    """

    path: DocumentPath = UNSET

    @property
    def holder(self) -> str:
        """The field whose values decide: the document."""
        return self.path.document

    def value_in(self, entity: Any) -> Any:
        """Return the value inside of the document of *entity*."""
        return self.path.value_in(entity)
