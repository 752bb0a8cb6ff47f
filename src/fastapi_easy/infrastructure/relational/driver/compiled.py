"""A statement in the words of a driver: SQLAlchemy makes it once, and what is left for each call is a tuple.

Everything that SQLAlchemy knows about types is kept: what happens to a value on its way in, and on its way out.
"""

import datetime
import decimal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import JSON, Executable, Float, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import ARRAY, TupleType, TypeDecorator, TypeEngine

from fastapi_easy.infrastructure.relational.column_defaults import without_context
from fastapi_easy.infrastructure.relational.column_types import SpeltDecimal, UtcDateTime
from fastapi_easy.infrastructure.relational.driver.json_text import parse_json

Process: TypeAlias = Callable[[Any], Any]

EXPANSIONS: Final = 64
"""Texts kept per statement, one for each number of values in its lists; when there are more, the oldest goes."""

_DECIMALS: Final = 1700
_FLOATS: Final = 701
"""The types of numbers that PostgreSQL reports; what is declared is taken for what is there."""


_UTC: Final = datetime.UTC


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

        texts: The places of values that the driver gives as the server spells them, and what reads each.

    Raises:
        Incompilable: A value depends on how SQLAlchemy runs the statement.
    """

    __slots__ = (
        "_compiler",
        "_dialect",
        "_expanded",
        "_lists",
        "_parts",
        "_plain",
        "_readers",
        "_simple",
        "returns",
        "texts",
    )

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
        self._simple = self._as_simple()
        self._readers = [
            (place, read, _right(each, dialect))
            for place, each in enumerate(types)
            if (read := _reader(each, dialect)) is not None
        ]
        self.returns = bool(types)
        self.texts = {
            place: read
            for place, each in enumerate(types)
            if (read := _reader_of_text(each, dialect)) is not None
        }
        self._parts = len(compiler.statement.table.primary_key) if compiler.isinsert else 0  # type: ignore[union-attr]

    def bound(self, parameters: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """The words to send, and their arguments."""
        if self._simple is not None:
            # Nothing but parameters, each as it is or through one function.
            return self._simple[0], tuple(
                [
                    parameters[key] if process is None else process(parameters[key])
                    for key, process in self._simple[1]
                ]
            )
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

    def rows(self, records: Sequence[Sequence[Any]], *, keeps_texts: bool = False) -> Sequence[Sequence[Any]]:
        """*records*, as the driver gave them, with values of the types that were declared.

        Args:
            records: As the driver gave them.

            keeps_texts: What is in `texts` stays text.
        """
        if not records:
            return records
        first = records[0]
        readers = [
            (place, read)
            for place, read, right in self._readers
            if not (
                type(first[place]) is right
                or (right is _UTC and getattr(first[place], "tzinfo", None) is right)
            )
            and not (keeps_texts and place in self.texts)
        ]
        if not readers:
            return records
        rows = []
        for record in records:
            row = list(record)
            for place, read in readers:
                row[place] = read(row[place])
            rows.append(row)
        return rows

    def key(self, counted: int | None) -> tuple[Any, ...] | None:
        """What the database has *counted* up for the key of a new row; `None` for all but inserts."""
        return (counted,) * self._parts or None

    def _as_simple(self) -> tuple[str, list[tuple[str, Process | None]]] | None:
        if self._plain is None or any(
            slot.key is None or slot.place is not None for slot in self._plain.slots
        ):
            return None
        return self._plain.words, [(str(slot.key), slot.process) for slot in self._plain.slots]

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
    if (read := _reader_of_text(declared, dialect)) is not None:
        return _unless_null(read)
    if isinstance(impl, Numeric | Float):
        # asyncpg gives what the column is; SQLAlchemy would look at that before each result.
        return _as_decimal if impl.asdecimal else _as_float
    return impl.result_processor(dialect, _DECIMALS if _holds_decimals(declared) else _FLOATS)


def _reader_of_text(declared: TypeEngine[Any], dialect: Dialect) -> Callable[[str], Any] | None:
    """What reads a value that asyncpg gives as the server spells it; nobody but the server has written it."""
    if dialect.driver != "asyncpg":
        return None
    if isinstance(declared, SpeltDecimal):
        return decimal.Decimal
    return parse_json if isinstance(declared, JSON) else None


def _unless_null(read: Callable[[str], Any]) -> Process:
    return lambda text: None if text is None else read(text)


def _right(declared: TypeEngine[Any], dialect: Dialect) -> Any:
    """The type, or the time zone, of a first value that shows that no value of the column needs reading.

    A column of PostgreSQL's is of one type, whatever was declared, and asyncpg gives what it is.
    """
    if dialect.driver != "asyncpg":
        return None
    impl = declared.dialect_impl(dialect)
    if isinstance(declared, UtcDateTime):
        return _UTC
    if isinstance(impl, Numeric | Float):
        return decimal.Decimal if impl.asdecimal else float
    return None


def _holds_decimals(declared: TypeEngine[Any]) -> bool:
    inner: Any = declared
    while isinstance(inner, TypeDecorator | ARRAY):
        inner = inner.item_type if isinstance(inner, ARRAY) else inner.impl_instance
    return bool(getattr(inner, "asdecimal", False))


def _as_decimal(value: Any) -> Any:
    return decimal.Decimal(str(value)) if isinstance(value, float) else value


def _as_float(value: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal) else value
