"""Imports that restore entities: with the keys, versions and marks of deletion they had, for those who may."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from returns.result import Failure
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from fastapi_easy.application import CreateStored, ImportReport
from fastapi_easy.application.resources.streams.import_entities import CHUNK
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.errors import (
    AlreadyExists,
    BadQuery,
    DeclarationError,
    Error,
    Fault,
    Forbidden,
    Invalid,
    ReferenceBroken,
)
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Fields, Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import Json
from fastapi_easy.testing import in_memory
from tests.unit.application.library import Shelf

GONE = datetime.datetime(2026, 11, 30, 9, 30, 0, 123456, tzinfo=datetime.UTC)
BOOK: dict[str, Any] = {
    "id": 41,
    "isbn": "a",
    "title": "Emma",
    "author_id": None,
    "copies": 3,
    "version": 7,
    "deleted_at": None,
}
NEW = {"isbn": "n", "title": "Persuasion"}


class Grants:
    """Implements `Policy`: grants by the name of the action, all of an entity unless named here."""

    def __init__(self, **grants: Grant | None) -> None:
        self._grants = grants

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> "Grants":
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return self._grants.get(action, Grant())


async def imported(books: Any, *lines: Mapping[str, Any], **options: Any) -> ImportReport:
    report: ImportReport = (await books.import_(lines, **options)).unwrap()
    return report


def errors(report: ImportReport) -> list[Error]:
    return [error for _, error in report.failed]


async def exported(books: Any) -> list[dict[str, Any]]:
    stream = (await books.export()).unwrap()
    return [dict(row) async for rows in stream for row in rows]


async def test_what_is_exported_is_imported_as_it_was() -> None:
    shelf, other = Shelf(), Shelf()
    for isbn in "abc":
        _ = await shelf.kernel.books.create(isbn=isbn, title=isbn)
    _ = await shelf.kernel.books.update(3, copies=9)
    _ = await shelf.kernel.books.delete(1)
    rows = await exported(shelf.kernel.books)

    report = await imported(other.kernel.books, *rows)

    assert (report.created, report.failed) == (2, [])
    assert await exported(other.kernel.books) == rows
    assert [(row["id"], row["version"]) for row in rows] == [(2, 1), (3, 2)]
    assert (await other.kernel.books.create(NEW)).unwrap().id == 4


@pytest.mark.parametrize(
    ("mode", "line", "outcome"),
    [
        pytest.param("auto", BOOK, 41, id="auto restores a line with a key"),
        pytest.param("auto", NEW, 1, id="auto creates from a line without one"),
        pytest.param("auto", {**NEW, "id": None}, 1, id="a key of null is none"),
        pytest.param("auto", {**NEW, "version": 5}, 1, id="auto restores a version alone"),
        pytest.param("create", BOOK, ["/id", "/version", "/deleted_at"], id="create takes no key"),
        pytest.param("create", NEW, 1, id="create creates"),
        pytest.param("restore", BOOK, 41, id="restore restores"),
        pytest.param("restore", NEW, ["/id"], id="restore needs the key"),
        pytest.param(
            "restore", {**BOOK, "id": "x", "copies": "y"}, ["/copies", "/id"], id="both parts are read"
        ),
        pytest.param("restore", {**BOOK, "shelf": 1}, ["/shelf"], id="there are no other fields"),
        pytest.param("restore", {**BOOK, "deleted_at": GONE}, 41, id="a mark of deletion"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
async def test_the_mode_says_what_a_line_may_set(
    mode: str, line: dict[str, Any], outcome: int | list[str], as_json: bool
) -> None:
    shelf = Shelf()
    given = line
    if as_json:
        given = {name: value.isoformat() if value is GONE else value for name, value in line.items()}

    report = await imported(shelf.kernel.books, Json(given) if as_json else given, mode=mode)

    if isinstance(outcome, list):
        (error,) = errors(report)
        assert isinstance(error, Invalid)
        assert [fault.pointer for fault in error.faults] == outcome
    else:
        assert (report.created, shelf.published()) == (1, [f"books.created {outcome}"])


async def test_a_restored_mark_of_deletion_is_kept_and_can_be_removed() -> None:
    shelf = Shelf()

    _ = await imported(shelf.kernel.books, {**BOOK, "deleted_at": GONE})
    hidden = (await shelf.kernel.books.count()).unwrap()
    back = (await shelf.kernel.books.restore(41)).unwrap()

    assert (hidden, back.version) == (0, 8)


async def test_a_key_that_is_taken_fails_its_line_alone() -> None:
    shelf = Shelf()

    report = await imported(shelf.kernel.books, BOOK, {**BOOK, "isbn": "b"}, {**BOOK, "id": 2, "isbn": "c"})

    assert (report.created, report.failed) == (2, [(2, AlreadyExists("books", ("id",)))])


async def test_restoring_needs_a_permission_of_its_own() -> None:
    shelf = Shelf(policy=Grants(restore_import=None))

    mixed = await imported(shelf.kernel.books, BOOK, NEW)
    refused = await shelf.kernel.books.import_([BOOK], mode="restore")
    created = await imported(shelf.kernel.books, {"isbn": "z", "title": "z"}, mode="create")

    assert (mixed.created, errors(mixed)) == (1, [Forbidden("books", RESTORE_IMPORT)])
    assert refused == Failure(Forbidden("books", RESTORE_IMPORT))
    assert created.created == 1


async def test_who_may_restore_need_not_be_allowed_to_create() -> None:
    shelf = Shelf(policy=Grants(create=None))

    report = await imported(shelf.kernel.books, BOOK, NEW)

    assert (report.created, errors(report)) == (1, [Forbidden("books", "create")])


async def test_a_grant_narrows_what_is_restored_and_stamps_it() -> None:
    fields = frozenset({"id", "isbn", "title", "copies"})
    grant = Grant(writable=fields, stamps={"copies": 99})
    shelf = Shelf(policy=Grants(restore_import=grant))

    report = await imported(shelf.kernel.books, BOOK, {name: BOOK[name] for name in fields})

    assert errors(report) == [Forbidden("books", RESTORE_IMPORT, "author_id")]
    assert (await shelf.kernel.books.get(41)).unwrap().copies == 99


@pytest.mark.parametrize("deleted_at", [None, GONE])
async def test_nobody_restores_what_they_could_not_see(deleted_at: datetime.datetime | None) -> None:
    few = Grant(rows=Where("copies", Operator.LESS, 5))
    shelf = Shelf(policy=Grants(**dict.fromkeys(("import", "get", "list", RESTORE_IMPORT), few)))
    line = {**BOOK, "deleted_at": deleted_at}

    report = await imported(shelf.kernel.books, {**line, "copies": 6}, {**line, "id": 2, "isbn": "b"})

    assert (report.created, errors(report)) == (1, [Forbidden("books", RESTORE_IMPORT)])


async def test_an_import_restores_or_upserts() -> None:
    shelf = Shelf()

    both = await shelf.kernel.books.import_([BOOK], mode="restore", upsert=True)
    upsert = await imported(shelf.kernel.books, BOOK, upsert=True)

    assert isinstance(both, Failure)
    assert isinstance(both.failure(), BadQuery)
    assert isinstance(errors(upsert)[0], Invalid)


async def test_a_bulk_in_python_restores_all_or_none() -> None:
    shelf = Shelf()

    done = (await shelf.kernel.books.bulk([CreateStored(BOOK), CreateStored({**BOOK, "id": 2})])).unwrap()
    again = (
        await shelf.kernel.books.bulk([CreateStored(BOOK), CreateStored({**BOOK, "id": 2, "isbn": "b"})])
    ).unwrap()

    assert not done.applied
    assert [outcome.unwrap().id for outcome in again.outcomes] == [41, 2]


@dataclass(kw_only=True)
class User:
    """Has a field that callers read, and one that nobody does."""

    id: int | None = None
    name: str
    is_admin: bool = False
    token: str | None = None


@dataclass(kw_only=True)
class Secretive:
    """Cannot be made without what no export shows."""

    id: int | None = None
    name: str
    password: str


READ_ONLY = Fields(write=["name"], hidden=["token"])
ADMIN = {"id": 5, "name": "ada", "is_admin": True}


def users_with(fields: Fields, policy: Policy | None = None) -> Any:
    class Office(Container):
        users = resource(User, fields=fields)

    return in_memory(Office, policy=policy).kernel().users


async def test_read_only_fields_are_restored_only_where_somebody_has_allowed_it() -> None:
    message = (
        "Is read-only: an import restores it if a policy grants 'restore_import', or fields.restore names it"
    )

    refused = await imported(users_with(READ_ONLY), ADMIN)
    allowed = users_with(Fields(write=["name"], hidden=["token"], restore=["is_admin"]))
    granted = users_with(READ_ONLY, Grants())

    assert errors(refused) == [Invalid((Fault("/is_admin", message, "read_only"),))]
    for users in (allowed, granted):
        assert (await imported(users, ADMIN)).failed == []
        assert await exported(users) == [ADMIN]


async def test_hidden_fields_are_never_restored() -> None:
    report = await imported(users_with(READ_ONLY, Grants()), {"id": 5, "name": "ada", "token": "t"})

    (error,) = errors(report)
    assert isinstance(error, Invalid)
    assert [fault.pointer for fault in error.faults] == ["/token"]


async def test_entities_that_need_what_no_export_shows_cannot_be_restored() -> None:
    class Office(Container):
        users = resource(
            Secretive, fields=Fields(hidden=["password"]), operations=[Operation.EXPORT, Operation.IMPORT]
        )

    users = in_memory(Office).kernel().users
    line = {"id": 1, "name": "ada"}

    told = await users.import_([line], mode="restore")
    report = await imported(users, line)

    assert isinstance(told, Failure)
    assert [fault.code for fault in told.failure().faults] == ["hidden_field"]
    assert errors(report) == [told.failure()]


def test_only_read_only_fields_are_named_as_restored() -> None:
    with pytest.raises(DeclarationError, match=r"fields\.restore names 'name'"):
        _ = users_with(Fields(write=["name"], restore=["name"]))


class Table(MappedAsDataclass, DeclarativeBase):
    pass


class Employee(Table):
    """Reports to another one, or to nobody."""

    __tablename__ = "employees"
    id: Mapped[int] = mapped_column(primary_key=True)
    reports_to: Mapped[int | None] = mapped_column(ForeignKey("employees.id"))


class Category(Table):
    """Has a key that callers choose."""

    __tablename__ = "categories"
    code: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str | None] = mapped_column(ForeignKey("categories.code"))


class Firm(Container):
    employees = resource(Employee)
    categories = resource(Category)


def employees(pairs: Sequence[tuple[int, int | None]]) -> list[dict[str, Any]]:
    return [{"id": key, "reports_to": other} for key, other in pairs]


@pytest.mark.parametrize(
    ("pairs", "missing"),
    [
        pytest.param([(1, 2), (2, 3), (3, None)], [], id="the last one first"),
        pytest.param([(1, 1), (2, 1)], [], id="to itself"),
        pytest.param([(1, 2), (2, 1)], [], id="in a cycle"),
        pytest.param([(1, 9), (2, None), (3, 1)], [1, 3], id="to none, and to that one"),
        pytest.param([(n, n + 1) for n in range(1, 3 * CHUNK)] + [(3 * CHUNK, None)], [], id="across chunks"),
        pytest.param(
            [(1, CHUNK + 7), *((n, None) for n in range(2, CHUNK + 9))], [], id="once to a line far below"
        ),
    ],
)
async def test_a_line_may_refer_to_a_later_one(
    pairs: list[tuple[int, int | None]], missing: list[int]
) -> None:
    firm = in_memory(Firm).kernel()

    report = await imported(firm.employees, *employees(pairs), max_failures=1000)

    assert report.failed == [(line, ReferenceBroken("employees", ("reports_to",))) for line in missing]
    assert (report.created, report.next_line) == (len(pairs) - len(missing), len(pairs) + 1)


async def test_lines_that_create_may_refer_to_later_ones_too() -> None:
    firm = in_memory(Firm).kernel()

    report = await imported(
        firm.categories, {"code": "a", "parent": "b"}, {"code": "b", "parent": None}, mode="create"
    )

    assert (report.created, report.failed) == (2, [])


async def test_a_line_that_waits_is_reported_when_the_import_stops_before() -> None:
    firm = in_memory(Firm).kernel()
    lines: list[dict[str, Any]] = [*employees([(1, CHUNK + 2)]), *({"id": "x"} for _ in range(2 * CHUNK))]

    report = await imported(firm.employees, *lines, max_failures=3)

    assert report.too_many_failures
    assert report.failed[0] == (1, ReferenceBroken("employees", ("reports_to",)))
    assert report.next_line == CHUNK + 1


@dataclass
class RestoreImport:
    """An action that is called like the permission."""

    action_name: ClassVar[str] = RESTORE_IMPORT

    async def perform(self, key: Any, work: Any, context: Any) -> Any:
        """Do nothing."""


def test_no_action_is_called_like_the_permission() -> None:
    class Office(Container):
        users = resource(User, actions=[RestoreImport])

    with pytest.raises(DeclarationError, match="has the name of a permission of imports"):
        _ = in_memory(Office).kernel()
