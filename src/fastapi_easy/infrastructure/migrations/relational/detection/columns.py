"""Columns: added, dropped, and what differs in those that stay."""

from collections.abc import Iterator
from typing import Any, Final

from alembic.operations.ops import AddColumnOp, AlterColumnOp, DropColumnOp
from sqlalchemy import Column, Connection, Identity
from sqlalchemy.types import String

from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.infrastructure.migrations.relational.detection.casts import (
    is_volatile,
    needs_using,
    rewrites_table,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.column_types import (
    is_same_type,
    is_text,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    ColumnShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.normal_forms import (
    is_same_default,
    is_same_expression,
)
from fastapi_easy.infrastructure.migrations.relational.detection.pair import TablePair
from fastapi_easy.infrastructure.migrations.relational.detection.stored_objects import (
    column_from,
    column_without_rules,
    stored_default,
)
from fastapi_easy.infrastructure.migrations.relational.operations import Detected, ReplaceColumnOp
from fastapi_easy.infrastructure.relational.column_types import ColumnType

_IDENTITIES: Final = frozenset({"always", "by default"})


def compare_columns(connection: Connection, pair: TablePair) -> Iterator[Detected]:
    """Yield what has to be done to the columns of *pair*."""
    stored, declared = pair.stored.columns, pair.declared.shape.columns
    for name in declared:
        if name not in stored:
            yield _added(connection, pair, name)
    for name, column in declared.items():
        if name in stored:
            yield from _Altered(connection, pair, stored[name], column).differences()
    for name in stored:
        if name not in declared:
            yield _dropped(pair, name)


def _added(connection: Connection, pair: TablePair, name: str) -> Detected:
    column, shape = pair.column(name), pair.declared.shape.columns[name]
    gone = [
        each.name
        for each in pair.stored.columns.values()
        if each.name not in pair.declared.shape.columns and is_same_type(each, shape, pair.server)
    ]
    facts: dict[str, Any] = {"probable_rename_of": gone[0]} if gone else {}
    change = pair.change(
        ChangeKind.ADD_COLUMN,
        name,
        type_after=shape.type,
        nullable=shape.nullable,
        default=shape.default,
        volatile_default=is_volatile(connection, shape.default, pair.server),
        computed=_computed(shape),
        identity=shape.numbering is not None,
        primary_key=column.primary_key,
        inline_unique=False,
        inline_check=False,
        inline_references=False,
        **({"expression": shape.computed} if shape.computed is not None else {}),
        **facts,
    )
    operation = AddColumnOp(pair.table, column_without_rules(column), schema=pair.schema)
    return Detected(change=change, operation=operation)


def _dropped(pair: TablePair, name: str) -> Detected:
    shape = pair.stored.columns[name]
    change = pair.change(
        ChangeKind.DROP_COLUMN,
        name,
        type_before=shape.type,
        nullable_before=shape.nullable,
        default_before=shape.default,
        computed=_computed(shape),
        identity=shape.numbering is not None,
        primary_key=pair.stored.key is not None and name in pair.stored.key.columns,
        in_indexes=tuple(pair.stored.users_of(name)),
    )
    reverse = AddColumnOp(
        pair.table, column_from(shape, pair.stored_type(name), pair.server), schema=pair.schema
    )
    return Detected(
        change=change, operation=DropColumnOp(pair.table, name, schema=pair.schema, _reverse=reverse)
    )


def _computed(shape: ColumnShape) -> str | None:
    if shape.computed is None:
        return None
    return "stored" if shape.persisted else "virtual"


class _Altered:
    """A column that is on both sides. Each operation expects that those before it are carried out."""

    def __init__(
        self, connection: Connection, pair: TablePair, stored: ColumnShape, declared: ColumnShape
    ) -> None:
        self.connection = connection
        self.pair = pair
        self.stored = stored
        self.declared = declared
        self.written = pair.written.columns.get(declared.name, declared)
        self.column = pair.column(declared.name)
        self.is_key = self.column.primary_key or (
            pair.stored.key is not None and stored.name in pair.stored.key.columns
        )
        self.existing: dict[str, Any] = {}

    def differences(self) -> Iterator[Detected]:
        """Yield them in the order in which they can be carried out."""
        if self._differs_in_computed():
            yield self._replaced(
                "computed",
                ChangeKind.CHANGE_COMPUTED,
                computed=_computed(self.declared),
                expression=self.declared.computed or "",
                expression_before=self.stored.computed or "",
            )
            return
        if self._differs_in_type():
            yield self._type()
        elif self._differs_in_collation():
            yield self._replaced("collation", ChangeKind.CHANGE_COLLATION)
        if self._differs_in_identity():
            yield self._replaced("identity", ChangeKind.CHANGE_IDENTITY)
        elif self._differs_in_default():
            yield self._default()
        if self._differs_in_null():
            yield self._null()
        if self._differs_in_comment():
            yield self._comment()

    def _differs_in_computed(self) -> bool:
        one, other = self.stored, self.declared
        if one.computed is None and other.computed is None:
            return False
        if one.computed is None or other.computed is None or one.persisted != other.persisted:
            return True
        return not any(
            is_same_expression(one.computed, each.computed, loosely=self.pair.is_loose)
            for each in (other, self.written)
        )

    def _differs_in_type(self) -> bool:
        return not any(
            is_same_type(self.stored, each, self.pair.server) for each in (self.declared, self.written)
        )

    def _differs_in_collation(self) -> bool:
        if not is_text(self.stored.type) or (
            self.pair.server == "sqlite" and self.declared.collation is None
        ):
            return False
        if self.pair.server == "postgresql":
            return self.stored.collation not in {self.declared.collation, self.written.collation}
        if self.pair.server == "sqlite":
            return str(self.stored.collation or "BINARY").upper() not in {
                str(each.collation or "BINARY").upper() for each in (self.declared, self.written)
            }
        there = self.stored.collation or self.pair.stored.collation
        # One that is not named is whatever the table has.
        return not any(
            column.collation is None or _collation(column, table) == there
            for column, table in (
                (self.declared, self.pair.declared.shape),
                (self.written, self.pair.written),
            )
        )

    def _differs_in_identity(self) -> bool:
        wanted, there = self.declared.numbering, self.stored.numbering
        if isinstance(self.column.identity, Identity) and wanted in _IDENTITIES:
            # What was guessed has no options.
            same = (
                not self.pair.declared.shape.is_exact
                or self.stored.numbering_options == self.declared.numbering_options
            )
            return there != wanted or not same
        if there in _IDENTITIES:
            return wanted is None and not self.is_key
        if wanted in {"serial", "auto_increment"}:
            # That keys are numbered is SQLAlchemy's own idea: those of others may not be.
            return there is None and self.column.autoincrement is True
        return False

    def _differs_in_default(self) -> bool:
        if self.declared.numbering in {"serial", "auto_increment", *_IDENTITIES}:
            return False
        if self.is_key and self.declared.default is None and self.stored.numbering is not None:
            return False
        return not any(
            is_same_default(
                self.stored.default,
                each.default,
                is_text=is_text(self.declared.type),
                loosely=self.pair.is_loose,
            )
            for each in (self.declared, self.written)
        )

    def _differs_in_null(self) -> bool:
        if self.is_key or self.declared.computed is not None:
            # What a key must not be is the business of the key.
            return False
        return self.stored.nullable != self.declared.nullable

    def _differs_in_comment(self) -> bool:
        # One that is not declared is somebody's own.
        wanted = self.declared.comment
        return wanted is not None and wanted != self.stored.comment and self.pair.dialect.supports_comments

    def _type(self) -> Detected:
        pair, name = self.pair, self.stored.name
        before, after = self.stored.type, self.declared.type
        new_type = self._type_with_collation()
        change = pair.change(
            ChangeKind.CHANGE_TYPE,
            name,
            type_before=before,
            type_after=after,
            needs_using=needs_using(self.connection, before, after, pair.server),
            nullable=self.stored.nullable,
            nullable_before=self.stored.nullable,
            default=self.declared.default,
            default_before=self.stored.default,
            in_indexes=tuple(pair.stored.users_of(name)),
            **rewrites_table(before, after, pair.server),
        )
        operation = self._alter(modify_type=new_type)
        self.existing["existing_type"] = new_type
        return Detected(change=change, operation=operation)

    def _type_with_collation(self) -> ColumnType:
        """Return the new type; a database that others have made keeps its collations."""
        declared: ColumnType = self.column.type
        if (
            self.pair.server != "mysql"
            or not isinstance(declared, String)
            or self.written.collation is not None
        ):
            return declared
        if not is_text(self.stored.type) or self.stored.collation == self.declared.collation:
            return declared
        kept = declared.copy()
        kept.collation = self.stored.collation
        return kept

    def _default(self) -> Detected:
        change = self.pair.change(
            ChangeKind.CHANGE_DEFAULT,
            self.stored.name,
            default=self.declared.default,
            default_before=self.stored.default,
            nullable=self.stored.nullable,
            volatile_default=is_volatile(self.connection, self.declared.default, self.pair.server),
        )
        wanted = getattr(self.column.server_default, "arg", None)
        operation = self._alter(modify_server_default=wanted)
        self.existing["existing_server_default"] = False if wanted is None else wanted
        return Detected(change=change, operation=operation)

    def _null(self) -> Detected:
        nullable = self.declared.nullable
        change = self.pair.change(
            ChangeKind.DROP_NOT_NULL if nullable else ChangeKind.SET_NOT_NULL,
            self.stored.name,
            nullable=nullable,
            nullable_before=not nullable,
            default=self.declared.default,
            type_after=self.declared.type,
        )
        operation = self._alter(modify_nullable=nullable)
        self.existing["existing_nullable"] = nullable
        return Detected(change=change, operation=operation)

    def _comment(self) -> Detected:
        operation = self._alter(modify_comment=self.declared.comment)
        return Detected(
            change=self.pair.change(ChangeKind.CHANGE_COMMENT, self.stored.name), operation=operation
        )

    def _alter(self, **modified: Any) -> AlterColumnOp:
        default = stored_default(self.stored, self.pair.server)
        existing: dict[str, Any] = {
            "existing_type": self.pair.stored_type(self.stored.name),
            "existing_server_default": False if default is None else default,
            "existing_nullable": self.stored.nullable,
            "existing_comment": self.stored.comment,
        }
        if self.stored.numbering == "auto_increment":
            existing["existing_autoincrement"] = True
        return AlterColumnOp(
            self.pair.table,
            self.stored.name,
            schema=self.pair.schema,
            **{**existing, **self.existing, **modified},
        )

    def _replaced(self, what: str, kind: ChangeKind, **facts: Any) -> Detected:
        pair, name = self.pair, self.stored.name
        before: Column[Any] = column_from(self.stored, pair.stored_type(name), pair.server)
        after = column_without_rules(self.column)
        change = pair.change(
            kind,
            name,
            type_before=self.stored.type,
            type_after=self.declared.type,
            nullable=self.declared.nullable,
            nullable_before=self.stored.nullable,
            default=self.declared.default,
            default_before=self.stored.default,
            identity=self.declared.numbering is not None,
            in_indexes=tuple(pair.stored.users_of(name)),
            **facts,
        )
        return Detected(
            change=change,
            operation=ReplaceColumnOp(pair.table, before, after, what=what, schema=pair.schema),
        )


def _collation(column: ColumnShape, table: TableShape) -> str | None:
    return column.collation or table.collation
