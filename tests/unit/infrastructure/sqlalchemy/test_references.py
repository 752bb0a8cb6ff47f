"""Foreign keys of tables → references."""

from typing import ClassVar

import pytest
from returns.result import Failure
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import ReferenceBroken
from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_sqlmodel
from tests.unit.infrastructure.sqlalchemy.relational import relational


class Base(DeclarativeBase):
    metadata = MetaData()


class Shelf(Base):
    __tablename__ = "shelves"
    __table_args__ = ({"schema": "hall"},)

    room: Mapped[str] = mapped_column(String(9), primary_key=True)
    number: Mapped[int] = mapped_column("no", primary_key=True)


class Volume(Base):
    __table__ = Table(
        "volumes",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("room_", String(9)),
        Column("number_", Integer),
        Column("before", ForeignKey("volumes.id", ondelete="set  null", onupdate="cascade", use_alter=True)),
        Column("kind", ForeignKey("kinds.id", ondelete="RESTRICT", deferrable=True, initially="deferred")),
        Column("colour", ForeignKey("kinds.id", ondelete="SET NULL (colour)")),
        Column("size", ForeignKey("kinds.id", ondelete="something new")),
        Column("secret", ForeignKey("kinds.id")),
        ForeignKeyConstraint(["number_", "room_"], ["hall.shelves.no", "hall.shelves.room"]),
    )
    __mapper_args__: ClassVar = {"exclude_properties": ["secret"]}

    room = __table__.c.room_
    number = __table__.c.number_


kinds = Table("kinds", Base.metadata, Column("id", Integer, primary_key=True))


class Letter(Base):
    __tablename__ = "references_letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(9), unique=True)
    answers: Mapped[int | None] = mapped_column(ForeignKey("references_letters.id"))
    quotes: Mapped[int | None] = mapped_column(ForeignKey("references_letters.id"))


class Note(Base):
    __tablename__ = "references_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    letter: Mapped[str] = mapped_column(ForeignKey("references_letters.code"))


class Copy(SQLModel, table=True):
    __tablename__ = "references_copies"

    id: int | None = Field(default=None, primary_key=True)
    first: int | None = Field(default=None, foreign_key="references_copies.id", ondelete="CASCADE")


def test_every_foreign_key_between_columns_that_are_mapped_is_read_in_the_order_of_the_table():
    shape = describe(Volume)

    assert shape.references == (
        Reference(fields=("number", "room"), target="hall.shelves", remote=("no", "room")),
        Reference(
            fields=("before",),
            target="volumes",
            remote=("id",),
            on_delete=ReferentialAction.SET_NULL,
            on_update=ReferentialAction.CASCADE,
        ),
        Reference(
            fields=("kind",),
            target="kinds",
            remote=("id",),
            on_delete=ReferentialAction.RESTRICT,
            deferred=True,
        ),
        Reference(fields=("colour",), target="kinds", remote=("id",), on_delete=ReferentialAction.SET_NULL),
        Reference(fields=("size",), target="kinds", remote=("id",)),
    )


def test_tables_are_called_as_references_call_them():
    shape = describe(Shelf)

    assert (shape.table, shape.columns) == ("hall.shelves", {"room": "room", "no": "number"})


def test_reads_foreign_keys_of_sqlmodel():
    shape = describe_sqlmodel(Copy)

    assert shape.references == (
        Reference(
            fields=("first",),
            target="references_copies",
            remote=("id",),
            on_delete=ReferentialAction.CASCADE,
        ),
    )


@pytest.mark.parametrize("field", ["answers", "quotes"])
async def test_of_several_foreign_keys_without_names_the_broken_one_is_named(url, field):
    broken = Failure(ReferenceBroken("letters", (field,)))

    async with relational(url, {"letters": Letter}) as world:
        letter = (await world["letters"].add({})).unwrap()
        added = await world["letters"].add({field: letter.id + 1_000})
        together = await world["letters"].add_all([{}, {field: letter.id + 1_000}])
        changed = await world["letters"].update(letter.id, Patch({field: letter.id + 1_000}))

    assert (added, together, changed) == (broken, broken, broken)


async def test_a_value_that_others_refer_to_is_not_reported_as_a_reference(url):
    async with relational(url, {"letters": Letter, "notes": Note}) as world:
        letter = (await world["letters"].add({"code": "a"})).unwrap()
        _ = (await world["letters"].update(letter.id, Patch({"quotes": letter.id}))).unwrap()
        _ = (await world["notes"].add({"letter": "a"})).unwrap()

        changed = await world["letters"].update(letter.id, Patch({"code": "b"}))

    assert changed == Failure(ReferenceBroken("letters", ()))
