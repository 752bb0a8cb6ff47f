"""Classes that are stored in a table of their own and in that of the class above."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing import RecordingEventBus
from tests.e2e.serving import client_of
from tests.e2e.stores import SQL_STORES, empty_store


def _told_by_kind(kind: str, **options: str) -> dict[str, str]:
    return {"polymorphic_identity": kind, **options}


KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Base(DeclarativeBase):
    """The classes below."""


class Company(Base):
    """Where people are employed."""

    __tablename__ = "companies"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20), unique=True)
    employees: Mapped[list["Employee"]] = relationship(
        back_populates="company", order_by="Employee.salary.desc()"
    )


class Person(Base):
    """Anybody."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    name: Mapped[str] = mapped_column(sa.String(20))
    email: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    addresses: Mapped[list["Address"]] = relationship(back_populates="person")
    __mapper_args__ = _told_by_kind("person", polymorphic_on="kind")


class Employee(Person):
    """With a table of its own, whose key has another name."""

    __tablename__ = "employees"
    employee_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    salary: Mapped[int]
    badge: Mapped[str | None] = mapped_column(sa.String(10), unique=True)
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"))
    company: Mapped[Company | None] = relationship(back_populates="employees")
    laptops: Mapped[list["Laptop"]] = relationship(back_populates="employee")
    __mapper_args__ = _told_by_kind("employee")


class Manager(Employee):
    """With a third table."""

    __tablename__ = "managers"
    employee_id: Mapped[int] = mapped_column(sa.ForeignKey("employees.employee_id"), primary_key=True)
    grade: Mapped[str] = mapped_column(sa.String(5), default="A")
    __mapper_args__ = _told_by_kind("manager")


class Intern(Employee):
    """In the table of employees."""

    school: Mapped[str | None] = mapped_column(sa.String(20))
    __mapper_args__ = _told_by_kind("intern")


class Address(Base):
    """Of anybody."""

    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(primary_key=True)
    street: Mapped[str] = mapped_column(sa.String(20))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    person: Mapped[Person] = relationship(back_populates="addresses")


class Laptop(Base):
    """Of an employee."""

    __tablename__ = "laptops"
    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(sa.ForeignKey("employees.employee_id"))
    employee: Mapped[Employee] = relationship(back_populates="laptops")


EVERY: dict[str, Any] = {
    "companies": Company,
    "people": Person,
    "employees": Employee,
    "managers": Manager,
    "interns": Intern,
    "addresses": Address,
    "laptops": Laptop,
}


def _shop(url: str, policy: str = "auto", **declared: Any) -> Any:
    container: Any = type("Shop", (Container,), declared)
    chosen = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    return create_app(container(settings=Settings(databases={"default": chosen})))


@asynccontextmanager
async def _serving(store: str, folder: Path, **options: Any) -> AsyncIterator[Any]:
    given: dict[str, Any] = {
        name: {"version": "version"} | options.get(name, {}) if issubclass(entity, Person) else {}
        for name, entity in EVERY.items()
    }
    declared: dict[str, Any] = {name: resource(entity, **given[name]) for name, entity in EVERY.items()}
    with empty_store(store, folder) as url:
        async with client_of(_shop(url, **declared)) as client:
            yield client


async def _made(client: Any, path: str, **values: Any) -> Any:
    made = await client.post(path, json=values)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize("store", SQL_STORES)
async def test_entities_are_written_to_every_table_of_their_class(store: str, tmp_path: Path) -> None:
    async with _serving(store, tmp_path) as client:
        await _made(client, "/people", name="p")
        employee = await _made(client, "/employees", name="e", salary=10)
        manager = await _made(client, "/managers", name="m", salary=20, email="m@x.y")
        intern = await _made(client, "/interns", name="i", salary=1, school="s")
        lists = {
            path: [each["id"] for each in (await client.get(path)).json()["items"]]
            for path in ("/people", "/employees", "/managers", "/interns", "/people?kind=manager")
        }
        changed = [
            (await client.patch("/managers/3", json=values)).json()
            for values in ({"name": "n"}, {"salary": 21}, {"grade": "B", "email": None})
        ]
        replaced = await client.put("/employees/2", json={"name": "f", "salary": 11})
        seen = (await client.get("/people/3")).json()
        stale = await client.patch("/managers/3", json={"grade": "C"}, headers={"If-Match": '"2"'})
        removed = [(await client.delete(path)).status_code for path in ("/managers/3", "/people/2")]
        left = [(await client.get(f"{path}/count")).json()["count"] for path in ("/people", "/employees")]

    assert employee == {
        "id": 2,
        "kind": "employee",
        "name": "e",
        "email": None,
        "version": 1,
        "salary": 10,
        "badge": None,
        "company_id": None,
    }
    assert (manager["kind"], manager["grade"], intern["kind"], intern["school"]) == (
        "manager",
        "A",
        "intern",
        "s",
    )
    assert lists == {
        "/people": [1, 2, 3, 4],
        "/employees": [2, 3, 4],
        "/managers": [3],
        "/interns": [4],
        "/people?kind=manager": [3],
    }
    assert [each["version"] for each in changed] == [2, 3, 4]
    assert changed[-1] == manager | {
        "name": "n",
        "salary": 21,
        "grade": "B",
        "email": None,
        "version": 4,
    }
    assert (replaced.json()["name"], replaced.json()["salary"], replaced.json()["version"]) == ("f", 11, 2)
    assert seen == {"id": 3, "kind": "manager", "name": "n", "email": None, "version": 4}
    assert stale.status_code == 412
    assert (removed, left) == ([204, 204], [2, 1])


@pytest.mark.parametrize("store", SQL_STORES)
async def test_queries_and_relations_are_about_fields_of_every_table(store: str, tmp_path: Path) -> None:
    async with _serving(store, tmp_path) as client:
        for name in ("Acme", "Bolt"):
            await _made(client, "/companies", name=name)
        for number, salary in enumerate((30, 10, 20), start=1):
            await _made(
                client, "/employees", name=f"e{number}", salary=salary, company_id=1, email=f"{number}@x.y"
            )
        await _made(client, "/managers", name="e0", salary=99, grade="B", company_id=2)
        await _made(client, "/addresses", street="Elm", person_id=4)
        await _made(client, "/laptops", employee_id=4)
        await _made(client, "/laptops", employee_id=2)

        async def ids(path: str) -> list[int]:
            found = await client.get(path)
            assert found.status_code == 200, found.text
            return [each["id"] for each in found.json()["items"]]

        async def walked(path: str) -> list[int]:
            first = (await client.get(f"{path}&limit=2")).json()
            rest = (await client.get(f"{path}&limit=2&cursor={first['next_cursor']}")).json()
            return [each["id"] for each in (*first["items"], *rest["items"])]

        found = {
            path: await ids(path)
            for path in (
                "/employees?name=e2&salary=10",
                "/employees?sort=-salary,name",
                "/managers?salary__gte=99&grade=B&name=e0",
                "/employees?company.name=Bolt",
                "/employees?addresses.street=Elm",
                "/companies?employees.name=e3&employees.salary=20",
                "/laptops?employee.name=e0",
                "/laptops?sort=employee.name",
                "/laptops?sort=-employee.salary",
                "/addresses?person.name=e0",
                "/employees?sort=-company.name,salary",
            )
        }
        walks = [await walked("/employees?sort=-name"), await walked("/employees?sort=salary&count=exact")]
        included = (await client.get("/companies/1?include=employees")).json()["employees"]
        both = (await client.get("/managers/4?include=company,laptops,addresses")).json()
        laptop = (await client.get("/laptops/1?include=employee")).json()["employee"]
        sums = (await client.get("/employees/aggregate?total=sum:salary&group_by=kind")).json()
        projected = (await client.get("/managers?fields=name,grade")).json()["items"]
        exported = (
            await client.get("/managers/export", headers={"Accept": "application/x-ndjson"})
        ).text.splitlines()

    assert found == {
        "/employees?name=e2&salary=10": [2],
        "/employees?sort=-salary,name": [4, 1, 3, 2],
        "/managers?salary__gte=99&grade=B&name=e0": [4],
        "/employees?company.name=Bolt": [4],
        "/employees?addresses.street=Elm": [4],
        "/companies?employees.name=e3&employees.salary=20": [1],
        "/laptops?employee.name=e0": [1],
        "/laptops?sort=employee.name": [1, 2],
        "/laptops?sort=-employee.salary": [1, 2],
        "/addresses?person.name=e0": [1],
        "/employees?sort=-company.name,salary": [4, 2, 3, 1],
    }
    assert walks == [[3, 2, 1, 4], [2, 3, 1, 4]]
    assert [each["id"] for each in included] == [1, 3, 2]
    assert (both["company"]["name"], both["laptops"][0]["id"], both["addresses"][0]["street"]) == (
        "Bolt",
        1,
        "Elm",
    )
    assert (laptop["name"], laptop["salary"]) == ("e0", 99)
    assert sums == {
        "items": [
            {"by": {"kind": "employee"}, "totals": {"sum:salary": 60}},
            {"by": {"kind": "manager"}, "totals": {"sum:salary": 99}},
        ],
        "next_offset": None,
    }
    assert projected == [{"name": "e0", "grade": "B"}]
    assert [json.loads(each)["grade"] for each in exported] == ["B"]


@pytest.mark.parametrize("store", SQL_STORES)
async def test_many_entities_are_written_at_once(store: str, tmp_path: Path) -> None:
    def where(values: dict[str, Any]) -> dict[str, Any]:
        return {"update": {"where": {"salary__gte": 2}, "set": values}}

    async with _serving(store, tmp_path, managers={"upsert": ["email"]}) as client:

        async def bulk(path: str, *items: dict[str, Any]) -> Any:
            answer = await client.post(f"/{path}/bulk", json={"items": items})
            return [each.get("affected", each["status"]) for each in answer.json()["results"]]

        async def rows(path: str) -> list[tuple[Any, ...]]:
            found = (await client.get(f"{path}?sort=id")).json()["items"]
            return [(each["name"], each["version"], each.get("salary"), each.get("grade")) for each in found]

        created = await bulk(
            "managers", *({"create": {"name": f"m{n}", "salary": n, "email": f"{n}@x"}} for n in range(4))
        )
        upserted = [
            (
                await client.post("/managers/upsert", json={"name": name, "salary": 7, "email": email})
            ).status_code
            for name, email in (("new", "9@x"), ("old", "0@x"))
        ]
        # What is changed is in all three tables, and no longer satisfies the condition once the second is written.
        changed = await bulk("managers", where({"name": "z", "salary": 0, "grade": "C"}))
        after = await rows("/managers")
        taken = await bulk(
            "managers",
            {"create": {"name": "x", "salary": 1}},
            {"update": {"key": 1, "set": {"email": "1@x"}}},
        )
        imported = await client.post(
            "/managers/import",
            content='{"id": 50, "name": "i", "salary": 5, "version": 3}\n{"id": 51, "name": "j", "salary": 6}\n',
            headers={"content-type": "application/x-ndjson"},
        )
        next_one = await _made(client, "/managers", name="k", salary=0)
        removed = await bulk("managers", {"delete": {"where": {"name": "z"}}}, {"delete": {"key": 50}})
        from_above = await bulk("people", {"delete": {"where": {"name": "j"}}})
        left = [await rows("/managers"), await rows("/people")]

    assert created == [201] * 4
    assert upserted == [201, 200]
    assert changed == [4]
    assert after == [
        ("z", 3, 0, "C"),
        ("m1", 1, 1, "A"),
        ("z", 2, 0, "C"),
        ("z", 2, 0, "C"),
        ("z", 2, 0, "C"),
    ]
    assert taken == [424, 409]
    assert (imported.status_code, imported.json()["created"], next_one["id"]) == (200, 2, 52)
    assert (removed, from_above) == ([4, 204], [1])
    assert left == [
        [("m1", 1, 1, "A"), ("k", 1, 0, "A")],
        [("m1", 1, None, None), ("k", 1, None, None)],
    ]


@pytest.mark.parametrize("store", SQL_STORES)
async def test_a_refusal_leaves_no_table_changed_and_names_the_field(store: str, tmp_path: Path) -> None:
    async with _serving(store, tmp_path) as client:
        await _made(client, "/employees", name="a", salary=1, email="a@x", badge="1")
        await _made(client, "/managers", name="b", salary=1, email="b@x", badge="2")
        await _made(client, "/laptops", employee_id=2)
        wrong = [
            await client.post("/managers", json={"name": "c", "salary": 1, "email": "a@x"}),
            await client.post("/managers", json={"name": "c", "salary": 1, "badge": "1"}),
            await client.post("/managers", json={"name": "c", "salary": 1, "company_id": 9}),
            await client.patch("/managers/2", json={"name": "c", "grade": "Z", "badge": "1"}),
            await client.patch("/managers/2", json={"name": "c", "company_id": 9}),
            await client.post("/managers", json={"name": "c"}),
            await client.post("/managers", json={"name": "c", "salary": 1, "kind": "person"}),
            await client.delete("/managers/2"),
            await client.delete("/people/2"),
            await client.get("/managers/1"),
            await client.delete("/managers/1"),
        ]
        told = [(each.status_code, each.json()["code"]) for each in wrong]
        fields = [[fault["pointer"] for fault in each.json().get("errors", ())] for each in wrong[:5]]
        left = (await client.get("/people?sort=id")).json()["items"]
        managers = (await client.get("/managers")).json()["items"]

    assert told == [
        (409, "already_exists"),
        (409, "already_exists"),
        (409, "reference_broken"),
        (409, "already_exists"),
        (409, "reference_broken"),
        (422, "invalid"),
        (422, "invalid"),
        (409, "reference_broken"),
        (409, "reference_broken"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert fields == [["/email"], ["/badge"], ["/company_id"], ["/badge"], ["/company_id"]]
    assert [(each["name"], each["version"]) for each in left] == [("a", 1), ("b", 1)]
    assert [each["grade"] for each in managers] == ["A"]


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
async def test_a_change_in_several_tables_is_one_change(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        container: Any = type(
            "Shop", (Container,), {"managers": resource(Manager, version="version", events=True, audit=True)}
        )
        shop = container(settings=Settings(databases={"default": {"url": url}}, audit={"keys": {"k": KEY}}))
        bus = RecordingEventBus()
        shop.event_bus.override(bus)
        async with client_of(create_app(shop)) as client:
            await _made(client, "/managers", name="m", salary=1)
            await client.patch("/managers/1", json={"name": "n", "grade": "B"})
            history = (await client.get("/managers/1/history")).json()["items"]
            await client.delete("/managers/1")

    assert [each.name for each in bus.events] == ["managers.created", "managers.updated", "managers.deleted"]
    assert [each["changes"] for each in history[:-1]] == [
        {"name": ["m", "n"], "version": [1, 2], "grade": ["A", "B"]}
    ]
