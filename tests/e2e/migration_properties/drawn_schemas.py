"""Pairs of schemas with rows in the first one, and what a person would say about the way from one to the other."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from fastapi_easy.migrations import Hints


class Mood(enum.Enum):
    """What an enumeration of the user's may hold."""

    calm = "calm"
    sad = "sad"


@dataclass(frozen=True, slots=True)
class Family:
    """Types that are converted to one another without loss.

    Attributes:
        types: By name.

        values: SQL of a value for each of three rows, all different unless there are not that many.

        default: SQL of a server default, which is also what rows that exist get.

        can_be_unique: Whether its values are all different and every server indexes them.
    """

    types: Mapping[str, Any]
    values: tuple[str, str, str]
    default: str
    can_be_unique: bool = True


FAMILIES = {
    "c_text": Family(
        {"s20": lambda: String(20), "s200": lambda: String(200)}, ("'a'", "'b%s'", "'c:x'"), "'new'"
    ),
    "c_long": Family({"text": Text}, ("'a'", "'b'", "'c'"), "'new'", can_be_unique=False),
    "c_number": Family({"i16": SmallInteger, "i32": Integer, "i64": BigInteger}, ("1", "2", "3"), "7"),
    "c_price": Family(
        {"n8": lambda: Numeric(8, 2), "n12": lambda: Numeric(12, 2)}, ("1.50", "2.25", "3.00"), "9.90"
    ),
    "c_float": Family({"float": Float}, ("1.5", "2.5", "3.5"), "7.5"),
    "c_day": Family({"date": Date}, ("'2024-01-01'", "'2024-01-02'", "'2024-01-03'"), "'2020-02-02'"),
    "c_time": Family(
        {"time": DateTime},
        ("'2024-01-01 10:00:00'", "'2024-01-02 10:00:00'", "'2024-01-03 10:00:00'"),
        "'2020-02-02 00:00:00'",
    ),
    "c_uuid": Family(
        {"uuid": Uuid},
        tuple(f"'{digit * 8}{digit * 4}4{digit * 3}8{digit * 3}{digit * 12}'" for digit in "123"),
        f"'{'4' * 32}'",
    ),
    "group": Family(
        {"mood": lambda: Enum(Mood)}, ("'calm'", "'sad'", "'calm'"), "'sad'", can_be_unique=False
    ),
    "Odd name": Family({"i32": Integer}, ("1", "2", "3"), "7"),
}
"""By the name of a column; one is reserved, one has to be quoted."""

FILLS_TABLE = ("a", "b", "order")
RENAMED = "z"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDraft:
    """A column."""

    kind: str
    nullable: bool
    unique: bool
    indexed: bool
    has_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDraft:
    """A table, with a key, a number, and perhaps a reference."""

    columns: Mapping[str, ColumnDraft] = field(default_factory=dict)
    refers: str | None = None
    action: str | None = None
    has_reference_index: bool = False
    is_checked: bool = False


Schema = Mapping[str, TableDraft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From one schema to another.

    Attributes:
        before, after: The two, by the names that tables and columns have before.

        renamed_tables, renamed_columns: Other names that are meant in the second one.
    """

    before: Schema
    after: Schema
    renamed_tables: Mapping[str, str] = field(default_factory=dict)
    renamed_columns: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def hints(self) -> Hints:
        """Return what a person would say."""
        fill = {
            f"{self.renamed_tables.get(table, table)}.{self.renamed_columns.get((table, name), name)}": FAMILIES[
                name
            ].default
            for table, draft in self.after.items()
            for name, column in draft.columns.items()
            if not column.nullable
        }
        return Hints(
            renamed_tables=self.renamed_tables,
            renamed_columns={
                f"{self.renamed_tables.get(table, table)}.{name}": new
                for (table, name), new in self.renamed_columns.items()
            },
            fill=fill,
            batch_size=2,
        )

    def kept(self) -> dict[str, list[str]]:
        """Return the columns that are there before and afterwards, by their tables."""
        return {
            table: ["id", *sorted(draft.columns.keys() & self.after[table].columns.keys())]
            for table, draft in self.before.items()
            if table in self.after
        }

    def filled(self) -> set[tuple[str, str]]:
        """Return which of those get a value where they had none."""
        return {
            (table, name)
            for table, names in self.kept().items()
            for name in names[1:]
            if self.before[table].columns[name].nullable and not self.after[table].columns[name].nullable
        }

    def renamed(self, table: str, columns: list[str]) -> tuple[str, list[str]]:
        """Return what *table* and *columns* are called afterwards."""
        return self.renamed_tables.get(table, table), [
            self.renamed_columns.get((table, each), each) for each in columns
        ]


def columns(names: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, ColumnDraft]]:
    """Draw columns."""

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, ColumnDraft]:
        return {name: draw(column(name)) for name in draw(names)}

    return drawn()


@st.composite
def column(draw: st.DrawFn, name: str) -> ColumnDraft:
    """Draw a column."""
    family = FAMILIES[name]
    return ColumnDraft(
        kind=draw(st.sampled_from(sorted(family.types))),
        nullable=draw(st.booleans()),
        unique=family.can_be_unique and draw(st.integers(0, 3)) == 0,
        indexed=family.can_be_unique and draw(st.booleans()),
        has_default=name != "c_long" and draw(st.booleans()),
    )


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, TableDraft]:
    """Draw one to three tables, some of which refer to others or themselves."""
    names = draw(st.lists(st.sampled_from(FILLS_TABLE), min_size=1, max_size=2, unique=True))
    some = st.lists(st.sampled_from(sorted(FAMILIES)), unique=True, max_size=3)
    return {
        name: TableDraft(
            columns=draw(columns(some)),
            refers=draw(st.sampled_from([None, *names])),
            action=draw(st.sampled_from([None, "CASCADE", "SET NULL"])),
            has_reference_index=draw(st.booleans()),
            is_checked=draw(st.booleans()),
        )
        for name in names
    }


@st.composite
def ways(draw: st.DrawFn) -> Way:
    """Draw a way from any schema to any other one that the rows of the first one allow."""
    before, after = draw(schemas()), draw(schemas())
    common = sorted(before.keys() & after.keys())
    tables = dict.fromkeys(draw(st.lists(st.sampled_from(common), max_size=1)), RENAMED) if common else {}
    shared = sorted(
        (table, name)
        for table in common
        for name in before[table].columns.keys() & after[table].columns.keys()
    )
    chosen = draw(st.lists(st.sampled_from(shared), max_size=2, unique=True)) if shared else []
    after = {name: _allowed(name, draft, before) for name, draft in after.items()}
    return Way(
        before=before,
        after=after,
        renamed_tables=tables,
        renamed_columns={each: f"{each[1]}_new" for each in chosen},
    )


@st.composite
def additions(draw: st.DrawFn) -> Way:
    """Draw a way on which nothing is taken away."""
    after = draw(schemas())
    kept = draw(st.lists(st.sampled_from(sorted(after)), min_size=1, unique=True))
    before = {}
    for name in kept:
        draft = after[name]
        has_reference = draft.refers in kept and draw(st.booleans())
        before[name] = dataclasses.replace(
            draft,
            columns={
                each: dataclasses.replace(
                    column,
                    unique=column.unique and draw(st.booleans()),
                    indexed=column.indexed and draw(st.booleans()),
                )
                for each, column in draft.columns.items()
                if draw(st.booleans())
            },
            refers=draft.refers if has_reference else None,
            is_checked=draft.is_checked and draw(st.booleans()),
        )
    return Way(before=before, after={name: _allowed(name, draft, before) for name, draft in after.items()})


def _allowed(name: str, draft: TableDraft, before: Schema) -> TableDraft:
    """Return *draft* without rules that the rows of *before* break."""
    old = before.get(name)
    if old is None:
        return draft
    allowed = {}
    for each, column in draft.columns.items():
        stored = old.columns.get(each)
        is_filled = not column.nullable or (stored is None and column.has_default)
        several_alike = is_filled and (stored is None or stored.nullable)
        allowed[each] = dataclasses.replace(column, unique=column.unique and not several_alike)
    # Rows that refer to others would refer to nothing in a table that is new and empty.
    is_orphaned = old.refers is not None and draft.refers is not None and draft.refers not in before
    return dataclasses.replace(draft, columns=allowed, refers=name if is_orphaned else draft.refers)


def metadata_before(way: Way) -> MetaData:
    """Return the tables of the schema before."""
    return _metadata(way.before, {}, {})


def metadata_after(way: Way) -> MetaData:
    """Return the tables of the schema afterwards."""
    return _metadata(way.after, way.renamed_tables, way.renamed_columns)


def _metadata(schema: Schema, tables: Mapping[str, str], renamed: Mapping[tuple[str, str], str]) -> MetaData:
    metadata = MetaData()
    for name, draft in schema.items():
        items: list[Any] = [Column("id", Integer, primary_key=True), Column("number", Integer)]
        for old, column in draft.columns.items():
            called = renamed.get((name, old), old)
            family = FAMILIES[old]
            items.append(
                Column(
                    called,
                    family.types[column.kind](),
                    nullable=column.nullable,
                    server_default=family.default.strip("'") if column.has_default else None,
                )
            )
            if column.unique:
                items.append(UniqueConstraint(called, name=f"uq_{name}_{old}"))
            if column.indexed:
                items.append(Index(f"ix_{name}_{old}", called, "number"))
        if draft.refers is not None:
            target = tables.get(draft.refers, draft.refers)
            items.append(Column("parent", Integer))
            items.append(
                ForeignKeyConstraint(
                    ["parent"],
                    [f"{target}.id"],
                    name=f"fk_{name}",
                    ondelete=draft.action,
                    use_alter=draft.refers != name,
                )
            )
            if draft.has_reference_index:
                items.append(Index(f"ix_{name}_parent", "parent"))
        if draft.is_checked:
            items.append(CheckConstraint("number > 0", name=f"ck_{name}"))
        _ = Table(tables.get(name, name), metadata, *items)
    return metadata


def inserts(way: Way, quote: Any) -> list[str]:
    """Return the statements that put three rows into each table of the schema before."""
    made = []
    for table, draft in way.before.items():
        for place in range(3):
            values = {"id": str(place + 1), "number": str(place + 10)}
            for name, column in draft.columns.items():
                is_null = column.nullable and place == 2
                values[name] = "NULL" if is_null else FAMILIES[name].values[place]
            listed, given = ", ".join(map(quote, values)), ", ".join(values.values())
            made.append(f"INSERT INTO {quote(table)} ({listed}) VALUES ({given})")
    # Once every row is there: some refer to one another in circles.
    made += [
        f"UPDATE {quote(table)} SET parent = 1 WHERE id > 1"
        for table, draft in way.before.items()
        if draft.refers is not None
    ]
    return made


def plain(value: Any) -> Any:
    """Return *value* so that it is the same whichever type of its family it has come from."""
    match value:
        case Decimal() | int() | float():
            return Decimal(str(float(value)))
        case datetime.datetime():
            return value.replace(tzinfo=None).isoformat(" ").replace("-", "")
        case str():
            return value.replace("-", "")
        case _:
            return None if value is None else str(value).replace("-", "")
