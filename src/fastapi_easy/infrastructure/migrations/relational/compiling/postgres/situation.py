"""What the compilation knows on PostgreSQL."""

from dataclasses import dataclass
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation
from fastapi_easy.infrastructure.migrations.relational.probing.postgres_catalogue import (
    PostgresCatalogue,
    PostgresColumn,
    PostgresConstraint,
    PostgresIndex,
)

ACCESS_EXCLUSIVE: Final = "AccessExclusive"
SHARE_ROW_EXCLUSIVE: Final = "ShareRowExclusive"
SHARE_UPDATE_EXCLUSIVE: Final = "ShareUpdateExclusive"
SHARE: Final = "Share"

SHORT: Final = 60.0
"""Seconds for statements that only change the catalogue."""

LONG: Final = 0.0
"""Any number of seconds, for statements that read or write whole tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSituation(Situation):
    """What the compilation knows on PostgreSQL."""

    @property
    def catalogue(self) -> PostgresCatalogue | None:
        """The stored schema; `None` without a connection."""
        return None if self.connection is None else PostgresCatalogue(self.connection)

    def stored_column(self, schema: str | None, table: str, column: str) -> PostgresColumn | None:
        """Return a stored column, also if the same steps rename it; `None` if it is not known."""
        catalogue = self.catalogue
        return None if catalogue is None else catalogue.column(*self.stored_name(schema, table, column))

    def has_cast(self, before: str, after: str) -> bool:
        """Tell whether a type can be cast to another, or nobody knows."""
        catalogue = self.catalogue
        return catalogue is None or catalogue.has_cast(before, after)

    def stored_index(self, schema: str | None, name: str) -> PostgresIndex | None:
        """Return a stored index; `None` if it is not known, or is called otherwise once names have changed."""
        catalogue = self.catalogue
        return None if catalogue is None or self.renamed else catalogue.index(schema, name)

    def stored_constraint(self, schema: str | None, table: str, name: str) -> PostgresConstraint | None:
        """Return a stored constraint; `None` if it is not known, or is called otherwise once names have changed."""
        catalogue = self.catalogue
        return None if catalogue is None or self.renamed else catalogue.constraint(schema, table, name)

    def is_partitioned(self, schema: str | None, table: str) -> bool:
        """Tell whether a table is known to have partitions, for which there are fewer ways around locks."""
        catalogue = self.catalogue
        return catalogue is not None and catalogue.relation_kind(*self.stored_name(schema, table)[:2]) == "p"

    def is_online(self, schema: str | None, table: str) -> bool:
        """Tell whether readers and writers of a table are to go on."""
        return self.hints.online and not self.is_new(schema, table) and not self.is_partitioned(schema, table)

    def alter(self, schema: str | None, table: str, *clauses: str) -> str:
        """Return one `ALTER TABLE` with *clauses*."""
        return f"ALTER TABLE {self.write.table(schema, table)} {', '.join(clauses)}"
