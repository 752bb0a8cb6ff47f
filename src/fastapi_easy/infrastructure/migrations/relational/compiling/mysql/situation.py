"""What the compilation knows on MySQL and MariaDB."""

from dataclasses import dataclass
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import (
    ColumnDefinition,
    read_definition,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.situation import Situation
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import (
    MySQLCatalogue,
    MySQLTable,
)

SHARED: Final = "SHARED"
"""Writers wait."""

EXCLUSIVE: Final = "EXCLUSIVE"
"""Readers and writers wait."""

ONLINE: Final = "ALGORITHM=INPLACE, LOCK=NONE"
"""Fails at once instead of making anybody wait."""

SHORT: Final = 60.0
"""Seconds for statements that only change the catalogue."""

LONG: Final = 0.0
"""Any number of seconds, for statements that read or write whole tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MySQLSituation(Situation):
    """What the compilation knows on MySQL and MariaDB."""

    @property
    def catalogue(self) -> MySQLCatalogue | None:
        """The stored schema; `None` without a connection."""
        return None if self.connection is None else MySQLCatalogue(self.connection)

    def stored_table(self, schema: str | None, table: str) -> MySQLTable | None:
        """Return a stored table, also if the same steps rename it; `None` if it is not known."""
        catalogue = self.catalogue
        return None if catalogue is None else catalogue.table(*self.stored_name(schema, table)[:2])

    def stored_column(self, schema: str | None, table: str, column: str) -> str | None:
        """Return the definition of a stored column, also if the same steps rename it; `None` if it is not known."""
        stored = self.stored_table(schema, table)
        return None if stored is None else stored.columns.get(self.stored_name(schema, table, column)[2])

    def definition(self, schema: str | None, table: str, column: str) -> ColumnDefinition | None:
        """Return the definition of a stored column in parts; `None` if it is not known."""
        stored = self.stored_column(schema, table, column)
        return None if stored is None else read_definition(stored)

    def is_online(self, schema: str | None, table: str) -> bool:
        """Tell whether readers and writers of a table are to go on."""
        return self.hints.online and not self.is_new(schema, table)

    def alter(self, schema: str | None, table: str, *clauses: str) -> str:
        """Return one `ALTER TABLE` with *clauses*."""
        return f"ALTER TABLE {self.write.table(schema, table)} {', '.join(clauses)}"

    def quoted(self, name: str) -> str:
        """Return *name* in quotes."""
        return self.write.quote(name)
