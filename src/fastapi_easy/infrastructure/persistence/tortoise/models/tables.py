"""Models → SQLAlchemy's tables: the same tables, columns and rules that Tortoise would make (ADR 15)."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from tortoise import Model
from tortoise import indexes as tortoise_indexes
from tortoise.converters import encoders
from tortoise.fields.db_defaults import SqlDefault
from tortoise.migrations import constraints as tortoise_constraints

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.persistence.tortoise.models.kinds import column_type_of, field_type_of
from fastapi_easy.infrastructure.persistence.tortoise.models.mapping import auto_now_factory
from fastapi_easy.infrastructure.persistence.tortoise.models.special_indexes import (
    needs_binary_json,
    special_index,
)
from fastapi_easy.infrastructure.persistence.tortoise.models.stored_fields import (
    StoredField,
    key_field,
    stored_field_name,
    stored_fields,
    unique_sets,
)
from fastapi_easy.infrastructure.persistence.tortoise.models.types import TortoiseJson
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import is_generated, meta_of
from fastapi_easy.infrastructure.relational.column_types import WRITTEN_TYPE, ColumnType, SpelledType

_DIALECTS: Final = {"postgresql": "postgres"}
"""Tortoise's names of dialects where they differ from SQLAlchemy's."""


class TableBuilder:
    """The tables of models on one kind of database.

    Args:
        backend: `sqlite`, `postgresql` or `mysql`.

        models: Those whose tables may lie between others.
    """

    def __init__(self, backend: str, models: Iterable[type[Model]] = ()) -> None:
        self._dialect = _DIALECTS.get(backend, backend)
        self._tables: dict[type[Model], Table] = {}
        self._between: dict[tuple[str | None, str], Table] = {}
        # The first where several are stored in one table.
        self._mapped = {(meta_of(each).schema, meta_of(each).db_table): each for each in reversed([*models])}
        self._metadata = MetaData()

    def table_of(self, model: type[Model]) -> Table:
        """Return the table of *model*, built together with those it refers to."""
        found = self._tables.get(model)
        if found is not None:
            return found
        meta = meta_of(model)
        stored = list(stored_fields(model))
        table = self._tables[model] = Table(
            meta.db_table,
            self._metadata,
            *(self._column(model, each) for each in stored),
            *self._rules(model, stored),
            schema=meta.schema,
            # As Tortoise declares them: the key of a deleted row is not used again.
            sqlite_autoincrement=any(each.field.pk and each.field.generated for each in stored),
        )
        for reference in self._references(model, stored):
            table.append_constraint(reference)
        return table

    def association_table(self, relation: Any) -> Table:
        """Return the table of the many-to-many *relation*, which is the same from both of its ends.

        Where a model is stored in it, that is its table.

        Raises:
            DeclarationError: The model has no such columns.
        """
        # From the end where it was declared, so that both ends agree on the order of the columns.
        field = relation
        if is_generated(relation):
            field = meta_of(relation.related_model).fields_map[relation.related_name]
        place = field.through_schema, field.through
        found = self._between.get(place)
        if found is not None:
            return found
        if (model := self._mapped.get(place)) is not None:
            found = self._between[place] = self.table_of(model)
            _check_columns(field, model, found)
            return found
        ends = ((field.backward_key, field.model), (field.forward_key, field.related_model))
        columns, references = [], []
        for name, model in ends:
            key = key_field(model)
            there = self.table_of(model).columns[key.column]
            columns.append(Column(name, column_type_of(key.field), nullable=False))
            if field.db_constraint:
                references.append(ForeignKeyConstraint([name], [there], ondelete=str(field.on_delete)))
        # Tortoise's own unique index, so that no pair is stored twice.
        rules = []
        if field.unique:
            names = [name for name, _ in ends]
            rules.append(Index(_index_name("uidx", field.through, names), *names, unique=True))
        parts = (*columns, *references, *rules)
        table = Table(field.through, self._metadata, *parts, schema=field.through_schema)
        self._between[place] = table
        return table

    def _column(self, model: type[Model], stored: StoredField) -> Column[Any]:
        field = stored.field
        default = auto_now_factory(field)
        return Column(
            stored.column,
            self._type(model, stored),
            primary_key=field.pk,
            autoincrement=field.pk and field.generated,
            nullable=field.null,
            unique=(field.unique and not field.pk) or None,
            default=default,
            onupdate=default if getattr(field, "auto_now", False) else None,
            server_default=self._server_default(field),
            info=self._info(field),
        )

    def _type(self, model: type[Model], stored: StoredField) -> ColumnType:
        if field_type_of(stored.field) is None:
            # No field of the resource; the table is created with it.
            return SpelledType(stored.field.get_for_dialect(self._dialect, "SQL_TYPE"))
        declared = column_type_of(stored.field)
        if (
            isinstance(declared, TortoiseJson)
            and self._dialect == "postgres"
            and needs_binary_json(model, stored.name)
        ):
            return JSONB(none_as_null=True)
        return declared

    def _info(self, field: Any) -> dict[str, Any]:
        if field.pk and field.generated:
            return {}
        return {WRITTEN_TYPE: SpelledType(field.get_for_dialect(self._dialect, "SQL_TYPE"))}

    def _server_default(self, field: Any) -> Any:
        if not field.has_db_default():
            return None
        if isinstance(field.db_default, SqlDefault):
            return text(field.db_default.get_sql(dialect=self._dialect))
        value = field.to_db_value(field.db_default, field.model)
        if isinstance(value, bool):
            return (
                text("true" if value else "false") if self._dialect == "postgres" else text(str(int(value)))
            )
        encode: Any = encoders[type(value)]
        return text(str(encode(value)))

    def _rules(self, model: type[Model], stored: list[StoredField]) -> Iterator[Any]:
        columns = {each.name: each.column for each in stored}
        for rule in unique_sets(model):
            named = [columns[name] for name in rule]
            yield UniqueConstraint(*named, name=constraint_name("uid", model, named))
        meta = meta_of(model)
        for rule in meta.constraints:
            if isinstance(rule, tortoise_constraints.CheckConstraint):
                yield CheckConstraint(text(rule.check), name=rule.name)
        for each in stored:
            if each.field.index and not each.field.unique:
                yield Index(constraint_name("idx", model, [each.column]), each.column)
        for index in meta.indexes:
            plain = isinstance(index, tuple | list)
            named = [columns[stored_field_name(model, name)] for name in (index if plain else index.fields)]
            if plain or (type(index) is tortoise_indexes.Index and index.fields):
                name = None if plain else index.name
                yield Index(name or constraint_name("idx", model, named), *dict.fromkeys(named))
                continue
            _ = index.resolve_expressions(model)
            name = index.name or constraint_name("idx", model, named or index.field_names)
            special = special_index(index, model, name, named, self._dialect)
            if special is not None:
                yield special

    def _references(self, model: type[Model], stored: list[StoredField]) -> Iterator[ForeignKeyConstraint]:
        for each in stored:
            relation: Any = each.field.reference
            if relation is None or not relation.db_constraint:
                continue
            target = self.table_of(relation.related_model)
            there = relation.to_field_instance
            column = there.source_field or there.model_field_name
            yield ForeignKeyConstraint(
                [each.column],
                [target.columns[column]],
                name=_reference_name(meta_of(model).db_table, each.column, target.name, column),
                ondelete=str(relation.on_delete),
            )


def constraint_name(prefix: str, model: type[Model], columns: list[str]) -> str:
    """Return the name that Tortoise gives an index or a unique rule: errors of tables it made mention it."""
    return _index_name(prefix, meta_of(model).db_table, columns)


def _check_columns(field: Any, model: type[Model], table: Table) -> None:
    """Refuse the many-to-many relation *field* unless *table*, that of *model*, has its columns."""
    missing = [name for name in (field.backward_key, field.forward_key) if name not in table.columns]
    if missing:
        place = f"{field.model.__name__}.{field.model_field_name}"
        lacking = f"the table of {model.__name__}, which has no column {' and no column '.join(missing)}"
        mend = "name those it has with backward_key=… and forward_key=…"
        raise DeclarationError([f"{place} goes through {table.name}, {lacking}: {mend}"])


def _index_name(prefix: str, table: str, columns: list[str]) -> str:
    # The scheme of Tortoise's schema generator, as is that of `_reference_name`.
    return f"{prefix}_{table[:11]}_{columns[0][:7]}_{_digest(table, *columns, length=6)}"


def _reference_name(table: str, column: str, target: str, target_column: str) -> str:
    digest = _digest(table, column, target, target_column, length=8)
    return f"fk_{table[:8]}_{target[:8]}_{digest}"


def _digest(*parts: str, length: int) -> str:
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:length]
