"""Column types as scripts spell them: SQLAlchemy's own, so that a script needs nothing of this system."""

import re
from typing import Any, Final, Literal

import sqlalchemy
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import DefaultClause
from sqlalchemy.types import TypeDecorator, TypeEngine

_SPELLED: Final = re.compile(r"(?P<name>\w+)(?:\((?P<numbers>[\d, ]+)\))?")


class NotWritable(Exception):
    """Raised for what Alembic has no words for; it is written as SQL instead."""


def type_writer(dialect: Dialect, contexts: list[AutogenContext]) -> Any:
    """Return the `render_item` for scripts that are written for databases of *dialect*.

    Args:
        dialect: Of the database.

        contexts: Is given those in which types are written: Alembic collects in a copy what has to be imported.
    """

    def write(kind: str, found: Any, context: AutogenContext) -> str | Literal[False]:
        contexts.append(context)
        if kind == "server_default":
            # A text is a value here, and Alembic takes the quotes of what was reflected from it.
            value = found.arg if isinstance(found, DefaultClause) else found
            return repr(value) if isinstance(value, str) else False
        if kind != "type":
            return False
        if isinstance(found, Enum) and dialect.name == "postgresql" and found.native_enum:
            # The type has an operation of its own; with the table it would be created twice.
            context.imports.add("from sqlalchemy.dialects import postgresql")
            labels = ", ".join(map(repr, found.enums))
            schema = f", schema={found.schema!r}" if found.schema else ""
            return f"postgresql.ENUM({labels}, name={found.name!r}{schema}, create_type=False)"
        if type(found).__module__.startswith("sqlalchemy."):
            return False
        return _write(_plain(found, dialect), context)

    return write


def _plain(found: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return the type of SQLAlchemy's that *found* is stored as."""
    while isinstance(found, TypeDecorator):
        found = found.load_dialect_impl(dialect)
    if type(found).__module__.startswith("sqlalchemy."):
        return _generic(found, dialect)
    spelled = dialect.type_compiler_instance.process(found)
    form = _SPELLED.fullmatch(spelled)
    known = None if form is None else getattr(sqlalchemy, form["name"].upper(), None)
    if form is None or not isinstance(known, type) or not issubclass(known, TypeEngine):
        raise NotWritable(f"SQLAlchemy has no type {spelled}")
    made: TypeEngine[Any] = known(*(int(each) for each in (form["numbers"] or "").split(",") if each))
    if dialect.type_compiler_instance.process(made) != spelled:
        raise NotWritable(f"SQLAlchemy has no type {spelled}")
    return made


def _generic(found: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return a type that every kind of database has, where it is stored in the same way."""
    try:
        generic: TypeEngine[Any] = found.as_generic()
    except NotImplementedError:
        return found
    spelled = dialect.type_compiler_instance.process
    return generic if spelled(generic) == spelled(found) else found


def _write(found: TypeEngine[Any], context: AutogenContext) -> str:
    module = type(found).__module__.split(".")
    name = type(found).__name__
    if module[:2] == ["sqlalchemy", "dialects"]:
        context.imports.add(f"from sqlalchemy.dialects import {module[2]}")
        return f"{module[2]}.{found!r}"
    if name.startswith("_"):
        raise NotWritable(f"{found!r} has no public name")
    return f"sa.{found!r}"
