"""What is made once per resource and server: its table, its terms, and a cache of statements by their form."""

from collections.abc import Callable, Container, Hashable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Executable

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.entities.bounds import is_storable
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan_tables import PlanTables
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable
from fastapi_easy.infrastructure.relational.server import Server

S = TypeVar("S", bound=Executable)

_INT64: Final = 2**63

MAX_STATEMENTS: Final = 512
"""Statements cached per resource; when there are more, the oldest is dropped."""


class Plan:
    """What is known about one resource on one server, with its statements.

    Args:
        resource: The resource.

        server: The server of its tables.

        tables: What its statements are about.

        parts: Where it is stored in several tables, the plan of each, the uppermost first.

        derived_tables: Our copies of the tables that hold more of some of its entities, those first that refer to
            others.

    Attributes:
        tables, parts, derived_tables: As given.

        generated_keys: The key fields that the store fills in when they are left out or null.

        required: The fields that must not be null.

        counts_from_null: Whether the version may be null in the database, which counts as 0.

        triggers: What the database's own code may do to its rows.

        stored_defaults: The SQL expressions of the defaults on SQLite and MariaDB, by column.

        default_functions: What makes the defaults that depend on other values, from SQLAlchemy's context.

        has_store_defaults: Whether a patch may hold `STORE_DEFAULT`.
    """

    def __init__(
        self,
        resource: Resource[Any],
        server: Server,
        tables: PlanTables,
        parts: Sequence["Plan"] = (),
        derived_tables: Sequence[DerivedTable] = (),
    ) -> None:
        self.resource = resource
        self.server = server
        self.tables = tables
        self.parts = parts
        self.derived_tables = derived_tables
        self.table = tables.table
        self.columns = tables.columns
        self.terms = tables.terms
        self.constraints = tables.constraints
        self.triggers = tables.triggers
        self.stored_defaults = tables.stored_defaults
        self.names = tuple(name for name in resource.stored_fields if name in self.columns)
        self.counts_from_null = resource.version in tables.nullable
        self.default_functions = {
            name: _function_of(column.default)
            for name, column in self.columns.items()
            if resource.stored_fields[name].store_default and getattr(column.default, "is_callable", False)
        }
        self.has_store_defaults = any(
            field.store_default or field.update_default for field in resource.stored_fields.values()
        )
        self.autoincrement_key = self._find_autoincrement_key()
        self.returns_inserted = bool(server.dialect.insert_returning)
        self.returns_updated = bool(server.dialect.update_returning)
        self.generated_keys = tuple(
            name for name in resource.key if _is_filled_by_store(resource.stored_fields[name])
        )
        self._default_makers = {name: _default_maker(resource.stored_fields[name]) for name in self.names}
        self.required = tuple(name for name in self.names if _must_not_be_null(resource.stored_fields[name]))
        self._has_integer_key = [resource.stored_fields[name].kind for name in resource.key] == [Kind.INTEGER]
        self._statements: dict[Hashable, Any] = {}

    @property
    def is_one_table(self) -> bool:
        """Whether each of its entities is one row, and nothing else."""
        return not self.parts and not self.derived_tables

    def statement(self, form: Hashable, build: Callable[[], S]) -> S:
        """Return the statement of *form*, which *build* makes when it is asked for the first time."""
        found: S | None = self._statements.get(form)
        if found is None:
            found = build()
            if len(self._statements) >= MAX_STATEMENTS:
                _ = self._statements.pop(next(iter(self._statements)), None)
            self._statements[form] = found
        return found

    def key_values(self, key: Key) -> dict[str, object] | None:
        """Return the parameters for *key*; `None` when no row can have it."""
        if type(key) is int and self._has_integer_key and -_INT64 <= key < _INT64:
            return {"fe_key_0": key}
        names = self.resource.key
        values = (key,) if len(names) == 1 else tuple(key)
        if len(values) != len(names):
            raise ValueError(f"the key of {self.resource.name} has {len(names)} values")
        fields, allows_nul = self.resource.stored_fields, self.terms.allows_nul
        for name, value in zip(names, values, strict=True):
            if value is None or not is_storable(fields[name], value, allows_nul=allows_nul):
                return None
        return {f"fe_key_{number}": value for number, value in enumerate(values)}

    def row(self, record: Sequence[object]) -> Row:
        """Return *record*, which holds all fields, as a row."""
        return Row(zip(self.names, record, strict=True))

    def with_defaults(self, values: Values) -> dict[str, object]:
        """Add the defaults of the fields that *values* leaves out, but for those that only the store can fill."""
        complete: dict[str, object] = {}
        for name, fill in self._default_makers.items():
            if name in values:
                complete[name] = values[name]
            elif fill is not None:
                complete[name] = fill()
        if self.resource.version is not None:
            complete[self.resource.version] = 1
        self._drop_unset_keys(complete)
        return complete

    def written_fields(self, given: Sequence[str], left_out: Container[str]) -> tuple[str, ...]:
        """Return the fields that `with_defaults` has values for, for rows with values for the fields *given*.

        Args:
            given: The fields that the caller has given.

            left_out: The `generated_keys` that are null.
        """
        version = self.resource.version
        return tuple(
            name
            for name, fill in self._default_makers.items()
            if (name in given or fill is not None or name == version) and name not in left_out
        )

    def column(self, name: str, rows: Sequence[Values], *, is_stored: bool = False) -> list[Any]:
        """Return the values that `with_defaults` has for field *name*, of each of *rows*.

        Those of entities that were stored before, *is_stored*, have a version already.
        """
        if name == self.resource.version:
            return [values.get(name, 1) for values in rows] if is_stored else [1] * len(rows)
        try:
            return [values[name] for values in rows]
        except KeyError:
            fill: Any = self._default_makers[name]
        return [values[name] if name in values else fill() for values in rows]

    def find_nulls(self, values: Values, *, whole: bool) -> list[str]:
        """Return the fields of *values* that are null and must not be; of a *whole* entity also those left out."""
        if whole:
            return [name for name in self.required if values.get(name) is None]
        return [name for name in self.required if name in values and values[name] is None]

    def _drop_unset_keys(self, values: dict[str, object]) -> None:
        for name in self.generated_keys:
            if name in values and values[name] is None:
                del values[name]

    def _find_autoincrement_key(self) -> str | None:
        """Return the key field that the store counts up; `None` when there is none."""
        for name in self.resource.key:
            field = self.resource.stored_fields[name]
            if field.generated and field.kind is Kind.INTEGER:
                return name
        return None


def _function_of(default: Any) -> Callable[[Any], object]:
    function: Callable[[Any], object] = default.arg
    return function


def _default_maker(field: Field) -> Callable[[], Any] | None:
    """Return what makes the value of *field* when the caller leaves it out; `None` when the store does."""
    if _is_filled_by_store(field):
        return None
    if field.default_factory is not None:
        return field.default_factory
    default = None if field.default is UNSET else field.default
    return lambda: default


def _is_filled_by_store(field: Field) -> bool:
    return field.generated or field.store_default


def _must_not_be_null(field: Field) -> bool:
    return not (field.nullable or _is_filled_by_store(field))
