"""Types, defaults and names of SQLAlchemy's as texts for rules."""

from typing import Any

from sqlalchemy import Column, Connection, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import DefaultClause
from sqlalchemy.types import TypeEngine

from fastapi_easy.infrastructure.migrations.relational.detection.casts import is_volatile
from fastapi_easy.infrastructure.relational.server import ServerName, server_name_of


class Spelling:
    """Writes what operations carry as texts.

    Args:
        dialect: Of the database.

        connection: What may be asked about it; `None` for nothing.
    """

    def __init__(self, dialect: Dialect, connection: Connection | None = None) -> None:
        self.dialect = dialect
        self.connection = connection
        self.server: ServerName = server_name_of(dialect.name)

    def table(self, schema: str | None, name: Any) -> str:
        """Return the name of a table as `Change.table` has it."""
        named = str(name or "")
        return f"{schema}.{named}" if schema and schema != self.dialect.default_schema_name else named

    def type(self, declared: TypeEngine[Any]) -> str:
        """Return how *declared* is written."""
        try:
            return str(self.dialect.type_compiler_instance.process(declared))
        except CompileError:
            return repr(declared)

    def default(self, server_default: Any) -> str | None:
        """Return the expression of a server default, whichever way Alembic carries it; `None` for none."""
        found: Any = server_default.arg if isinstance(server_default, DefaultClause) else server_default
        if found is None or found is False:
            return None
        column = Column("x", Integer, server_default=found)
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
        written: str | None = compiler.get_column_default_string(column)
        return written

    def expression(self, sqltext: Any) -> str:
        """Return the text of an SQL expression."""
        if isinstance(sqltext, str):
            return sqltext
        return str(sqltext.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True}))

    def is_volatile(self, default: str | None) -> bool | None:
        """Return whether *default* differs from row to row; `None` when nobody can be asked."""
        if default is None:
            return False
        return None if self.connection is None else is_volatile(self.connection, default, self.server)
