"""The statement that appends one entry, prepared on each connection, to be executed in a script with other commands."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.engine import Dialect

from fastapi_easy.infrastructure.audit.relational import statements as sql
from fastapi_easy.infrastructure.relational.driver.compiled import CompiledStatement, NotCompilable
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection

_NAME: Final = "fe_audit_append"


class PreparedAppend:
    """Spells `EXECUTE` of the statement with its values, and `PREPARE` before it where a connection does not know it.

    A script has no parameters: a value travels as a number, as hexadecimal digits, or as ASCII without any quote or
    backslash, so that nothing in it can mean anything else.

    Args:
        dialect: Of the database.

    Attributes:
        is_usable: Whether nothing was found against it: a pooler between may lend connections of other people's.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: CompiledStatement | None = None
        self.is_usable = dialect.driver == "asyncpg"

    def spell(self, pooled: PooledConnection, parameters: Mapping[str, Any]) -> str | None:
        """Return the commands that append an entry on *pooled*; `None` where that cannot be."""
        if pooled.driver.get_settings().standard_conforming_strings != "on":
            # A backslash would be an escape.
            return None
        compiled = self._compiled
        if compiled is None:
            try:
                # Not at start: the dialect is what it is after its first connection.
                compiled = self._compiled = CompiledStatement(
                    sql.APPEND_OR_FAIL, self._dialect, list(parameters)
                )
            except NotCompilable:
                self.is_usable = False
                return None
        text, values = compiled.bind(parameters)
        execute = f"EXECUTE {_NAME}({','.join(map(_literal, values))})"
        if _NAME in pooled.prepared:
            return execute
        pooled.prepared.add(_NAME)
        return f"PREPARE {_NAME} AS {text};{execute}"

    def give_up(self, pooled: PooledConnection) -> None:
        """Do without it from now on: it has failed on *pooled*."""
        pooled.prepared.discard(_NAME)
        self.is_usable = False


def _literal(value: Any) -> str:
    # By the exact type: these are all that there are, and text is most of them.
    kind = type(value)
    if kind is str:
        return _text_literal(value)
    if kind is int:
        return str(value)
    return "NULL" if value is None else f"'\\x{bytes(value).hex()}'"


def _text_literal(value: str) -> str:
    if value.isascii() and "'" not in value and "\\" not in value:
        return f"'{value}'"
    return f"convert_from(decode('{value.encode().hex()}','hex'),'UTF8')"
