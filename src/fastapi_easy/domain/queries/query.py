"""Everything a read of many entities may ask for."""

import datetime
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.specification import Everything, Specification
from fastapi_easy.domain.value_object import value_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Related entities to embed in each entity.

    Attributes:
        relation: The `Relation` that leads to them.

        query: Which of them, in which order and with which fields; `page.limit` bounds how many for each entity,
            and the includes of the query are those beside them.
    """

    relation: Any
    query: "Query"


@value_object(kw_only=True)
class Query:
    """A query: which entities, in which order, which page of them and which of their fields.

    Attributes:
        specification: Which entities.

        order: The order requested; the repository appends the key where it is missing.

        page: Which page.

        fields: The fields each row shall hold, in this order; `None` for all of the entity.

        includes: The related entities to embed. Use cases read them; a repository ignores this.

        as_of: The time whose state is asked for, aware; `None` for now. Use cases rebuild it; a repository ignores
            this.
    """

    specification: Specification = Everything()
    order: tuple[Sort, ...] = ()
    page: PageRequest = PageRequest()
    fields: tuple[str, ...] | None = None
    includes: tuple[Include, ...] = ()
    as_of: datetime.datetime | None = None
