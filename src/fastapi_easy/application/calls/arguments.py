"""What the arguments of calls may be."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from fastapi_easy.domain.queries.aggregation import Measure
from fastapi_easy.domain.queries.page import Count
from fastapi_easy.domain.queries.specification import Specification

Condition: TypeAlias = Specification | Mapping[str, object]
"""Which entities: a specification, or a `where` tree with Python values, `{"price__lt": 8}`."""

Names: TypeAlias = str | Sequence[str]
"""Names of fields: a list, or one text with commas."""

Includes: TypeAlias = Names | Mapping[str, object]
"""Relations: their names, or what is wished for of each, `{"reviews": {"limit": 5, "sort": "-stars"}}`."""

CountOption: TypeAlias = Count | Literal["none", "exact", "estimated"]

Measures: TypeAlias = Names | Measure | Sequence[Measure]
"""Numbers: `sum:price`, or measures."""

RowVersion: TypeAlias = str | int
"""What `BoundResource.version_of` says of a row, or the value of its version field."""
