"""Columns as terms of comparisons and orders, written so that each server compares as the domain does."""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Join,
    LargeBinary,
    Numeric,
    String,
    Table,
    Text,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.document_values import (
    path_expression,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.places import (
    PlaceOf,
    place_expression,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.trigrams import (
    columns_with_trigrams,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.word_search import is_vector
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.converted_type import (
    ConvertedType,
    StoredText,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import unwrap_decorators
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import (
    MoneyAmount,
    ServerTexts,
    ServerValue,
    SetText,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.stored_types import PaddedText, UnpaddedText
from fastapi_easy.infrastructure.relational.catalogue.text_indexes import TextIndex
from fastapi_easy.infrastructure.relational.column_types import ColumnType, HexUuid
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.single_precision import StoredFloat
from fastapi_easy.infrastructure.relational.sqlite.normal_form import normal_form
from fastapi_easy.infrastructure.relational.sqlite.number_types import SqliteDecimal
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import SqliteType
from fastapi_easy.infrastructure.relational.unexpected_values import ComparedDecimal, PostgresNumber

_DOTTED_CAPITAL_I: Final = "İ"
"""The one character whose lower case is more than one; `fold_case` leaves it as it is."""

_SIGMA: Final = "\u03c3"
"""The small sigma within words; at the end of a word Unicode's lower case has another one."""

_STAND_IN: Final = "\ufdd0"
"""A noncharacter that stands for it while the database folds the rest."""


@dataclass(frozen=True, slots=True)
class RelationTarget:
    """The tables that a relation leads to.

    Attributes:
        target: The terms of the related table.

        through: The association table, if there is one.
    """

    target: "Terms"
    through: Table | None


Term: TypeAlias = ColumnElement[Any]
"""A column, or an expression that stands for one in a statement."""

ResolveRelation: TypeAlias = Callable[[Relation], RelationTarget]
"""Finds the tables that a relation leads to."""


class Terms:
    """The columns of one table as terms of comparisons and orders.

    Args:
        server: The server of the table.

        table: The table, an alias of it, a subquery with the same columns, or several tables joined.

        keys: The keys of its columns, by field; of joined tables the names that columns get in a subquery.

        fields: The fields, by name; those may be null whose columns may hold null in the database.

        nonstandard: The fields whose columns exist with another collation or type than we would have given them.

        resolve_relation: Finds what a relation of its resource leads to.

        paths: The places inside of JSON columns that stand for columns of their own.

        text_index: The full-text index that its resource declares.

        columns: The columns by field, where *table* is several tables joined.

    Attributes:
        nonstandard: As given.

        allows_nul: Whether text may hold the character NUL.

        vectors: The fields that are searched for words.

        kept: For each field with a column type of the user's, what a value becomes that is stored; `None` for nothing.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (all that there is to know of the columns)
        self,
        server: Server,
        table: FromClause,
        keys: Mapping[str, str],
        fields: Mapping[str, Field],
        nonstandard: frozenset[str],
        resolve_relation: ResolveRelation,
        paths: Mapping[str, DocumentPath],
        text_index: TextIndex | None = None,
        columns: Mapping[str, Term] | None = None,
    ) -> None:
        self.server = server
        self.table = table
        self.fields = fields
        self.resolve_relation = resolve_relation
        self.text_index = text_index
        self._keys = keys
        self._paths = paths
        self._columns: dict[str, Term] = (
            {name: table.columns[key] for name, key in keys.items()} if columns is None else dict(columns)
        )
        for name, path in paths.items():
            self._columns[name] = path_expression(self._columns[path.document], path, server)
        self.nonstandard = nonstandard
        self.allows_nul = server.name != "postgresql"
        self.vectors = frozenset(name for name, column in self._columns.items() if is_vector(column))
        self.kept: Mapping[str, Callable[[Any], Any]] = {
            name: column.type.kept
            for name, column in self._columns.items()
            if isinstance(column.type, ConvertedType)
        }
        self._trigrams: frozenset[str] = (
            columns_with_trigrams(table, server) if isinstance(table, Table) else frozenset()
        )

    def of(self, table: FromClause) -> "Terms":
        """Return the same terms of *table*, which has the same columns: an alias, or a subquery."""
        same = self._keys, self.fields, self.nonstandard, self.resolve_relation, self._paths, self.text_index
        terms = Terms(self.server, table, *same)
        terms._trigrams = self._trigrams
        return terms

    def aliased(self) -> "Terms":
        """Return the same terms of the same rows, under a name that the statement uses for nothing else."""
        if not isinstance(self.table, Join):
            return self.of(self.table.alias())
        return self.of(select(*self.selected(self._keys)).select_from(self.table).subquery())

    def selected(self, fields: Iterable[str]) -> list[Term]:
        """Return the columns of *fields*, as `of` finds them in a subquery that selects them."""
        if not isinstance(self.table, Join):
            return [self._columns[name] for name in fields]
        return [self._columns[name].label(self._keys[name]) for name in fields]

    def reads(self, table: FromClause) -> bool:
        """Return whether *table* is the table of these terms, or one of those that are joined."""
        return _is_among(table, self.table)

    def has_trigrams(self, field: str) -> bool:
        """Return whether an index of trigrams is declared for the column."""
        return self._keys.get(field) in self._trigrams and field not in self.nonstandard

    def plain(self, field: str) -> Term:
        """Return the column itself."""
        return self._columns[field]

    def exact(self, field: str) -> Term:
        """Return what to compare for equality, byte for byte."""
        column = self._columns[field]
        if isinstance(column.type, ServerValue):
            return self._of_server(column)
        if field not in self.nonstandard:
            return column
        if isinstance(column.type, ConvertedType):
            return self._bytewise(column) if column.type.stored_kind is Kind.TEXT else column
        return self._bytewise(column) if self.fields[field].kind is Kind.TEXT else self._normalized(field)

    def ordered(self, field: str) -> Term:
        """Return what to compare and sort by value; text by code point, members of an enumeration by their places."""
        column, kind = self._columns[field], self.fields[field].kind
        if field in self._paths:
            return column
        if (enumeration := _members(self.fields[field])) is not None:
            return place_expression(self.exact(field), enumeration, self.server, self.type_of(field))
        if isinstance(column.type, ConvertedType):
            return self._ordered_text(field) if column.type.stored_kind is Kind.TEXT else column
        if isinstance(column.type, ServerValue):
            return self._of_server(column)
        match kind:
            case Kind.TEXT:
                return self._ordered_text(field)
            case Kind.UUID:
                return self._ordered_uuid(field)
            case Kind.DECIMAL | Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
                return self._normalized(field) if field in self.nonstandard else column
            case Kind.INTEGER | Kind.FLOAT | Kind.BOOLEAN | Kind.BINARY | Kind.JSON | Kind.ARRAY | Kind.ENUM:
                return column
            case _:
                assert_never(kind)

    def items(self, field: str) -> Term:
        """Return the array whose items are compared."""
        column = self._columns[field]
        return cast(column, postgresql.ARRAY(Text)) if isinstance(column.type, ServerTexts) else column

    def folded(self, field: str) -> ColumnElement[str]:
        """Return the text in lower case, character by character, as `fold_case` does it."""
        column = self._columns[field]
        if self.server.name == "sqlite":
            return func.fold_case(cast(column, LargeBinary()), type_=String())
        lower: ColumnElement[str] = func.lower(self._prepared(column), type_=String())
        if self.server.name == "postgresql":
            return func.translate(lower, _STAND_IN, _DOTTED_CAPITAL_I, type_=String())
        restored = func.replace(lower, _STAND_IN, _DOTTED_CAPITAL_I, type_=String())
        return restored.collate(str(self.server.bytewise))

    def type_of(self, field: str) -> ColumnType:
        """Return the type of values that *field* is compared with: like its own, but never narrower than the value.

        Otherwise a value too long for the column would be an error, or cut off, where it is merely not found.
        """
        own, kind = self._columns[field].type, self.fields[field].kind
        if isinstance(own, SqliteDecimal):
            return SqliteDecimal(None, None, strict=False)
        if isinstance(own, PostgresNumber | StoredFloat | MoneyAmount):
            return own.compared
        if isinstance(unwrap_decorators(own), TypeDecorator):
            return own
        match kind:
            case Kind.INTEGER:
                return BigInteger()
            case Kind.DECIMAL:
                return ComparedDecimal()
            case Kind.TEXT:
                return own if isinstance(own, PaddedText) else String()
            case Kind.FLOAT | Kind.BOOLEAN | Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
                return own
            case Kind.UUID | Kind.BINARY | Kind.ENUM | Kind.JSON | Kind.ARRAY:
                return own
            case _:
                assert_never(kind)

    def type_of_folded(self, field: str) -> ColumnType:
        """Return the type of what `folded` is compared with."""
        return UnpaddedText() if isinstance(self._columns[field].type, PaddedText) else String()

    def type_in_order(self, field: str) -> ColumnType:
        """Return the type of values that *field* is compared with by size, and of its value in a cursor."""
        own = self._columns[field].type
        if (enumeration := _members(self.fields[field])) is not None:
            return PlaceOf(enumeration)
        if isinstance(own, ConvertedType):
            # A type that changes texts must not change one that is only compared with.
            return StoredText() if own.holds_plain_text else own
        return self.type_of(field)

    def _of_server(self, column: Term) -> Term:
        match column.type:
            case MoneyAmount():
                # As an amount of money, what it is compared with would be rounded.
                return cast(column, Numeric)
            case SetText():
                # By itself a set is sorted by the places of its members.
                return self._bytewise(column)
            case _:
                return column

    def _ordered_text(self, field: str) -> Term:
        column, is_unlike = self._columns[field], field in self.nonstandard
        if self.server.name == "postgresql" and self.server.bytewise is not None and not is_unlike:
            return column.collate(self.server.bytewise)
        return self._bytewise(column) if is_unlike else column

    def _ordered_uuid(self, field: str) -> Term:
        column = self._columns[field]
        if self.server.name == "postgresql" or field not in self.nonstandard:
            return column
        if self.server.name == "sqlite":
            return self._normalized(field)
        # MariaDB's own type sorts by time: its text sorts by value.
        written = cast(column, mysql.CHAR(36))
        if isinstance(column.type, HexUuid):
            # Ours is compared without dashes.
            return func.replace(written, "-", "", type_=column.type)
        return type_coerce(written, column.type)

    def _normalized(self, field: str) -> Term:
        """Return the form in which we store what others have stored in SQLite, perhaps in another one."""
        column = self._columns[field]
        return normal_form(column, column.type) if isinstance(column.type, SqliteType) else column

    def _bytewise(self, column: Term) -> Term:
        if self.server.name != "mysql":
            if self.server.name == "postgresql" and not isinstance(column.type, PaddedText):
                # Only as text a CITEXT is compared byte for byte.
                return cast(column, Text).collate("C")
            return column.collate("BINARY" if self.server.name == "sqlite" else "C")
        # CONVERT, because a collation belongs to a character set and the column may have another one.
        converted = func.convert(column.op("USING")(literal_column("utf8mb4")), type_=String())
        return converted.collate(str(self.server.bytewise))

    def _prepared(self, column: Term) -> Term:
        if self.server.name == "postgresql":
            collated = column if self.server.folding is None else column.collate(self.server.folding)
            # ICU gives the last sigma of a word another lower case: replaced before, there is none to see.
            return func.translate(
                collated, f"{_SIGMA.upper()}{_DOTTED_CAPITAL_I}", f"{_SIGMA}{_STAND_IN}", type_=String()
            )
        guarded = func.replace(self._bytewise(column), _DOTTED_CAPITAL_I, _STAND_IN, type_=String())
        return guarded if self.server.folding is None else guarded.collate(self.server.folding)


def _members(field: Field) -> type[enum.Enum] | None:
    return field.enumeration if field.kind is Kind.ENUM else None


def _is_among(table: FromClause, tables: FromClause) -> bool:
    if isinstance(tables, Join):
        return _is_among(table, tables.left) or _is_among(table, tables.right)
    return table is tables
