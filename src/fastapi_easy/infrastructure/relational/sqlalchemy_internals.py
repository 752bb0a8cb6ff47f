"""Every name of SQLAlchemy's that it does not document, with what happens here when it is gone.

Known to be what they are taken for in 2.1.9; `sqlalchemy<2.2` is the cap for those that nothing can stand in for.
One of these is `greenlet_spawn`, by which SQLAlchemy's own asynchronous engine waits: without it the import fails.
"""

import copy
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ColumnDefault
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import greenlet_spawn as greenlet_spawn  # noqa: PLC0414 - handed on

_COMPILER_NAMES: Final = (
    "_result_columns",
    "_within_exec_param_key_getter",
    "binds",
    "construct_expanded_state",
    "implicit_returning",
    "insert_prefetch",
    "literal_execute_params",
    "positiontup",
    "post_compile_params",
    "update_prefetch",
)


def knows_compiler() -> bool:
    """Tell whether SQLAlchemy's compiler has every name that `compiled` reads.

    Two are private, `_result_columns` and `_within_exec_param_key_getter`; the others are not documented. Where one is
    gone, no statement is handed to a driver directly: SQLAlchemy runs them all, at half the speed.
    """
    declared = {name for each in SQLCompiler.__mro__ for name in getattr(each, "__annotations__", ())}
    return all(hasattr(SQLCompiler, name) or name in declared for name in _COMPILER_NAMES)


COMPILER_IS_KNOWN: Final = knows_compiler()
"""What `knows_compiler` said at import."""


def selected_types(compiler: Any) -> list[TypeEngine[Any]]:
    """List the types of what *compiler* selects, in their order.

    Uses `_result_columns`, known since 2.0; see `knows_compiler` for when it is gone.
    """
    return [entry.type for entry in compiler._result_columns]


def parameter_namer(compiler: Any) -> Callable[[Any], str]:
    """Return what names the parameter of a column that fills itself in.

    Uses `_within_exec_param_key_getter`, known since 2.0; see `knows_compiler` for when it is gone.
    """
    name: Callable[[Any], str] = compiler._within_exec_param_key_getter
    return name


def variants(declared: TypeEngine[Any]) -> Mapping[str, TypeEngine[Any]]:
    """Read back what `with_variant` was told, by the name of the dialect.

    Uses `_variant_mapping`, known since 2.0, without which tables would be made of the wrong types: when it is gone
    an app does not start, and so the version has a cap.
    """
    told: Mapping[str, TypeEngine[Any]] = declared._variant_mapping
    return told


def given_callable(made: ColumnDefault) -> Any:
    """Return the function that a column was given as its default.

    Uses `_given_arg`, which came with 2.1.7. When it is gone, what SQLAlchemy calls is asked which function it wraps;
    it does not say so of objects that are no functions, which then count as made with the context in sight.
    """
    arg: Any = getattr(made, "arg", None)
    if (given := getattr(made, "_given_arg", None)) is not None:
        return given
    return getattr(arg, "__wrapped__", arg)


def wrapped_error(connection: Connection, error: Exception) -> BaseException:
    """Make of *error*, which is one of the DBAPI's, what SQLAlchemy would raise; invalidate what it has broken.

    Uses `Connection._handle_dbapi_exception`, known since 2.0. When it is gone, the same is done
    by names without an underscore; listeners of `handle_error` hear nothing of it then.
    """
    handle: Any = getattr(connection, "_handle_dbapi_exception", None)
    if handle is None:
        return _wrapped(connection, error)
    try:
        handle(error, None, None, None, None)
    except BaseException as refusal:  # noqa: BLE001 - it always raises, and what it raises is the answer
        return refusal
    return _wrapped(connection, error)


def _wrapped(connection: Connection, error: Exception) -> DBAPIError:
    dialect: Any = connection.dialect
    adapted: Any = None if connection.invalidated else connection.connection.dbapi_connection
    broken = not connection.closed and dialect.is_disconnect(error, adapted, None)
    refusal: Any = DBAPIError.instance(
        None,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=connection.engine.hide_parameters,
        connection_invalidated=broken,
        dialect=dialect,
    )
    if broken and not connection.invalidated:
        connection.invalidate(error)
    wrapped: DBAPIError = refusal
    return wrapped


def dbapi_error(connection: Connection, error: Exception) -> BaseException:
    """Make of *error*, which a driver raised, the DBAPI's exception that it stands for; others stay as they are.

    Uses `_handle_exception` of the adapted connection, known since 2.1. When it is gone, the classes are found by
    their names, which SQLAlchemy took over from asyncpg.
    """
    adapted: Any = connection.connection.dbapi_connection
    return error if adapted is None else adapted_error(adapted, connection.dialect.loaded_dbapi, error)


def adapted_error(adapted: Any, dbapi: Any, error: Exception) -> Exception:
    """As `dbapi_error`, for a connection that nobody has wrapped yet: *adapted*, of the module *dbapi*."""
    translate: Any = getattr(adapted, "_handle_exception", None)
    if translate is None:
        return _translated(dbapi, error)
    try:
        translate(error)
    except Exception as translated:  # noqa: BLE001 - it always raises, and what it raises is the answer
        return translated
    return error


_RENAMED: Final = {
    "IntegrityConstraintViolationError": "IntegrityError",
    "PostgresError": "Error",
    "SyntaxOrAccessError": "ProgrammingError",
}
"""asyncpg's classes that SQLAlchemy calls otherwise."""

_SAID_BY_CLOSED: Final = {"no active connection", "connection closed"}


def _translated(dbapi: Any, error: Exception) -> Exception:
    known: type[Exception] = dbapi.Error
    if isinstance(error, known):
        return error
    for each in type(error).__mro__:
        if each.__module__.startswith("asyncpg."):
            found: Callable[[str, Exception], Exception] | None = getattr(
                dbapi, _RENAMED.get(each.__name__, each.__name__), None
            )
            if found is not None:
                return _caused(found(str(error.args[0]), error), error)
    if isinstance(error, AttributeError) and hasattr(dbapi, "asyncmy"):
        # What asyncmy makes of a connection that is gone.
        return _caused(dbapi.InternalError("network operation failed"), error)
    if isinstance(error, ValueError) and str(error).lower() in _SAID_BY_CLOSED:
        return _caused(dbapi.OperationalError(str(error)), error)
    return error


def _caused(made: Exception, error: Exception) -> Exception:
    made.__cause__ = error
    return made


def keep_json_as_text(dialect: Any) -> None:
    """Have asyncpg hand over JSON as the text it is, which is parsed when somebody looks at it.

    Replaces `setup_asyncpg_json_codec` and `setup_asyncpg_jsonb_codec` of the dialect, which 2.0 and 2.1 have. When
    they are gone, nobody calls what is put there, and asyncpg's own codec is what is left, which does the same.
    """

    async def leave(connection: Any) -> None:
        """Do nothing: asyncpg's own codec stays in place."""

    dialect.setup_asyncpg_json_codec = dialect.setup_asyncpg_jsonb_codec = leave
    dialect.supports_native_json_deserialization = False


def without_doubled_percents(dialect: Any) -> Any:
    """Return a copy of *dialect* that writes `%` as it is, for text that no driver fills parameters into.

    Uses `_double_percents` of its preparer, `_strings` in which that remembers names, and `_type_memos` in which
    dialects remember how they write literals; all known since 2.0. When they are gone, `%` is doubled for drivers that
    mark parameters with it, and so the version has a cap.
    """
    plain = copy.copy(dialect)
    plain.paramstyle, plain.positional = "named", False
    plain._type_memos = weakref.WeakKeyDictionary()
    plain.identifier_preparer = copy.copy(dialect.identifier_preparer)
    plain.identifier_preparer.dialect = plain
    plain.identifier_preparer._double_percents = False
    plain.identifier_preparer._strings = {}
    plain.type_compiler_instance = plain.type_compiler = type(dialect.type_compiler_instance)(plain)
    return plain
