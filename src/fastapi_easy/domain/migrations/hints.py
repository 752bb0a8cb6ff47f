"""What only a person knows about the way from one schema to the other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_NULL: Final = re.compile(
    r"[\s(]*(null[\s)]*(::[\w\s.\"\[\]()]*)?|cast\s*\(\s*null\s+as\b[\w\s.\"\[\]()]*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What only a person knows about the way from one schema to the other.

    Attributes:
        renamed_columns: New names of columns by `table.column`, as they are stored: `{"books.title": "name"}`.

        renamed_tables: New names of tables, by the stored name.

        fill: What rows that exist get in a column that must not be null, by `table.column`: SQL expressions, and not
            `NULL`.

        using: How PostgreSQL converts to a new type, by `table.column`: SQL expressions.

        drop_undeclared: Drop tables that nobody declares too, not only those that this system has created.

        online: Rewrite steps so that readers and writers go on, where the server has a way.

        batch_size: How many rows one batch of a backfill changes at most.
    """

    renamed_columns: Mapping[str, str] = field(default_factory=dict)
    renamed_tables: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    using: Mapping[str, str] = field(default_factory=dict)
    drop_undeclared: bool = False
    online: bool = True
    batch_size: int = 10_000

    def __post_init__(self) -> None:
        for column, value in self.fill.items():
            if _NULL.fullmatch(value) or not value.strip():
                raise ValueError(
                    f"{value!r} fills nothing in {column}, which must not be null: give an expression with a value, "
                    "such as '' or 0"
                )
        if self.batch_size < 1:
            raise ValueError(f"batches of {self.batch_size} rows never end: name 1 or more")
