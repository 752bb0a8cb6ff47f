"""A statement compiled for a driver: SQLAlchemy compiles it once, and each call only binds a tuple of arguments.

What SQLAlchemy knows about types is kept: how a value is encoded on its way in, and decoded on its way out.
"""

import datetime
import decimal
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType

from fastapi_easy.infrastructure.relational.column_defaults import context_free_default
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.driver.decoding.result_processors import (
    Processor,
    are_finite,
    expected_type,
    result_processor,
    text_processor,
)
from fastapi_easy.infrastructure.relational.driver.unreadable import UNREADABLE, UnexpectedRows, unexpected
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import (
    COMPILER_IS_KNOWN,
    parameter_namer,
    selected_types,
)
from fastapi_easy.infrastructure.relational.unexpected_values import PostgresNumber

MAX_EXPANSIONS: Final = 64
"""SQL texts cached per statement, one for each number of values in its lists; the oldest is dropped."""

_UTC: Final = datetime.UTC


class NotCompilable(Exception):
    """Raised for a statement that only SQLAlchemy's own execution can run."""


class _Placeholder(NamedTuple):
    """Where one argument comes from.

    Attributes:
        key: The name of the parameter; `None` for a constant or a default.

        make: Makes the value where no parameter gives it.

        place: The index in the parameter, if that is a list.

        part: The index in the item, if items are tuples.

        process: Encodes the value; `None` when it stays as it is.
    """

    key: str | None
    make: Callable[[], object]
    place: int | None
    part: int | None
    process: Processor | None


class _SqlTemplate(NamedTuple):
    sql: str
    slots: tuple[_Placeholder, ...]


class CompiledStatement:
    """A statement for one driver.

    Args:
        statement: With a parameter for each value that changes.

        dialect: After its first connection.

        names: Those of its parameters, which are the columns of an insert that does not say which; `None` for all.

    Attributes:
        only_reads: Whether it may be run twice.

        returns_rows: Whether the answer has rows.

        texts: What parses the values that the driver leaves as text, by their places in a row.

        updates: Whether it changes rows that exist.

    Raises:
        NotCompilable: A value depends on how SQLAlchemy runs the statement.
    """

    __slots__ = (
        "_compiler",
        "_dialect",
        "_expanded",
        "_lists",
        "_numbers",
        "_parts",
        "_plain",
        "_result_processors",
        "_simple",
        "only_reads",
        "returns_rows",
        "texts",
        "updates",
    )

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str] | None = None) -> None:
        if not COMPILER_IS_KNOWN or isinstance(statement, ExecutableDDLElement):
            raise NotCompilable
        compiler: Any = statement.compile(dialect=dialect, column_keys=names)  # type: ignore[attr-defined] # all of ours can be
        if (
            not isinstance(compiler, SQLCompiler)
            or compiler.literal_execute_params
            or compiler.implicit_returning
            or not (selected_types(compiler) or compiler.isinsert or compiler.isupdate or compiler.isdelete)
        ):
            # The last condition is for `text()`, which does not say whether its answer has rows.
            raise NotCompilable
        self._dialect = dialect
        self._compiler: Any = compiler
        self._lists = tuple(
            name
            for name in compiler.positiontup or ()
            if compiler.binds[name] in compiler.post_compile_params
        )
        self._expanded: dict[tuple[int, ...], _SqlTemplate] = {}
        made = dict(_defaults(self._compiler))
        self._plain = (
            None
            if self._lists
            else _SqlTemplate(
                compiler.string,
                tuple(self._placeholder(name, made) for name in compiler.positiontup or ()),
            )
        )
        types = selected_types(compiler)
        self._simple = self._as_simple()
        self._result_processors = [
            (place, read, expected_type(each, dialect))
            for place, each in enumerate(types)
            if (read := result_processor(each, dialect)) is not None
        ]
        self._numbers: list[tuple[int, Processor, Any]] = [
            (place, each.read, each.python_class)
            for place, each in enumerate(types)
            if dialect.driver == "asyncpg" and isinstance(each, PostgresNumber)
        ]
        self.returns_rows = bool(types)
        self.updates = bool(compiler.isupdate)
        self.only_reads = not (compiler.isinsert or compiler.isupdate or compiler.isdelete)
        self.texts = {
            place: read
            for place, each in enumerate(types)
            if (read := text_processor(each, dialect)) is not None
        }
        self._parts = len(compiler.statement.table.primary_key) if compiler.isinsert else 0  # type: ignore[union-attr]

    def bind(self, parameters: Mapping[str, Any]) -> tuple[str, tuple[object, ...]]:
        """Return the SQL to send, and its arguments."""
        if self._simple is not None:
            # The common case: nothing but parameters, each as it is or through one function.
            return self._simple[0], tuple(
                [
                    parameters[key] if process is None else process(parameters[key])
                    for key, process in self._simple[1]
                ]
            )
        sql, slots = self._plain or self._text(parameters)
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
        return sql, tuple(arguments)

    def rows(
        self, records: Sequence[Sequence[object]], *, keeps_texts: bool = False
    ) -> Sequence[Sequence[object]]:
        """Decode *records* to values of the types that were declared.

        Args:
            records: As the driver gave them.

            keeps_texts: Whether values in `texts` stay text.
        """
        if not records:
            return records
        if len(records) == 1 and not keeps_texts:
            return self._one_row(records)
        # The first row shows whether a column needs decoding: a column of PostgreSQL's has one type in all rows.
        first = records[0]
        readers = [
            (place, read)
            for place, read, right in self._result_processors
            if not (
                type(first[place]) is right
                or (right is _UTC and getattr(first[place], "tzinfo", None) is right)
            )
            and not (keeps_texts and place in self.texts)
        ]
        readers += [
            (place, read)
            for place, read, right in self._numbers
            if not are_finite(right, [record[place] for record in records])
        ]
        if not readers:
            return records
        rows = []
        try:
            for record in records:
                row = list(record)
                for place, read in readers:
                    row[place] = read(row[place])
                rows.append(row)
        except UNREADABLE:
            return _read_each(records, readers)
        return rows

    def _one_row(self, records: Sequence[Sequence[object]]) -> Sequence[Sequence[object]]:
        """Decode *records*, of which there is one, as `rows` does."""
        record: Any = records[0]
        row: list[Any] | None = None
        try:
            for place, read, right in self._result_processors:
                value = record[place]
                if not (type(value) is right or (right is _UTC and getattr(value, "tzinfo", None) is right)):
                    row = list(record) if row is None else row
                    row[place] = read(value)
            for place, read, right in self._numbers:
                number = record[place]
                if type(number) is not right or not (
                    number.is_finite() if right is decimal.Decimal else math.isfinite(number)
                ):
                    row = list(record) if row is None else row
                    row[place] = read(number)
        except UNREADABLE:
            readers = [*self._result_processors, *self._numbers]
            return _read_each(records, [(place, read) for place, read, _ in readers])
        return records if row is None else (row,)

    def key(self, counted: int | None) -> tuple[object, ...] | None:
        """Return the key of a new row, of which the database has *counted* up one part; `None` for all but inserts."""
        return (counted,) * self._parts or None

    def _as_simple(self) -> tuple[str, list[tuple[str, Processor | None]]] | None:
        if self._plain is None or any(
            slot.key is None or slot.place is not None for slot in self._plain.slots
        ):
            return None
        return self._plain.sql, [(str(slot.key), slot.process) for slot in self._plain.slots]

    def _text(self, parameters: Mapping[str, Any]) -> _SqlTemplate:
        """Return the template for lists of as many values as there are in *parameters*."""
        sizes = tuple(len(parameters[name]) for name in self._lists)
        found = self._expanded.get(sizes)
        if found is None:
            if len(self._expanded) >= MAX_EXPANSIONS:
                _ = self._expanded.pop(next(iter(self._expanded)), None)
            found = self._expanded[sizes] = self._expand(parameters)
        return found

    def _expand(self, parameters: Mapping[str, Any]) -> _SqlTemplate:
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
            slots.append(self._placeholder(item, made) if place is None else self._item(name, place))
        return _SqlTemplate(state.statement, tuple(slots))

    def _placeholder(self, name: str, made: Mapping[str, Callable[[], object]]) -> _Placeholder:
        bind = self._compiler.binds[name]
        process = self._bind_processor(bind.type)
        if name in made:
            return _Placeholder(None, made[name], None, None, process)
        if bind.required:
            return _Placeholder(bind.key, _raise_missing_parameter, None, None, process)
        value = bind.effective_value
        # A literal of the statement is processed now, for good.
        constant = value if process is None else process(value)
        return _Placeholder(None, lambda: constant, None, None, None)

    def _item(self, name: str, number: int) -> _Placeholder:
        """Return the placeholder of one value in a list, whose items may be tuples."""
        bind = self._compiler.binds[name]
        if not isinstance(bind.type, TupleType):
            return _Placeholder(
                bind.key, _raise_missing_parameter, number, None, self._bind_processor(bind.type)
            )
        place, part = divmod(number, len(bind.type.types))
        return _Placeholder(
            bind.key, _raise_missing_parameter, place, part, self._bind_processor(bind.type.types[part])
        )

    def _bind_processor(self, declared: ColumnType) -> Processor | None:
        """Return what encodes a value of type *declared*; `None` when it stays as it is."""
        return declared.dialect_impl(self._dialect).bind_processor(self._dialect)


def _read_each(
    records: Sequence[Sequence[object]], readers: Sequence[tuple[int, Processor]]
) -> UnexpectedRows:
    """Decode *records* value by value, since not every value can be read as what was declared."""
    rows = UnexpectedRows()
    for record in records:
        row = list(record)
        for place, read in readers:
            try:
                row[place] = read(row[place])
            except UNREADABLE:
                row[place] = unexpected(row[place])
        rows.append(row)
    return rows


def _raise_missing_parameter() -> object:
    raise LookupError("a parameter of the statement has no value")


def _defaults(compiler: Any) -> list[tuple[str, Callable[[], object]]]:
    """Return what makes the defaults of columns, by the names of their parameters."""
    filled = [(column, column.default) for column in compiler.insert_prefetch]
    filled += [(column, column.onupdate) for column in compiler.update_prefetch]
    if not filled:
        return []
    # The names of parameters need not be those of their columns.
    key_of = parameter_namer(compiler)
    return [(key_of(column), _maker(default)) for column, default in filled]


def _maker(default: Any) -> Callable[[], Any]:
    if default is not None and default.is_scalar:
        constant = default.arg
        return lambda: constant
    made = context_free_default(default) if default is not None and default.is_callable else None
    if made is None:
        raise NotCompilable
    return made
