"""What the store gives to the fields that a replace leaves out, as terms of an `UPDATE`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal_column, null
from sqlalchemy import Sequence as Counter
from sqlalchemy.schema import ColumnDefault, DefaultClause

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import STORE_DEFAULT
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan


@dataclass(frozen=True, slots=True)
class WrittenValues:
    """What a default that depends on other values is called with, in place of SQLAlchemy's context.

    Attributes:
        current_parameters: The values that are written, by the keys of their columns.
    """

    current_parameters: Mapping[str, object]

    def get_current_parameters(self, isolate_multiinsert_groups: bool = True) -> Mapping[str, object]:
        """Return the values that are written, by the keys of their columns."""
        return self.current_parameters


def default_term(plan: Plan, name: str) -> ColumnElement[Any] | None:
    """Return what `name = ...` is set to by a replace that leaves it out; `None` where the update sets it, or nothing.

    Nothing does where the class only says that something will (`FetchedValue`): that may be a trigger.
    """
    column = plan.columns[name]
    if plan.resource.stored_fields[name].update_default:
        return None
    made: Any = column.default
    if isinstance(made, Counter):
        return made.next_value() if plan.server.dialect.supports_sequences else null()
    if isinstance(made, ColumnDefault) and made.is_clause_element:
        expression: ColumnElement[Any] = made.arg
        return expression
    if not isinstance(column.server_default, DefaultClause):
        return None
    if plan.server.name != "sqlite":
        return literal_column("DEFAULT")
    # It has no such word in an UPDATE, but tells the expression.
    stored = plan.stored_defaults.get(column.name)
    return null() if stored is None else literal_column(f"({stored})")


def split_store_defaults(plan: Plan, changes: Values) -> tuple[Values, tuple[str, ...]]:
    """Return the values of *changes*, and the fields that get what the store gives them."""
    if not plan.has_store_defaults:
        return changes, ()
    given = {name: value for name, value in changes.items() if value is not STORE_DEFAULT}
    reset = [name for name in changes if name not in given]
    fields = plan.resource.stored_fields
    given |= made_from_others(plan, [name for name in reset if not fields[name].update_default], given)
    return given, tuple(name for name in reset if name not in given)


def made_from_others(plan: Plan, names: Iterable[str], values: Values) -> dict[str, object]:
    """Return the values of those fields of *names* that a function makes from *values*, which do without them."""
    context = WrittenValues({plan.columns[name].key: value for name, value in values.items()})
    functions = plan.default_functions
    return {name: functions[name](context) for name in names if name in functions and name not in values}
