"""What user code is handed is the caller's own view: for reads, for writes and for what is referred to."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import (
    AggregateEntities,
    ApplyBulk,
    Context,
    CountEntities,
    Create,
    CreateEntity,
    DeleteEntity,
    ExportEntities,
    FollowChanges,
    GetEntity,
    HistoryRequest,
    ImportEntities,
    ListEntities,
    PerformAction,
    PurgeEntity,
    ReadHistory,
    ReplaceEntity,
    RestoreEntity,
    UpdateEntity,
    UpsertEntity,
)
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    Aggregation,
    DomainEvent,
    Everything,
    Failure,
    Fields,
    Forbidden,
    Function,
    Key,
    Measure,
    NotFound,
    Operation,
    Operator,
    Outcome,
    Patch,
    Principal,
    Query,
    ReferenceBroken,
    Resource,
    Sort,
    Specification,
    Success,
    Tenant,
    Where,
)
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import Settings
from tests.e2e.stores import EVERY_STORE, empty_store
from tests.policies import RowPolicy


class Account(SQLModel, table=True):
    __tablename__ = "viewed_account"
    id: int = Column(primary_key=True)
    owner: str = Column(max_length=40)
    balance: Decimal = Column(max_digits=10, decimal_places=2)


class Payment(SQLModel, table=True):
    __tablename__ = "viewed_payment"
    id: int | None = Column(default=None, primary_key=True)
    account_id: int = Column(foreign_key="viewed_account.id")
    amount: Decimal = Column(max_digits=10, decimal_places=2)
    note: str = Column(default="internal", max_length=40)


@dataclass(frozen=True)
class MovePayment:
    """Move a payment to an account that the caller names."""

    to: int

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        emptied = await work.repository("accounts").update(self.to, Patch({"balance": Decimal(0)}))
        if isinstance(emptied, Failure):
            return emptied
        return await work.repository("payments").update(key, Patch({"account_id": self.to}))


@dataclass(frozen=True)
class SettlePayment:
    """Book a payment on an account that only the system sees."""

    action_name = "settle"
    to: int

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        accounts = work.as_system().repository("accounts")
        changed = await accounts.update(self.to, Patch({"balance": Decimal(7)}))
        return changed if isinstance(changed, Failure) else Success(None)


@dataclass(frozen=True)
class PeekPayment:
    """Answer everything that can be got hold of."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        payments = work.repository("payments")
        row = (await payments.read(key)).unwrap()
        entity = (await work.entities("payments").find_by_id(key)).unwrap()
        return Success(
            {
                "row": row,
                "entities": [entity],
                "accounts": await work.repository("accounts").count(Everything()),
            }
        )


class Bank(Container):
    accounts = resource(Account)
    payments = resource(
        Payment, fields=Fields(hidden=("note",)), actions=[MovePayment, SettlePayment, PeekPayment]
    )


class OwnAccounts(RowPolicy):
    """Everybody sees their own accounts, and every payment."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        if resource.name == "accounts":
            return Where("owner", Operator.EQUALS, principal.id)
        return Everything()


class Shelf(SQLModel, table=True):
    __tablename__ = "viewed_shelf"
    country: str = Column(primary_key=True, max_length=2)
    number: int = Column(primary_key=True)
    owner: str = Column(max_length=40)


class Box(SQLModel, table=True):
    __tablename__ = "viewed_box"
    __table_args__ = (
        ForeignKeyConstraint(
            ["shelf_country", "shelf_number"], ["viewed_shelf.country", "viewed_shelf.number"]
        ),
    )
    id: int | None = Column(default=None, primary_key=True)
    shelf_country: str = Column(max_length=2)
    shelf_number: int


class Depot(Container):
    shelves = resource(Shelf)
    boxes = resource(Box)


class OwnShelves(RowPolicy):
    """Everybody sees their own shelves, and every box."""

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        if resource.name == "shelves":
            return Where("owner", Operator.EQUALS, principal.id)
        return Everything()


ADA = Context(principal=Principal(id="ada"))


class RecordedSpans:
    """Implements `Tracer`: keeps the names of the spans."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def span(self, name: str, attributes: Any, *, is_client: bool = False) -> Iterator[Any]:
        self.names.append(name)
        yield None


class Opened:
    def __init__(self, bank: Any, kernel: Any) -> None:
        self.bank, self.kernel = bank, kernel
        self.payments, self.accounts = kernel.use_cases("payments"), kernel.use_cases("accounts")

    async def balances(self) -> dict[int, Decimal]:
        rows = (await self.bank.accounts.repository().select(Query())).unwrap().items
        return {row.id: row.balance for row in rows}

    async def perform(self, action: Any) -> Any:
        name = getattr(action, "action_name", type(action).__name__.removesuffix("Payment").lower())
        return await self.payments.actions[name](PerformAction(1, action), ADA)


@pytest.fixture(params=EVERY_STORE)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    with empty_store(request.param, tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        make: Any = Bank
        bank = make(settings=settings, policy=OwnAccounts())
        async with open_kernel(bank) as kernel:
            for number, owner in enumerate(("ada", "bob"), 1):
                values = {"id": number, "owner": owner, "balance": Decimal(5)}
                _ = (await bank.accounts.repository().add(values)).unwrap()
            payment = {"account_id": 1, "amount": Decimal(1)}
            _ = (await bank.payments.repository().add(payment)).unwrap()
            yield Opened(bank, kernel)


async def test_an_action_does_not_reach_what_its_caller_may_not_see(opened: Opened) -> None:
    hidden = await opened.accounts.get(GetEntity(2), ADA)

    outcome = await opened.perform(MovePayment(2))

    assert hidden == outcome == Failure(NotFound("accounts", 2))
    assert await opened.balances() == {1: 5, 2: 5}


async def test_an_action_reaches_what_is_its_callers(opened: Opened) -> None:
    assert (await opened.perform(MovePayment(1))).unwrap().account_id == 1
    assert await opened.balances() == {1: 0, 2: 5}


async def test_changes_as_system_are_recorded_by_system(opened: Opened) -> None:
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    opened.bank.event_bus().subscribe(DomainEvent, tell)

    assert await opened.perform(SettlePayment(2)) == Success(None)
    assert await opened.balances() == {1: 5, 2: 7}
    assert [(event.name, event.key, event.actor, event.by_system) for event in told] == [
        ("accounts.updated", 2, "ada", True)
    ]


async def test_a_reference_to_what_the_caller_may_not_see_is_one_to_nothing(opened: Opened) -> None:
    refused = Failure(ReferenceBroken("payments", ("account_id",)))

    for account in (2, 404):
        values = {"account_id": account, "amount": Decimal(1)}
        assert await opened.payments.create(CreateEntity(values), ADA) == refused
        assert await opened.payments.update(UpdateEntity(1, Patch({"account_id": account})), ADA) == refused
        answer = (await opened.payments.bulk(ApplyBulk([Create(values)]), ADA)).unwrap()
        assert list(answer.outcomes) == [refused]
    assert (await opened.payments.count(CountEntities(), ADA)).unwrap() == 1


async def test_a_reference_to_what_the_caller_sees_is_kept(opened: Opened) -> None:
    values = {"account_id": 1, "amount": Decimal(1)}

    created = await opened.payments.create(CreateEntity(values), ADA)
    changed = await opened.payments.update(UpdateEntity(1, Patch({"account_id": 1})), ADA)
    many = (await opened.payments.bulk(ApplyBulk([Create(values), Create(values)]), ADA)).unwrap()

    assert [isinstance(each, Failure) for each in (created, changed, *many.outcomes)] == [False] * 4
    assert (await opened.payments.count(CountEntities(), ADA)).unwrap() == 4


async def test_what_many_refer_to_is_looked_up_once(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"databases": {"default": {"url": f"sqlite+aiosqlite:///{tmp_path}/bank.db"}}}
    )
    spans = RecordedSpans()
    bank: Any = Bank(settings=settings, policy=OwnAccounts(), tracer=spans)
    async with open_kernel(bank) as kernel:
        _ = (await bank.accounts.repository().add({"id": 1, "owner": "ada", "balance": Decimal(5)})).unwrap()
        payments = kernel.acting_as(ADA.principal).payments
        spans.names.clear()

        many = await payments.bulk([Create({"account_id": 1, "amount": Decimal(1)}) for _ in range(20)])

    assert [isinstance(each, Success) for each in many.unwrap().outcomes] == [True] * 20
    assert spans.names.count("SELECT viewed_account") == 1


@pytest.mark.parametrize("patch", [{"shelf_number": 2}, {"shelf_country": "at"}], ids=str)
@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_half_of_a_reference_leads_nowhere_the_caller_may_not_see(
    store: str, patch: dict[str, Any], tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        depot = Depot(settings=settings, policy=OwnShelves())
        async with open_kernel(depot) as kernel:
            for country, number, owner in (
                ("de", 1, "ada"),
                ("de", 2, "bob"),
                ("at", 1, "bob"),
                ("at", 2, "ada"),
            ):
                shelf = {"country": country, "number": number, "owner": owner}
                _ = (await depot.shelves.repository().add(shelf)).unwrap()
            boxes = kernel.acting_as(ADA.principal).boxes
            box = (await boxes.create({"shelf_country": "de", "shelf_number": 1})).unwrap()

            refused = await boxes.update(box.id, patch)
            moved = await boxes.update(box.id, {"shelf_country": "at", "shelf_number": 2})

    assert refused == Failure(ReferenceBroken("boxes", ("shelf_country", "shelf_number")))
    assert (moved.unwrap().shelf_country, moved.unwrap().shelf_number) == ("at", 2)


async def test_an_action_answers_no_hidden_fields_however_deep_they_lie(opened: Opened) -> None:
    answer = (await opened.perform(PeekPayment())).unwrap()

    shown = {"id": 1, "account_id": 1, "amount": Decimal(1)}
    assert answer == {"row": shown, "entities": [shown], "accounts": Success(1)}


async def test_user_code_in_a_unit_of_work_sees_only_what_its_caller_may_see(opened: Opened) -> None:
    async with opened.bank.unit_of_work(ADA) as work:
        mine = await work.repository("accounts").select(Query())
        everything = await work.as_system().repository("accounts").count(Everything())
    async with opened.bank.unit_of_work() as work:
        nobodys = await work.repository("accounts").count(Everything())

    assert [row.id for row in mine.unwrap().items] == [1]
    assert (everything, nobodys) == (Success(2), Success(0))


async def test_what_was_moved_out_of_sight_keeps_everything_from_being_committed(opened: Opened) -> None:
    async with opened.bank.unit_of_work(ADA) as work:
        moved = await work.repository("accounts").update(1, Patch({"owner": "bob"}))
        committed = await work.commit()

    assert moved == committed == Failure(Forbidden("accounts", "update"))
    assert [row.id for row in (await opened.accounts.list(ListEntities(Query()), ADA)).unwrap().items] == [1]


class Nobody:
    """Implements `Policy`: nobody may do anything. Keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        self.asked.append((resource.name, action))
        return None


async def no_lines() -> AsyncIterator[Any]:
    yield 1, Success({"account_id": 1, "amount": Decimal(1)})


COMMANDS: dict[str, Any] = {
    Operation.CREATE: CreateEntity({"account_id": 1, "amount": Decimal(1)}),
    Operation.GET: GetEntity(1),
    Operation.LIST: ListEntities(Query()),
    Operation.COUNT: CountEntities(),
    Operation.REPLACE: ReplaceEntity(1, {"account_id": 1, "amount": Decimal(1)}),
    Operation.UPDATE: UpdateEntity(1, Patch({"amount": Decimal(2)})),
    Operation.DELETE: DeleteEntity(1),
    Operation.RESTORE: RestoreEntity(1),
    Operation.PURGE: PurgeEntity(1),
    Operation.UPSERT: UpsertEntity({"account_id": 1, "amount": Decimal(1)}),
    Operation.BULK: ApplyBulk([Create({"account_id": 1, "amount": Decimal(1)})]),
    Operation.AGGREGATE: AggregateEntities(Aggregation(measures=(Measure(Function.COUNT),))),
    Operation.EXPORT: ExportEntities(Query()),
    Operation.CHANGES: FollowChanges(Query()),
    Operation.HISTORY: ReadHistory(1, HistoryRequest(1)),
    Operation.IMPORT: ImportEntities(no_lines()),
}


@pytest.mark.parametrize("action", [*Operation, "move"])
async def test_every_use_case_asks_what_its_caller_may_do(opened: Opened, action: str) -> None:
    policy = Nobody()
    use_cases = opened.payments
    calls = {**{name: getattr(use_cases, f"{name}_" if name == "import" else name) for name in Operation}}
    calls["move"] = use_cases.actions["move"]
    command = COMMANDS.get(action) or PerformAction(1, MovePayment(1))

    with opened.bank.policy.override(policy):
        outcome = await calls[action](command, ADA)

    assert outcome == Failure(Forbidden("payments", action))
    assert policy.asked[0] == ("payments", action)
    assert await opened.balances() == {1: 5, 2: 5}
    assert (await opened.payments.count(CountEntities(), ADA)).unwrap() == 1


class Limited:
    """Implements `Policy`: callers read and write some fields only, and everything they make is stamped."""

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return Grant(
            readable=frozenset({"account_id"}),
            writable=frozenset({"amount", "account_id"}) if action == "create" else frozenset({"account_id"}),
            stamps={"note": "by policy"},
        )


async def test_fields_are_read_and_written_as_far_as_the_caller_may(opened: Opened) -> None:
    with opened.bank.policy.override(Limited()):
        created = (
            await opened.payments.create(CreateEntity({"account_id": 1, "amount": Decimal(3)}), ADA)
        ).unwrap()
        read = (await opened.payments.get(GetEntity(created.id), ADA)).unwrap()
        listed = (await opened.payments.list(ListEntities(Query()), ADA)).unwrap().items
        by_amount = ListEntities(Query(order=(Sort("amount"),)))
        where = CountEntities(Where("amount", Operator.EQUALS, Decimal(3)))
        total = AggregateEntities(Aggregation(measures=(Measure(Function.SUM, "amount"),)))
        refused = Failure(Forbidden("payments", "update", "amount"))

        assert dict(created) == dict(read) == {"id": created.id, "account_id": 1}
        assert [set(row) for row in listed] == [{"id", "account_id"}] * 2
        assert await opened.payments.list(by_amount, ADA) == Failure(Forbidden("payments", "list", "amount"))
        assert await opened.payments.count(where, ADA) == Failure(Forbidden("payments", "count", "amount"))
        assert await opened.payments.aggregate(total, ADA) == Failure(
            Forbidden("payments", "aggregate", "amount")
        )
        assert await opened.payments.update(UpdateEntity(1, Patch({"amount": Decimal(9)})), ADA) == refused
    stored = (await opened.bank.payments.repository().read(created.id)).unwrap()
    assert (stored.amount, stored.note) == (Decimal(3), "by policy")
    # The version of what was cut is that of the whole.
    assert opened.payments.resource.version_of(read) == opened.payments.resource.version_of(stored)
