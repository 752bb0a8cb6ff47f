"""What one grant hides stays hidden whatever another grant of the same caller allows."""

import datetime
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application import (
    ApplyBulk,
    Context,
    CountEntities,
    DeleteEntity,
    DeleteWhere,
    ListEntities,
    ReplaceEntity,
    RestoreEntity,
    Update,
    UpdateEntity,
    UpdateWhere,
)
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    Everything,
    Forbidden,
    Grant,
    Include,
    NotFound,
    Operator,
    Patch,
    Principal,
    Query,
    ReferenceBroken,
    Related,
    Resource,
    Tenant,
    Where,
    to_many,
    to_one,
)
from fastapi_easy.testing import in_memory

ADA = Context(principal=Principal(id="ada"))
OWN = Grant(rows=Where("owner", Operator.EQUALS, "ada"))
ALL = Grant()


@dataclass
class Person:
    owner: str
    name: str
    salary: int = 1000
    manager_id: int | None = None
    deleted_at: datetime.datetime | None = None
    id: int | None = None


@dataclass
class Note:
    owner: str
    person_id: int | None = None
    text: str = ""
    id: int | None = None


class Office(Container):
    people = resource(
        Person,
        soft_delete="deleted_at",
        relations={"manager": to_one(Person, by="manager_id"), "notes": to_many(Note, by="person_id")},
    )
    notes = resource(Note, relations={"person": to_one(Person, by="person_id")})


class Table:
    """Implements `Policy`: grants by resource and action; any action that is not named gets that of `*`."""

    def __init__(self, **grants: Mapping[str, Grant | None]) -> None:
        self.grants = grants

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        grants = self.grants.get(resource.name, {"*": ALL})
        return grants[action] if action in grants else grants.get("*")


@pytest.fixture
async def office() -> AsyncIterator[Any]:
    made = in_memory(Office)
    async with open_kernel(made) as kernel:
        people, notes = kernel.people, kernel.notes
        for owner, name, manager in (("ada", "Ann", None), ("bob", "Ben", 1), ("ada", "Cid", 2)):
            _ = (await people.create(owner=owner, name=name, manager_id=manager)).unwrap()
        for owner, person in (("ada", 1), ("bob", 1), ("ada", 2)):
            _ = (await notes.create(owner=owner, person_id=person, text=owner)).unwrap()
        made.kernel_of_system = kernel
        yield made


def cases(office: Any, name: str) -> Any:
    return office.kernel_of_system.use_cases(name)


async def stored(office: Any, key: int) -> Any:
    return (await office.people.repository().read(key)).unwrap()


async def test_a_replace_keeps_what_its_caller_may_not_write(office: Any) -> None:
    _ = (await office.people.repository().update(1, Patch({"salary": 77}))).unwrap()
    limited = {"*": Grant(writable=frozenset({"name", "manager_id"}))}

    with office.policy.override(Table(people=limited)):
        replaced = await cases(office, "people").replace(ReplaceEntity(1, {"name": "Eve"}), ADA)
        given = await cases(office, "people").replace(ReplaceEntity(1, {"name": "Zed", "salary": 1}), ADA)

    assert (replaced.unwrap().name, replaced.unwrap().salary, replaced.unwrap().owner) == ("Eve", 77, "ada")
    assert given == Failure(Forbidden("people", "update", "salary"))
    assert (await stored(office, 1)).salary == 77


async def test_a_deleted_entity_of_the_callers_own_can_be_restored_and_no_other(office: Any) -> None:
    people = cases(office, "people")
    for key in (2, 3):
        _ = (await people.delete(DeleteEntity(key), Context())).unwrap()

    with office.policy.override(Table(people={"*": OWN})):
        own = await people.restore(RestoreEntity(3), ADA)
        hidden = await people.restore(RestoreEntity(2), ADA)
        missing = await people.restore(RestoreEntity(9), ADA)

    assert own.unwrap().name == "Cid"
    assert (hidden, missing) == (Failure(NotFound("people", 2)), Failure(NotFound("people", 9)))


async def test_an_include_leads_along_relations_to_what_the_caller_may_see_only(office: Any) -> None:
    # Cid's manager is Ben, whom the caller does not see.
    people, notes = cases(office, "people"), cases(office, "notes")
    _ = (await office.notes.repository().add({"owner": "ada", "person_id": 3, "text": "of Cid"})).unwrap()
    managed = Related(people.resource.relations["manager"], Everything())
    of_managed = Related(notes.resource.relations["person"], managed)
    include = Include(relation=people.resource.relations["notes"], query=Query(specification=of_managed))
    query = ListEntities(Query(includes=(include,)))

    with office.policy.override(Table(people={"*": OWN})):
        seen = (await people.list(query, ADA)).unwrap().items
    everything = (await people.list(query, Context())).unwrap().items

    assert [(row.name, row.notes) for row in seen] == [("Ann", []), ("Cid", [])]
    assert [len(row.notes) for row in everything] == [0, 1, 1]


@pytest.mark.parametrize("narrow", ["replace", "bulk"])
async def test_what_the_operation_itself_hides_is_not_found_by_its_writes(office: Any, narrow: str) -> None:
    people = cases(office, "people")
    with office.policy.override(Table(people={narrow: OWN, "*": ALL})):
        if narrow == "replace":
            outcome = await people.replace(ReplaceEntity(2, {"owner": "bob", "name": "Eve"}), ADA)
        else:
            items = [Update(2, Patch({"name": "Eve"}))]
            outcome = (await people.bulk(ApplyBulk(items), ADA)).unwrap().outcomes[0]

    assert outcome == Failure(NotFound("people", 2))
    assert (await stored(office, 2)).name == "Ben"


async def test_a_unit_of_work_changes_nothing_that_is_not_there_for_its_caller(office: Any) -> None:
    with office.policy.override(Table(people={"get": OWN, "*": ALL})):
        async with office.unit_of_work(ADA) as work:
            people = work.repository("people")
            changed = await people.update(2, Patch({"name": "Eve"}))
            touched = await people.update(2, Patch({}))
            removed = await people.remove(2)
            committed = await work.commit()

    assert changed == touched == removed == Failure(NotFound("people", 2))
    assert committed == Success(None)
    assert (await stored(office, 2)).name == "Ben"


async def test_a_change_of_many_touches_those_that_may_be_changed(office: Any) -> None:
    narrow = {"update": OWN, "delete": OWN, "*": ALL}
    managed = Where("manager_id", Operator.IS_NULL, False)
    with office.policy.override(Table(people=narrow)):
        bulk = cases(office, "people").bulk
        changed = (await bulk(ApplyBulk([UpdateWhere(managed, Patch({"name": "New"}), 9)]), ADA)).unwrap()
        removed = (await bulk(ApplyBulk([DeleteWhere(managed, 9)]), ADA)).unwrap()

    assert (list(changed.outcomes), list(removed.outcomes)) == ([Success(1)], [Success(1)])
    assert (await stored(office, 2)).name == "Ben"
    assert (await cases(office, "people").count(CountEntities(), Context())).unwrap() == 2


async def test_a_new_entity_refers_to_nothing_of_its_own_resource_that_is_hidden(office: Any) -> None:
    refused = Failure(ReferenceBroken("people", ("manager_id",)))
    with office.policy.override(Table(people={"get": OWN, "list": OWN, "*": ALL})):
        acting = office.kernel_of_system.acting_as(ADA.principal).people
        hidden = await acting.create(owner="ada", name="Eve", manager_id=2)
        missing = await acting.create(owner="ada", name="Eve", manager_id=404)
        moved = await acting.update(3, {"manager_id": 2})
        seen = await acting.create(owner="ada", name="Eve", manager_id=1)

    assert hidden == missing == moved == refused
    assert seen.unwrap().manager_id == 1


NO_MANAGERS = Grant(readable=frozenset({"owner", "name"}))


async def test_a_relation_tells_nothing_of_the_unreadable_fields_that_it_compares(office: Any) -> None:
    people = cases(office, "people")
    manager, notes = people.resource.relations["manager"], people.resource.relations["notes"]
    refused = Failure(Forbidden("people", "list", "manager_id"))
    included = ListEntities(Query(includes=(Include(relation=manager, query=Query()),)))
    compared = ListEntities(Query(specification=Related(manager, Where("id", Operator.EQUALS, 2))))
    with office.policy.override(Table(people={"*": NO_MANAGERS})):
        assert await people.list(included, ADA) == refused
        assert await people.list(compared, ADA) == refused
    unread = Grant(readable=frozenset({"text"}))
    with office.policy.override(Table(notes={"*": unread})):
        reverse = ListEntities(Query(includes=(Include(relation=notes, query=Query()),)))
        assert await people.list(reverse, ADA) == Failure(Forbidden("notes", "list", "person_id"))


async def test_no_operation_shows_a_field_that_get_does_not(office: Any) -> None:
    named = Grant(readable=frozenset({"name"}))
    people = cases(office, "people")
    with office.policy.override(Table(people={"get": named, "*": ALL})):
        changed = await people.update(UpdateEntity(1, Patch({"name": "Eve"})), ADA)
        listed = await people.list(ListEntities(Query()), ADA)
        counted = await people.count(CountEntities(Where("salary", Operator.EQUALS, 1000)), ADA)
    with office.policy.override(Table(people={"get": None, "*": ALL})):
        made = await office.kernel_of_system.acting_as(ADA.principal).people.create(owner="ada", name="Eve")

    assert dict(changed.unwrap()) == {"name": "Eve", "id": 1}
    assert [set(row) for row in listed.unwrap().items] == [{"name", "id"}] * 3
    assert counted == Failure(Forbidden("people", "count", "salary"))
    # Who may not read at all, but create, is answered with what they made.
    assert made.unwrap().salary == 1000
