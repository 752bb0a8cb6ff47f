"""Everything a read of many entities may ask for."""

from dataclasses import dataclass

from fastapi_easy.domain.ordering import Sort
from fastapi_easy.domain.page import PageRequest
from fastapi_easy.domain.specification import Everything, Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entities, in which order, which window of them and which of their fields.

    Attributes:
        specification: Which entities.

        order: The order wished for; the repository appends the key where it is missing.

        page: Which window.

        fields: The fields each row shall hold, in this order; `None` for all of the entity.
    """

    specification: Specification = Everything()
    order: tuple[Sort, ...] = ()
    page: PageRequest = PageRequest()
    fields: tuple[str, ...] | None = None
