"""The conformance suite of many-to-many relations: through association tables, or by lists of keys.

```python
class TestMyStore(ManyToManyConformance):
    @pytest_asyncio.fixture(scope="class")
    async def store(self) -> AsyncIterator[Store]:
        async with store_of(TECHNOLOGY, URL, shapes=SCHOOL) as store:
            yield store
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from returns.result import Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, Everything, Not, Operator, Specification, Where
from fastapi_easy.testing.conformance.reads.relation_paths import SpecificationFactory, related_to
from fastapi_easy.testing.conformance.sample_data import NOON
from fastapi_easy.testing.conformance.store import AnyRepository, Store, Suite, value_of

ALL: Final = PageRequest(limit=100, count=Count.EXACT)

HOURS: Final[Mapping[str, int | None]] = {"art": 2, "biology": 4, "chess": 4, "drama": None}
"""Of the courses."""

ATTENDING: Final[Mapping[str, str]] = {"art": "Ann Ben", "biology": "Ben Cleo Ann", "chess": "Ben"}
"""Who attends a course; nobody attends drama, and Dan attends none."""

NAMES: Final = ("Ann", "Ben", "Cleo", "Dan")


@dataclass(frozen=True, slots=True)
class School:
    """The sample data, with the keys that the store generated.

    Attributes:
        students: By name.

        courses: By title.
    """

    students: Mapping[str, int]
    courses: Mapping[str, int]

    def of(self, names: str) -> list[int]:
        """Return the keys of the students *names*, separated by spaces."""
        return [self.students[name] for name in names.split()]


async def add_school(store: Store) -> School:
    """Add every student and course of this module, and link them."""
    students = value_of(await store.repositories["students"]().add_all([{"name": each} for each in NAMES]))
    courses = value_of(
        await store.repositories["courses"]().add_all(
            [{"title": title, "hours": hours} for title, hours in HOURS.items()]
        )
    )
    school = School({row.name: row.id for row in students}, {row.title: row.id for row in courses})
    for title, names in ATTENDING.items():
        await enrol(store, school.courses[title], school.of(names))
    return school


async def enrol(
    store: Store,
    course: int,
    students: Sequence[int],
    *,
    repositories: Mapping[str, AnyRepository] | None = None,
) -> None:
    """Let *students*, and nobody else, attend *course*, in whichever way the store links them.

    Args:
        store: The store under test.

        course: The key of the course.

        students: Their keys; one that is given twice is linked twice.

        repositories: Those of a unit of work, where the change is a part of one.
    """
    found = repositories or {name: make() for name, make in store.repositories.items()}
    if "enrolments" not in store.resources:
        _ = value_of(await found["courses"].update(course, Patch({"student_ids": list(students)})))
        return
    links = found["enrolments"]
    _ = value_of(await links.remove_where(Where("course_id", Operator.EQUALS, course), max_affected=100))
    if students:
        rows = [{"course_id": course, "student_id": each} for each in students]
        _ = value_of(await links.add_all(rows))


def _named(name: str) -> Where:
    return Where("name", Operator.EQUALS, name)


def _none_of(part: SpecificationFactory) -> SpecificationFactory:
    return lambda store: Not(part(store))


def _both(*parts: SpecificationFactory) -> SpecificationFactory:
    return lambda store: AllOf(tuple(part(store) for part in parts))


OF_COURSES: Final[Mapping[str, tuple[SpecificationFactory, str]]] = {
    "one of many": (related_to("courses.students", _named("Ann")), "art biology"),
    "each once": (related_to("courses.students", Where("name", Operator.CONTAINS, "n")), "art biology chess"),
    "anybody": (related_to("courses.students"), "art biology chess"),
    "nobody": (_none_of(related_to("courses.students")), "drama"),
    "not one of many": (_none_of(related_to("courses.students", _named("Ann"))), "chess drama"),
    "one of many that is another": (related_to("courses.students", Not(_named("Ben"))), "art biology"),
    "two of many": (
        _both(related_to("courses.students", _named("Ann")), related_to("courses.students", _named("Cleo"))),
        "biology",
    ),
    "one of many that is both": (related_to("courses.students", AllOf((_named("Ann"), _named("Cleo")))), ""),
    "there and back": (
        related_to("courses.students.courses", Where("title", Operator.EQUALS, "chess")),
        "art biology chess",
    ),
    "and a field": (
        _both(related_to("courses.students", _named("Ben")), lambda _: Where("hours", Operator.EQUALS, 4)),
        "biology chess",
    ),
}

OF_STUDENTS: Final[Mapping[str, tuple[SpecificationFactory, str]]] = {
    "each once": (related_to("students.courses", Where("hours", Operator.EQUALS, 4)), "Ann Ben Cleo"),
    "one of many": (related_to("students.courses", Where("title", Operator.EQUALS, "chess")), "Ben"),
    "none": (_none_of(related_to("students.courses")), "Dan"),
    "there and back": (related_to("students.courses.students", _named("Cleo")), "Ann Ben Cleo"),
}


class ManyToManyConformance(Suite):
    """Cases about relations of many to many, from both of their ends. Subclass, and override the fixture `store`."""

    async def test_filters_lead_along_them_from_both_ends(self, store: Store) -> None:
        _ = await add_school(store)
        cases = {"courses": OF_COURSES, "students": OF_STUDENTS}

        found = {
            (name, case): await _find(store, name, specification_of(store))
            for name, of in cases.items()
            for case, (specification_of, _) in of.items()
        }

        assert found == {
            (name, case): expected.split() for name, of in cases.items() for case, (_, expected) in of.items()
        }

    async def test_counts_pages_and_totals_know_each_entity_once(self, store: Store) -> None:
        _ = await add_school(store)
        courses, attended = store.repositories["courses"](), related_to("courses.students")(store)
        hours = Measure(Function.SUM, "hours")

        first = value_of(
            await courses.select(Query(specification=attended, page=PageRequest(limit=2, count=Count.EXACT)))
        )
        second = value_of(
            await courses.select(Query(specification=attended, page=PageRequest(limit=2, after=first.next)))
        )
        [group] = value_of(await courses.aggregate(Aggregation(specification=attended, measures=(hours,))))
        streamed = [
            row.title async for rows in courses.stream(Query(specification=attended), chunk=1) for row in rows
        ]

        assert ([row.title for row in first.items], first.total) == (["art", "biology"], 3)
        assert ([row.title for row in second.items], second.next) == (["chess"], None)
        assert group.totals == (10,)
        assert streamed == ["art", "biology", "chess"]

    async def test_selects_the_students_of_each_course_in_the_order_asked_for(self, store: Store) -> None:
        school = await add_school(store)
        asked = ("biology", "drama", "chess", "art")

        down = await _select_students(
            store, school, asked, Query(order=(Sort("name", Direction.DESCENDING),), page=ALL)
        )
        first = await _select_students(
            store, school, asked, Query(order=(Sort("name"),), page=PageRequest(limit=1), fields=("name",))
        )
        some = await _select_students(
            store, school, asked, Query(specification=Where("name", Operator.NOT_EQUALS, "Ben"), page=ALL)
        )

        assert _names(down) == [["Cleo", "Ben", "Ann"], [], ["Ben"], ["Ben", "Ann"]]
        assert first == [[{"name": "Ann"}], [], [{"name": "Ben"}], [{"name": "Ann"}]]
        assert _names(some) == [["Ann", "Cleo"], [], [], ["Ann"]]

    async def test_selects_the_courses_of_each_student_in_the_order_asked_for(self, store: Store) -> None:
        school = await add_school(store)
        sources = [(each,) for each in school.of("Ben Dan Cleo Ann")]
        courses, relation = store.repositories["courses"](), store.relation("students.courses")
        by_hours = (Sort("hours"), Sort("title", Direction.DESCENDING))

        every = value_of(await courses.select_each(relation, sources, Query(order=by_hours, page=ALL)))
        least = value_of(
            await courses.select_each(
                relation, sources, Query(order=by_hours, page=PageRequest(limit=1), fields=("title", "hours"))
            )
        )
        chess = value_of(
            await courses.select_each(
                relation, sources, Query(specification=Where("title", Operator.EQUALS, "chess"))
            )
        )

        assert [[row.title for row in rows] for rows in every] == [
            ["art", "chess", "biology"],
            [],
            ["biology"],
            ["art", "biology"],
        ]
        assert [list(rows) for rows in least] == [
            [{"title": "art", "hours": 2}],
            [],
            [{"title": "biology", "hours": 4}],
            [{"title": "art", "hours": 2}],
        ]
        assert [[row.title for row in rows] for rows in chess] == [["chess"], [], [], []]
        assert value_of(await courses.select_each(relation, [], Query())) == []

    async def test_what_is_linked_twice_is_there_once(self, store: Store) -> None:
        school = await add_school(store)
        await enrol(store, school.courses["drama"], school.of("Dan Dan"))
        relation = store.relation("students.courses")

        students = await _select_students(store, school, ["drama"], Query(page=ALL))
        courses = value_of(
            await store.repositories["courses"]().select_each(
                relation, [(school.students["Dan"],)], Query(page=ALL)
            )
        )

        assert _names(students) == [["Dan"]]
        assert [[row.title for row in rows] for rows in courses] == [["drama"]]
        assert await _find(store, "courses", related_to("courses.students", _named("Dan"))(store)) == [
            "drama"
        ]

    async def test_the_order_may_go_along_a_filter_of_the_same_relation(self, store: Store) -> None:
        school = await add_school(store)
        with_cleo = related_to("students.courses.students", _named("Cleo"))(store)

        found = await _select_students(
            store, school, ["art", "chess"], Query(specification=with_cleo, order=(Sort("name"),), page=ALL)
        )

        assert _names(found) == [["Ann", "Ben"], ["Ben"]]

    async def test_deleted_entities_are_not_reached(self, store: Store) -> None:
        school = await add_school(store)
        mark = Patch({"deleted_at": NOON})
        _ = value_of(await store.repositories["students"]().update(school.students["Ben"], mark))

        attended = await _find(store, "courses", related_to("courses.students")(store))
        beside = await _find(store, "students", related_to("students.courses.students", _named("Ben"))(store))

        assert attended == ["art", "biology"]
        assert beside == []

    async def test_deleted_links_lead_nowhere(self, store: Store) -> None:
        if "enrolments" not in store.resources:
            pytest.skip("the store has no association table")
        school = await add_school(store)
        of_cleo = Where("student_id", Operator.EQUALS, school.students["Cleo"])
        mark = Patch({"deleted_at": NOON})
        _ = value_of(await store.repositories["enrolments"]().update_where(of_cleo, mark, max_affected=1))

        found = await _select_students(store, school, ["biology"], Query(page=ALL))

        assert _names(found) == [["Ann", "Ben"]]
        assert await _find(store, "courses", related_to("courses.students", _named("Cleo"))(store)) == []
        assert await _find(store, "students", Not(related_to("students.courses")(store))) == ["Cleo", "Dan"]

    async def test_links_change_with_what_holds_them(self, store: Store) -> None:
        school = await add_school(store)
        await enrol(store, school.courses["art"], school.of("Dan"))
        await enrol(store, school.courses["chess"], [])

        attended = await _find(store, "students", related_to("students.courses")(store))
        found = await _select_students(store, school, ["art", "chess"], Query(page=ALL))

        assert attended == ["Ann", "Ben", "Cleo", "Dan"]
        assert _names(found) == [["Dan"], []]
        assert await _find(store, "courses", related_to("courses.students", _named("Ben"))(store)) == [
            "biology"
        ]

    async def test_a_unit_of_work_sees_the_links_it_has_made(self, store: Store) -> None:
        school = await add_school(store)
        to_dan = related_to("courses.students", _named("Dan"))(store)

        async with store.unit_of_work() as work:
            within = {name: work.repository(name) for name in store.resources}
            await enrol(store, school.courses["drama"], school.of("Dan Ann"), repositories=within)
            seen = await within["courses"].count(to_dan)
            relation = store.relation("courses.students")
            [source] = await _sources(within["courses"], relation.local, [school.courses["drama"]])
            [rows] = value_of(await within["students"].select_each(relation, [source], Query(page=ALL)))

        assert seen == Success(1)
        assert [row.name for row in rows] == ["Ann", "Dan"]
        assert await _find(store, "courses", to_dan) == []

    async def test_bulk_changes_are_filtered_along_them(self, store: Store) -> None:
        _ = await add_school(store)
        by_ann = related_to("courses.students", _named("Ann"))(store)
        idle = Not(related_to("students.courses")(store))

        changed = await store.repositories["courses"]().update_where(
            by_ann, Patch({"hours": 9}), max_affected=2
        )
        removed = await store.repositories["students"]().remove_where(idle, max_affected=1)

        rows = value_of(await store.repositories["courses"]().select(Query(page=ALL))).items
        assert (changed, removed) == (Success(2), Success(1))
        assert [row.hours for row in rows] == [9, 9, 4, None]
        assert await _find(store, "students", Everything()) == ["Ann", "Ben", "Cleo"]


async def _find(store: Store, name: str, specification: Specification) -> list[str]:
    """Return the names or titles of what *specification* means, after a look at the totals."""
    repository = store.repositories[name]()
    page = value_of(await repository.select(Query(specification=specification, page=ALL)))
    found = [row.name if name == "students" else row.title for row in page.items]
    assert page.total == len(found)
    assert await repository.count(specification) == Success(len(found))
    return found


async def _select_students(
    store: Store, school: School, courses: Sequence[str], query: Query
) -> list[list[Row]]:
    """Return the students of each of *courses*, by title."""
    relation = store.relation("courses.students")
    keys = [school.courses[title] for title in courses]
    sources = await _sources(store.repositories["courses"](), relation.local, keys)
    # What holds nothing is no source, and the same lists are one: as those do who include.
    asked = [source for source in dict.fromkeys(sources) if None not in source]
    found = value_of(await store.repositories["students"]().select_each(relation, asked, query))
    by_source = dict(zip(asked, found, strict=True))
    return [list(by_source.get(source, ())) for source in sources]


async def _sources(
    repository: AnyRepository, fields: Sequence[str], keys: Sequence[int]
) -> list[tuple[object, ...]]:
    """Return what a relation compares in the entities *keys*, as `select_each` takes it."""
    rows = [value_of(await repository.read(key, fields)) for key in keys]
    values = [[row[field] for field in fields] for row in rows]
    return [tuple(tuple(each) if isinstance(each, list) else each for each in held) for held in values]


def _names(found: list[list[Row]]) -> list[list[str]]:
    return [[row.name for row in rows] for rows in found]
