"""The school as classes of each kind: with association tables, and with lists of keys."""

import datetime
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ARRAY, DateTime, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry, relationship
from sqlmodel import Field, Relationship, SQLModel
from tortoise import Model, fields


@dataclass(kw_only=True)
class Student:
    id: int | None = None
    name: str
    deleted_at: datetime.datetime | None = None


@dataclass(kw_only=True)
class Course:
    id: int | None = None
    title: str
    hours: int | None = None
    student_ids: list[int] | None = None


DATACLASSES: dict[str, type[Any]] = {"students": Student, "courses": Course}


class StudentModel(BaseModel):
    id: int | None = None
    name: str
    deleted_at: datetime.datetime | None = None


class CourseModel(BaseModel):
    id: int | None = None
    title: str
    hours: int | None = None
    student_ids: list[int] = []


MODELS: dict[str, type[Any]] = {"students": StudentModel, "courses": CourseModel}


class Base(DeclarativeBase): ...


class MappedStudent(Base):
    __tablename__ = "school_students"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    courses: Mapped[list["MappedCourse"]] = relationship(
        secondary="school_enrolments", back_populates="students"
    )


class MappedCourse(Base):
    __tablename__ = "school_courses"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(64))
    hours: Mapped[int | None]
    students: Mapped[list[MappedStudent]] = relationship(
        secondary="school_enrolments", back_populates="courses"
    )


class MappedEnrolment(Base):
    """Its columns are called otherwise than its attributes."""

    __tablename__ = "school_enrolments"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column("course", ForeignKey("school_courses.id", ondelete="CASCADE"))
    student_id: Mapped[int] = mapped_column("student", ForeignKey("school_students.id", ondelete="CASCADE"))
    deleted_at: Mapped[datetime.datetime | None] = mapped_column("gone", DateTime(timezone=True))


SQLALCHEMY: dict[str, type[Any]] = {
    "students": MappedStudent,
    "courses": MappedCourse,
    "enrolments": MappedEnrolment,
}


class OtherBase(DeclarativeBase): ...


class ListedStudent(OtherBase):
    __tablename__ = "listed_students"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))


class ListingCourse(OtherBase):
    __tablename__ = "listing_courses"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(64))
    hours: Mapped[int | None]
    student_ids: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))


WITH_LISTS: dict[str, type[Any]] = {"students": ListedStudent, "courses": ListingCourse}


class School(SQLModel, registry=registry()):
    """Of a registry apart, as those of other suites."""


class Enrolment(School, table=True):
    __tablename__ = "sqlmodel_enrolments"
    id: int | None = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="sqlmodel_courses.id", ondelete="CASCADE")
    student_id: int = Field(foreign_key="sqlmodel_students.id", ondelete="CASCADE")
    deleted_at: datetime.datetime | None = None


class SqlStudent(School, table=True):
    __tablename__ = "sqlmodel_students"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)
    deleted_at: datetime.datetime | None = None
    courses: list["SqlCourse"] = Relationship(link_model=Enrolment, back_populates="students")


class SqlCourse(School, table=True):
    __tablename__ = "sqlmodel_courses"
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=64)
    hours: int | None = None
    students: list[SqlStudent] = Relationship(link_model=Enrolment, back_populates="courses")


SQLMODEL: dict[str, type[Any]] = {"students": SqlStudent, "courses": SqlCourse, "enrolments": Enrolment}


def tortoise_school(label: str) -> dict[str, type[Any]]:
    """Models whose association table is that of a model, in tables and an app that are called after *label*."""

    class Student(Model):
        id = fields.IntField(primary_key=True)
        name = fields.CharField(max_length=64)
        deleted_at = fields.DatetimeField(null=True)

        class Meta:
            app = label
            table = f"{label}_students"

    class Course(Model):
        id = fields.IntField(primary_key=True)
        title = fields.CharField(max_length=64)
        hours = fields.IntField(null=True)
        students: Any = fields.ManyToManyField(
            f"{label}.Student",
            through=f"{label}_enrolments",
            related_name="courses",
            backward_key="course_id",
            forward_key="student_id",
        )

        class Meta:
            app = label
            table = f"{label}_courses"

    class Enrolment(Model):
        id = fields.IntField(primary_key=True)
        course: Any = fields.ForeignKeyField(f"{label}.Course", related_name="enrolments")
        student: Any = fields.ForeignKeyField(f"{label}.Student", related_name="enrolments")
        deleted_at = fields.DatetimeField(null=True)

        class Meta:
            app = label
            table = f"{label}_enrolments"

    return {"students": Student, "courses": Course, "enrolments": Enrolment}
