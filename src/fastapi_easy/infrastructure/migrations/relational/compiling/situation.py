"""What the compilation of one set of differences knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.compiling.rendering import Renderer
from fastapi_easy.infrastructure.migrations.relational.compiling.tables_in_order import TableKey
from fastapi_easy.infrastructure.relational.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the compilation of one set of differences knows.

    Attributes:
        server: What the steps are for.

        write: Writes SQL.

        hints: What a person has said.

        connection: What may be asked about the stored schema; `None` when the steps are made without a database.

        new_tables: Those that the same steps create: nobody reads them yet.

        new_types: Those that the same steps create by an operation of their own.

        dropped_tables: Those that the same steps drop.

        dropped_columns: Table and column of those that the same steps drop before anything else changes.

        renamed: The stored table and column by the new ones, of columns that the same steps rename, and of tables with
            an empty column.
    """

    server: Server
    write: Renderer
    hints: Hints
    connection: Connection | None
    new_tables: frozenset[TableKey] = frozenset()
    new_types: frozenset[TableKey] = frozenset()
    dropped_tables: frozenset[TableKey] = frozenset()
    dropped_columns: frozenset[tuple[TableKey, str]] = frozenset()
    renamed: Mapping[tuple[TableKey, str], tuple[TableKey, str]] = field(default_factory=dict)

    def is_new(self, schema: str | None, table: str) -> bool:
        """Tell whether the same steps create a table."""
        return (schema, table) in self.new_tables

    def stored_name(self, schema: str | None, table: str, column: str = "") -> tuple[str | None, str, str]:
        """Return schema, table and column under which something is stored that may be renamed by the same steps."""
        (schema, table), column = self.renamed.get(((schema, table), column), ((schema, table), column))
        (schema, table), _ = self.renamed.get(((schema, table), ""), ((schema, table), ""))
        return (schema, table, column)

    def present_name(self, schema: str | None, table: str, column: str) -> tuple[str | None, str, str]:
        """Return schema, table and column of a stored column once the same steps have renamed what they rename."""
        present = {stored: new for new, stored in self.renamed.items()}
        (schema, table), _ = present.get(((schema, table), ""), ((schema, table), ""))
        (schema, table), column = present.get(((schema, table), column), ((schema, table), column))
        return (schema, table, column)

    def fill(self, schema: str | None, table: str, column: str) -> str | None:
        """Return what rows that exist get in a column; `None` if nobody has said so."""
        return hinted(self.hints.fill, schema, table, column)

    def using(self, schema: str | None, table: str, column: str) -> str | None:
        """Return how a column is converted; `None` if nobody has said so."""
        return hinted(self.hints.using, schema, table, column)


def hinted(hints: Mapping[str, str], schema: str | None, table: str, column: str) -> str | None:
    """Return the hint about a column, which may be given with or without the name of the default schema."""
    names = [f"{schema}.{table}.{column}"] if schema else []
    names.append(f"{table}.{column}")
    return next((hints[each] for each in names if each in hints), None)
