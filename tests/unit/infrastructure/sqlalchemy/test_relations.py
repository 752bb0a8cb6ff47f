"""`relationship()` and `Relationship()` → links."""

import pytest
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table, and_, join
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship, remote
from sqlmodel import Field, Relationship, SQLModel

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.resources.relation import Link, Through
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_sqlmodel


class Base(DeclarativeBase): ...


taught = Table(
    "relations_taught",
    Base.metadata,
    Column("who", ForeignKey("relations_person.no"), primary_key=True),
    Column("what", ForeignKey("relations_course.id"), primary_key=True),
)


class Course(Base):
    __tablename__ = "relations_course"

    id: Mapped[int] = mapped_column(primary_key=True)
    teachers: Mapped[list["Person"]] = relationship(secondary=taught, back_populates="courses")


class Person(Base):
    __tablename__ = "relations_person"

    number: Mapped[int] = mapped_column("no", primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    chief_number: Mapped[int | None] = mapped_column("chief_no", ForeignKey("relations_person.no"))

    chief: Mapped["Person | None"] = relationship(remote_side=[number], back_populates="staff")
    staff: Mapped[list["Person"]] = relationship(back_populates="chief")
    courses: Mapped[list[Course]] = relationship(secondary=taught, back_populates="teachers")
    badge: Mapped["Badge | None"] = relationship(back_populates="holder")
    _secret: Mapped["Badge | None"] = relationship(viewonly=True)
    namesakes: Mapped[list["Person"]] = relationship(
        primaryjoin=lambda: and_(
            foreign(Person.name) == remote(Person.name), Person.number != remote(Person.number)
        ),
        viewonly=True,
        uselist=True,
    )
    lower_staff: Mapped[list["Person"]] = relationship(
        primaryjoin=lambda: Person.number < foreign(remote(Person.chief_number)), viewonly=True
    )
    colleagues_in_courses: Mapped[list["Person"]] = relationship(
        secondary=lambda: join(taught, Course.__table__),
        primaryjoin=lambda: Person.number == taught.c.who,
        secondaryjoin=lambda: and_(Person.number == taught.c.who, taught.c.what == Course.id),
        viewonly=True,
    )


class Badge(Base):
    __tablename__ = "relations_badge"

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_number: Mapped[int] = mapped_column(ForeignKey("relations_person.no"), unique=True)
    holder: Mapped[Person] = relationship(back_populates="badge")


class Room(Base):
    __tablename__ = "relations_room"

    house: Mapped[str] = mapped_column(String(20), primary_key=True)
    floor: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    desks: Mapped[list["Desk"]] = relationship(back_populates="room")


class Desk(Base):
    __tablename__ = "relations_desk"
    __table_args__ = (
        ForeignKeyConstraint(["house", "storey"], ["relations_room.house", "relations_room.floor"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    house: Mapped[str] = mapped_column(String(20))
    storey: Mapped[int]
    room: Mapped[Room] = relationship(back_populates="desks")


PERSON = describe(Person).links


@pytest.mark.parametrize(
    ("links", "name", "expected"),
    [
        pytest.param(
            PERSON,
            "chief",
            Link(target=Person, many=False, local=("chief_number",), remote=("number",)),
            id="many to one, to itself, under the names of attributes",
        ),
        pytest.param(
            PERSON,
            "staff",
            Link(target=Person, many=True, local=("number",), remote=("chief_number",)),
            id="one to many, to itself",
        ),
        pytest.param(
            PERSON,
            "badge",
            Link(target=Badge, many=False, local=("number",), remote=("holder_number",)),
            id="one to one, from the side without the reference",
        ),
        pytest.param(
            describe(Badge).links,
            "holder",
            Link(target=Person, many=False, local=("holder_number",), remote=("number",)),
            id="one to one, from the side with the reference",
        ),
        pytest.param(
            PERSON,
            "courses",
            Link(
                target=Course,
                many=True,
                local=("number",),
                remote=("id",),
                through=Through(table=taught, local=("who",), remote=("what",), name="relations_taught"),
            ),
            id="many to many",
        ),
        pytest.param(
            describe(Course).links,
            "teachers",
            Link(
                target=Person,
                many=True,
                local=("id",),
                remote=("number",),
                through=Through(table=taught, local=("what",), remote=("who",), name="relations_taught"),
            ),
            id="many to many, from the other side",
        ),
        pytest.param(
            describe(Desk).links,
            "room",
            Link(target=Room, many=False, local=("house", "storey"), remote=("house", "floor")),
            id="by two columns",
        ),
        pytest.param(
            describe(Room).links,
            "desks",
            Link(target=Desk, many=True, local=("house", "floor"), remote=("house", "storey")),
            id="by two columns, from the other side",
        ),
    ],
)
def test_reads_a_relationship_as_a_link(links, name, expected):
    assert links[name] == expected


def test_leaves_out_relationships_that_compare_more_than_columns():
    assert sorted(PERSON) == ["badge", "chief", "courses", "staff"]


def test_refuses_a_relationship_without_a_target():
    class Elsewhere(DeclarativeBase): ...

    class Orphan(Elsewhere):
        __tablename__ = "relations_orphan"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int] = mapped_column(Integer)
        parent: Mapped["Nobody"] = relationship()  # noqa: F821 - that is the point

    with pytest.raises(DeclarationError, match=r"relationships of Orphan.*'Nobody'.*import the modules"):
        _ = describe(Orphan)


class Wears(SQLModel, table=True):
    __tablename__ = "relations_wears"
    hero_id: int | None = Field(default=None, foreign_key="relations_hero.id", primary_key=True)
    cape_id: int | None = Field(default=None, foreign_key="relations_cape.id", primary_key=True)


class Team(SQLModel, table=True):
    __tablename__ = "relations_team"
    id: int | None = Field(default=None, primary_key=True)
    heroes: list["Hero"] = Relationship(back_populates="team")


class Hero(SQLModel, table=True):
    __tablename__ = "relations_hero"
    id: int | None = Field(default=None, primary_key=True)
    team_id: int | None = Field(default=None, foreign_key="relations_team.id")
    team: Team | None = Relationship(back_populates="heroes")
    capes: list["Cape"] = Relationship(back_populates="heroes", link_model=Wears)


class Cape(SQLModel, table=True):
    __tablename__ = "relations_cape"
    id: int | None = Field(default=None, primary_key=True)
    heroes: list[Hero] = Relationship(back_populates="capes", link_model=Wears)


def test_reads_the_same_links_from_sqlmodel():
    assert describe_sqlmodel(Hero).links == {
        "team": Link(target=Team, many=False, local=("team_id",), remote=("id",)),
        "capes": Link(
            target=Cape,
            many=True,
            local=("id",),
            remote=("id",),
            through=Through(
                table=Wears.__table__, local=("hero_id",), remote=("cape_id",), name="relations_wears"
            ),
        ),
    }
    assert describe_sqlmodel(Team).links == {
        "heroes": Link(target=Hero, many=True, local=("id",), remote=("team_id",))
    }
