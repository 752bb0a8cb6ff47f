"""Conditions that find the values which a change of type would change."""

from fastapi_easy.domain.migrations.rules.column_types import StoredType, read_type
from fastapi_easy.infrastructure.relational.server import ServerName

_TEXTS = frozenset({"text", "char", "binary"})
_NUMBERS = frozenset({"integer", "decimal", "float"})


def lossy_condition(column: str, before: str, after: str, server: ServerName) -> str | None:
    """Return the condition that holds where a change of *column* from *before* to *after* changes the value.

    Returns:
        The condition, or `None` where nothing can be asked.
    """
    old, new = read_type(before, server), read_type(after, server)
    if not (before and after and old.is_known and new.is_known):
        return None
    match server:
        case "postgresql":
            return _postgres(column, before, after, old)
        case "mysql":
            return _mysql(column, old, new)
        case "sqlite":
            return _sqlite(column, old, new)


def _postgres(column: str, before: str, after: str, old: StoredType) -> str | None:
    if old.family in {"char", "json"}:
        # There and back again they look equal.
        return None
    return f"{column}::{after}::{before} IS DISTINCT FROM {column}"


def _mysql(column: str, old: StoredType, new: StoredType) -> str | None:
    if old.family in _TEXTS:
        return None
    if new.family == "integer":
        return f"CAST({column} AS SIGNED) <> {column}"
    if new.family == "decimal" and old.family in _NUMBERS:
        return f"CAST({column} AS DECIMAL({new.precision}, {new.scale})) <> {column}"
    if new.family in {"datetime", "timestamp"}:
        return f"CAST({column} AS DATETIME({new.limit or 0})) <> {column}"
    return f"CAST({column} AS DATE) <> {column}" if new.family == "date" else None


def _sqlite(column: str, old: StoredType, new: StoredType) -> str | None:
    if new.family not in _NUMBERS or old.family not in _TEXTS | _NUMBERS:
        return None
    target = {"integer": "INTEGER", "float": "REAL"}.get(new.family, "NUMERIC")
    return (
        f"(typeof({column}) = 'text' AND CAST(CAST({column} AS {target}) AS TEXT) <> {column})"
        f" OR (typeof({column}) IN ('real', 'integer') AND CAST({column} AS {target}) <> {column})"
        f" OR typeof({column}) = 'blob'"
    )
