"""The table of generations.

Each generation is spread over some rows, its shards: whoever changes something raises one of them, and whoever reads
reads them all.
"""

from typing import Final

from sqlalchemy import Table

from fastapi_easy.domain.changes.generation import GENERATIONS
from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

GENERATIONS_SYSTEM_TABLE: Final = SystemTable(
    name=GENERATIONS,
    fields=(
        Field(name="name", kind=Kind.TEXT, max_length=200),
        Field(name="shard", kind=Kind.INTEGER),
        Field(name="value", kind=Kind.TEXT, max_length=32),
    ),
    key=("name", "shard"),
)

GENERATIONS_TABLE: Final[Table] = table_of(GENERATIONS_SYSTEM_TABLE)
