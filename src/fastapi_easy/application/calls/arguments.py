"""The types of the arguments of calls."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from fastapi_easy.domain.queries.aggregation import Measure
from fastapi_easy.domain.queries.page import Count
from fastapi_easy.domain.queries.specification import Specification

Condition: TypeAlias = Specification | Mapping[str, object]
"""A condition on entities: a specification, or a `where` tree with Python values, `{"price__lt": 8}`."""

Names: TypeAlias = str | Sequence[str]
"""Names of fields: a list, or one text with commas."""

Includes: TypeAlias = Names | Mapping[str, object]
"""Relations to include: their names, or options for each, `{"reviews": {"limit": 5, "sort": "-stars"}}`."""

CountOption: TypeAlias = Count | Literal["none", "exact", "estimated"]

Measures: TypeAlias = Names | Measure | Sequence[Measure]
"""Numbers to compute: `sum:price`, or measures."""

RowVersion: TypeAlias = str | int
"""A version as `BoundResource.version_of` returns it, or the value of the version field."""
