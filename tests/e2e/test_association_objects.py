"""Association objects, whose key is two references, and entities whose key is a reference to another."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import sqlmodel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, empty_store


class Base(DeclarativeBase):
    """SQLAlchemy's classes."""


class Student(Base):
    """At one end."""

    __tablename__ = "students"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    enrolments: Mapped[list["Enrolment"]] = relationship(back_populates="student")
    courses: Mapped[list["Course"]] = relationship(secondary="enrolments", viewonly=True)
    passport: Mapped["Passport | None"] = relationship(back_populates="student")


class Course(Base):
    """At the other end."""

    __tablename__ = "courses"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(20))
    enrolments: Mapped[list["Enrolment"]] = relationship(back_populates="course")


class Enrolment(Base):
    """Between them, with more to say."""

    __tablename__ = "enrolments"
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("students.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("courses.id"), primary_key=True)
    grade: Mapped[int | None]
    student: Mapped[Student] = relationship(back_populates="enrolments")
    course: Mapped[Course] = relationship(back_populates="enrolments")
    remarks: Mapped[list["Remark"]] = relationship(back_populates="enrolment")


class Remark(Base):
    """Refers to both parts of a key."""

    __tablename__ = "remarks"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["student_id", "course_id"], ["enrolments.student_id", "enrolments.course_id"]
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int]
    course_id: Mapped[int]
    text: Mapped[str] = mapped_column(sa.String(20))
    enrolment: Mapped[Enrolment] = relationship(back_populates="remarks")


class Passport(Base):
    """Shares the key of a student: there is one at most."""

    __tablename__ = "passports"
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("students.id"), primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(9), unique=True)
    student: Mapped[Student] = relationship(back_populates="passport")
    visas: Mapped[list["Visa"]] = relationship(back_populates="passport")


class Visa(Base):
    """Refers to a key that is a reference."""

    __tablename__ = "visas"
    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(sa.String(2))
    passport_id: Mapped[int] = mapped_column(sa.ForeignKey("passports.student_id"))
    passport: Mapped[Passport] = relationship(back_populates="visas")


class EnrolmentOfModels(sqlmodel.SQLModel, table=True):
    """The same as SQLModel's classes."""

    __tablename__ = "enrolments"
    student_id: int = sqlmodel.Field(primary_key=True, foreign_key="students.id")
    course_id: int = sqlmodel.Field(primary_key=True, foreign_key="courses.id")
    grade: int | None = None
    student: "StudentModel" = sqlmodel.Relationship(back_populates="enrolments")
    course: "CourseModel" = sqlmodel.Relationship(back_populates="enrolments")
    remarks: list["RemarkModel"] = sqlmodel.Relationship(back_populates="enrolment")


class StudentModel(sqlmodel.SQLModel, table=True):
    """At one end."""

    __tablename__ = "students"
    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    name: str = sqlmodel.Field(max_length=20)
    enrolments: list[EnrolmentOfModels] = sqlmodel.Relationship(back_populates="student")
    courses: list["CourseModel"] = sqlmodel.Relationship(
        link_model=EnrolmentOfModels, sa_relationship_kwargs={"viewonly": True}
    )
    passport: "PassportModel" = sqlmodel.Relationship(
        back_populates="student", sa_relationship_kwargs={"uselist": False}
    )


class CourseModel(sqlmodel.SQLModel, table=True):
    """At the other end."""

    __tablename__ = "courses"
    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    title: str = sqlmodel.Field(max_length=20)
    enrolments: list[EnrolmentOfModels] = sqlmodel.Relationship(back_populates="course")


class RemarkModel(sqlmodel.SQLModel, table=True):
    """Refers to both parts of a key."""

    __tablename__ = "remarks"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["student_id", "course_id"], ["enrolments.student_id", "enrolments.course_id"]
        ),
    )
    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    student_id: int
    course_id: int
    text: str = sqlmodel.Field(max_length=20)
    enrolment: EnrolmentOfModels = sqlmodel.Relationship(back_populates="remarks")


class PassportModel(sqlmodel.SQLModel, table=True):
    """Shares the key of a student."""

    __tablename__ = "passports"
    student_id: int = sqlmodel.Field(primary_key=True, foreign_key="students.id")
    number: str = sqlmodel.Field(max_length=9, unique=True)
    student: StudentModel = sqlmodel.Relationship(back_populates="passport")
    visas: list["VisaModel"] = sqlmodel.Relationship(back_populates="passport")


class VisaModel(sqlmodel.SQLModel, table=True):
    """Refers to a key that is a reference."""

    __tablename__ = "visas"
    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    country: str = sqlmodel.Field(max_length=2)
    passport_id: int = sqlmodel.Field(foreign_key="passports.student_id")
    passport: PassportModel = sqlmodel.Relationship(back_populates="visas")


NAMES = ("students", "courses", "enrolments", "remarks", "passports", "visas")
CLASSES = {
    "SQLAlchemy": (Student, Course, Enrolment, Remark, Passport, Visa),
    "SQLModel": (StudentModel, CourseModel, EnrolmentOfModels, RemarkModel, PassportModel, VisaModel),
}
COLUMNS = [("SQLAlchemy", store) for store in EVERY_STORE] + [
    ("SQLModel", "sqlite"),
    ("SQLModel", "postgres"),
]


def _school(url: str, library: str) -> Any:
    classes: dict[str, Any] = dict(zip(NAMES, CLASSES[library], strict=True))
    declared: dict[str, Any] = {name: resource(entity) for name, entity in classes.items()}
    if url == "memory://":
        # No association table is stored in memory.
        declared["students"] = resource(classes["students"], relations=["enrolments", "passport"])
    container: Any = type("School", (Container,), declared)
    chosen = DatabaseSettings.model_validate({"url": url, "migrations": "auto"})
    return create_app(container(settings=Settings(databases={"default": chosen})))


@pytest.mark.parametrize(("library", "store"), COLUMNS)
async def test_an_association_object_is_a_resource_with_a_key_of_two_references(
    library: str, store: str, tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(_school(url, library)) as client:

            async def found(path: str) -> list[Any]:
                answer = await client.get(path)
                assert answer.status_code == 200, answer.text
                return [tuple(each.values()) for each in answer.json()["items"]]

            for name in ("ann", "bob"):
                await client.post("/students", json={"name": name})
            for title in ("art", "law"):
                await client.post("/courses", json={"title": title})
            made = [
                await client.post("/enrolments", json={"student_id": s, "course_id": c, "grade": grade})
                for s, c, grade in ((1, 1, 5), (1, 2, None), (2, 2, 3))
            ]
            await client.post("/remarks", json={"student_id": 1, "course_id": 2, "text": "late"})
            wrong = [
                await client.post("/enrolments", json={"student_id": 1, "course_id": 1}),
                await client.post("/enrolments", json={"student_id": 2, "course_id": 9}),
                await client.post("/remarks", json={"student_id": 2, "course_id": 1, "text": "x"}),
                await client.delete("/enrolments/1,2"),
                await client.delete("/students/2"),
                await client.patch("/enrolments/1,1", json={"course_id": 2}),
            ]
            lists = {
                path: await found(path)
                for path in (
                    "/enrolments?student.name=ann&sort=-course.title",
                    "/enrolments?remarks.text=late",
                    "/students?enrolments.course.title=law&enrolments.grade=3&fields=name",
                    "/courses?enrolments.student.name=bob&fields=title",
                    "/remarks?enrolment.student.name=ann&fields=text",
                )
            }
            student = (await client.get("/students/1?include=enrolments.course")).json()
            remark = (await client.get("/remarks/1?include=enrolment.student")).json()
            changed = await client.patch("/enrolments/1,2", json={"grade": 4})
            removed = await client.delete("/enrolments/2,2")
            gone = await client.get("/enrolments/2,2")

    assert [each.status_code for each in made] == [201] * 3
    assert made[1].headers["location"] == "/enrolments/1,2"
    assert [each.status_code for each in wrong] == [409, 409, 409, 409, 409, 422]
    assert lists == {
        "/enrolments?student.name=ann&sort=-course.title": [(1, 2, None), (1, 1, 5)],
        "/enrolments?remarks.text=late": [(1, 2, None)],
        "/students?enrolments.course.title=law&enrolments.grade=3&fields=name": [("bob",)],
        "/courses?enrolments.student.name=bob&fields=title": [("law",)],
        "/remarks?enrolment.student.name=ann&fields=text": [("late",)],
    }
    assert [each["course"]["title"] for each in student["enrolments"]] == ["art", "law"]
    assert remark["enrolment"]["student"]["name"] == "ann"
    assert (changed.json()["grade"], removed.status_code, gone.status_code) == (4, 204, 404)


@pytest.mark.parametrize(("library", "store"), COLUMNS)
async def test_a_key_may_be_a_reference_to_the_one_entity_it_belongs_to(
    library: str, store: str, tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(_school(url, library)) as client:
            for name in ("ann", "bob", "cid"):
                await client.post("/students", json={"name": name})
            made = await client.post("/passports", json={"student_id": 2, "number": "X1"})
            visa = await client.post("/visas", json={"country": "FR", "passport_id": 2})
            wrong = [
                await client.post("/passports", json={"number": "X2"}),
                await client.post("/passports", json={"student_id": 9, "number": "X2"}),
                await client.post("/passports", json={"student_id": 2, "number": "X2"}),
                await client.post("/passports", json={"student_id": 3, "number": "X1"}),
                await client.delete("/students/2"),
                await client.delete("/passports/2"),
            ]
            student = (await client.get("/students/2?include=passport.visas")).json()
            without = (await client.get("/students/1?include=passport")).json()
            lists = [
                [each["name"] for each in (await client.get(path)).json()["items"]]
                for path in (
                    "/students?passport.number=X1",
                    "/students?passport__isnull=true",
                    "/students?passport.visas.country=FR",
                    "/students?sort=passport.number,-id",
                )
            ]
            included = (await client.get("/visas/1?include=passport.student")).json()
            replaced = await client.put("/passports/2", json={"number": "X9"})
            removed = [await client.delete(path) for path in ("/visas/1", "/passports/2", "/students/2")]

    assert (made.status_code, made.headers["location"], visa.status_code) == (201, "/passports/2", 201)
    assert [each.status_code for each in wrong] == [422, 409, 409, 409, 409, 409]
    assert (student["passport"]["number"], student["passport"]["visas"][0]["country"]) == ("X1", "FR")
    assert without["passport"] is None
    assert lists == [["bob"], ["ann", "cid"], ["bob"], ["bob", "cid", "ann"]]
    assert included["passport"]["student"]["name"] == "bob"
    assert replaced.json()["number"] == "X9"
    assert [each.status_code for each in removed] == [204, 204, 204]
