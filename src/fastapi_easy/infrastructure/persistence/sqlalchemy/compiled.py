"""A statement in the words of a driver: SQLAlchemy makes it once, and what is left for each call is a tuple.

Everything that SQLAlchemy knows about types is kept: what happens to a value on its way in, and on its way out.
"""

import decimal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Executable, Float, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import ARRAY, TupleType, TypeDecorator, TypeEngine

from fastapi_easy.infrastructure.persistence.sqlalchemy.mapping import without_context

Process: TypeAlias = Callable[[Any], Any]

EXPANSIONS: Final = 64
"""Texts kept per statement, one for each number of values in its lists; when there are more, the oldest goes."""

_DECIMALS: Final = 1700
_FLOATS: Final = 701
"""The types of numbers that PostgreSQL reports; what is declared is taken for what is there."""


class Incompilable(Exception):
    """Only SQLAlchemy's own execution can run the statement."""


class _Slot(NamedTuple):
    """Where one argument comes from.

    Attributes:
        key: The parameter; `None` for a value of the statement's own.

        make: Makes the value, where no parameter gives it.

        place: Which item of the parameter, for one that is a list.

        part: Which part of the item, where items are tuples.

        process: What the value goes through.
    """

    key: str | None
    make: Callable[[], Any]
    place: int | None
    part: int | None
    process: Process | None


class _Text(NamedTuple):
    words: str
    slots: tuple[_Slot, ...]


class Compiled:
    """A statement for one driver.

    Args:
        statement: With a parameter for each value that changes.

        dialect: After it has met the server.

    Attributes:
        returns: It is answered with rows.

        reads: What the driver gives is not yet of the types that were declared.

    Raises:
        Incompilable: A value depends on how SQLAlchemy runs the statement.
    """

    __slots__ = ("_compiler", "_dialect", "_expanded", "_lists", "_parts", "_plain", "_readers", "reads", "returns")

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiler: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined] # all of ours can be
        if (
            not isinstance(compiler, SQLCompiler)
            or compiler.literal_execute_params
            or compiler.implicit_returning
            or not (compiler._result_columns or compiler.isinsert or compiler.isupdate or compiler.isdelete)  # noqa: SLF001
        ):
            # The last are words that do not say whether they are answered with rows.
            raise Incompilable
        self._dialect = dialect
        self._compiler: Any = compiler
        self._lists = tuple(
            name
            for name in compiler.positiontup or ()
            if compiler.binds[name] in compiler.post_compile_params
        )
        self._expanded: dict[tuple[int, ...], _Text] = {}
        made = dict(_defaults(self._compiler))
        self._plain = (
            None
            if self._lists
            else _Text(
                compiler.string,
                tuple(self._slot(name, made) for name in compiler.positiontup or ()),
            )
        )
        types = [entry.type for entry in self._compiler._result_columns]  # noqa: SLF001 - exactly what is selected
        processes = [_reader(each, dialect) for each in types]
        self._readers = [(place, read) for place, read in enumerate(processes) if read is not None]
        self.returns = bool(types)
        self.reads = bool(self._readers)
        self._parts = len(compiler.statement.table.primary_key) if compiler.isinsert else 0  # type: ignore[union-attr]

    def bound(self, parameters: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """The words to send, and their arguments."""
        words, slots = self._plain or self._text(parameters)
        arguments = []
        for key, make, place, part, process in slots:
            if key is None or key not in parameters:
                value = make()
            elif place is None:
                value = parameters[key]
            else:
                item = parameters[key][place]
                value = item if part is None else item[part]
            arguments.append(value if process is None else process(value))
        return words, tuple(arguments)

    def rows(self, records: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """*records*, as the driver gave them, with values of the types that were declared."""
        if not self.reads:
            return records
        rows = []
        for record in records:
            row = list(record)
            for place, read in self._readers:
                row[place] = read(row[place])
            rows.append(row)
        return rows

    def key(self, counted: int | None) -> tuple[Any, ...] | None:
        """What the database has *counted* up for the key of a new row; `None` for all but inserts."""
        return (counted,) * self._parts or None

    def _text(self, parameters: Mapping[str, Any]) -> _Text:
        """The statement for lists of as many values as there are in *parameters*."""
        sizes = tuple(len(parameters[name]) for name in self._lists)
        found = self._expanded.get(sizes)
        if found is None:
            if len(self._expanded) >= EXPANSIONS:
                _ = self._expanded.pop(next(iter(self._expanded)), None)
            found = self._expanded[sizes] = self._expand(parameters)
        return found

    def _expand(self, parameters: Mapping[str, Any]) -> _Text:
        state = self._compiler.construct_expanded_state(dict(parameters), escape_names=False)
        places = {
            item: (name, place)
            for name, items in state.parameter_expansion.items()
            for place, item in enumerate(items)
        }
        made = dict(_defaults(self._compiler))
        slots = []
        for item in state.positiontup:
            name, place = places.get(item, (item, None))
            slots.append(self._slot(item, made) if place is None else self._item(name, place))
        return _Text(state.statement, tuple(slots))

    def _slot(self, name: str, made: Mapping[str, Callable[[], Any]]) -> _Slot:
        bind = self._compiler.binds[name]
        process = self._process(bind.type)
        if name in made:
            return _Slot(None, made[name], None, None, process)
        if bind.required:
            return _Slot(bind.key, _missing, None, None, process)
        value = bind.effective_value
        # A literal of the statement is processed now, for good.
        constant = value if process is None else process(value)
        return _Slot(None, lambda: constant, None, None, None)

    def _item(self, name: str, number: int) -> _Slot:
        """The slot of one value in a list, whose items may be tuples."""
        bind = self._compiler.binds[name]
        if not isinstance(bind.type, TupleType):
            return _Slot(bind.key, _missing, number, None, self._process(bind.type))
        place, part = divmod(number, len(bind.type.types))
        return _Slot(bind.key, _missing, place, part, self._process(bind.type.types[part]))

    def _process(self, declared: TypeEngine[Any]) -> Process | None:
        """What a value of type *declared* goes through on its way in."""
        return declared.dialect_impl(self._dialect).bind_processor(self._dialect)


def _missing() -> Any:
    raise LookupError("a parameter of the statement has no value")


def _defaults(compiler: Any) -> list[tuple[str, Callable[[], Any]]]:
    """What columns fill in by themselves, by the name of their parameter."""
    filled = [(column, column.default) for column in compiler.insert_prefetch]
    filled += [(column, column.onupdate) for column in compiler.update_prefetch]
    if not filled:
        return []
    key_of: Any = compiler._within_exec_param_key_getter  # noqa: SLF001 - parameters may be called otherwise
    return [(key_of(column), _maker(default)) for column, default in filled]


def _maker(default: Any) -> Callable[[], Any]:
    if default is not None and default.is_scalar:
        constant = default.arg
        return lambda: constant
    made = without_context(default) if default is not None and default.is_callable else None
    if made is None:
        raise Incompilable
    return made


def _reader(declared: TypeEngine[Any], dialect: Dialect) -> Process | None:
    """What a value of type *declared* goes through on its way out."""
    impl = declared.dialect_impl(dialect)
    if dialect.driver != "asyncpg":
        return impl.result_processor(dialect, None)
    if isinstance(impl, Numeric | Float):
        # asyncpg gives what the column is; SQLAlchemy would look at that before each result.
        return _as_decimal if impl.asdecimal else _as_float
    return impl.result_processor(dialect, _DECIMALS if _holds_decimals(declared) else _FLOATS)


def _holds_decimals(declared: TypeEngine[Any]) -> bool:
    inner: Any = declared
    while isinstance(inner, TypeDecorator | ARRAY):
        inner = inner.item_type if isinstance(inner, ARRAY) else inner.impl_instance
    return bool(getattr(inner, "asdecimal", False))


def _as_decimal(value: Any) -> Any:
    return decimal.Decimal(str(value)) if isinstance(value, float) else value


def _as_float(value: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal) else value
