"""Shapes with a many-to-many relation: students attend courses.

A store without an association table keeps the keys of the students in a list of each course. Others have a third
class, of enrolments, and the relations lead through its table. Students are marked when they are deleted.
"""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.relation import to_listed, to_many
from fastapi_easy.domain.resources.resource import Shape

STUDENTS: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="name", kind=Kind.TEXT, max_length=64),
        Field(name="deleted_at", kind=Kind.DATETIME, nullable=True, generated=True),
    ),
    key=("id",),
    links={"courses": to_many("courses", by="student_ids")},
    table="students",
)
"""Leads to the courses whose list holds its key."""

COURSES: Final = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="title", kind=Kind.TEXT, max_length=64),
        Field(name="hours", kind=Kind.INTEGER, nullable=True),
        Field(name="student_ids", kind=Kind.ARRAY, item=Kind.INTEGER, nullable=True),
    ),
    key=("id",),
    links={"students": to_listed("students", by="student_ids")},
    table="courses",
)
"""Leads to the students whose keys it lists."""

SCHOOL: Final[Mapping[str, Shape]] = {"students": STUDENTS, "courses": COURSES}
"""By the name of the resource; stores with association tables have `enrolments` as well, and no list in a course."""

SCHOOL_OPTIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "students": {"soft_delete": "deleted_at"},
    "enrolments": {"soft_delete": "deleted_at"},
}
"""How those resources are declared that need more than their class, by name."""
