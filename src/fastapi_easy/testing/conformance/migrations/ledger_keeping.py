"""Cases about the ledger."""

import dataclasses

import pytest
from returns.result import Success

from fastapi_easy.domain.migrations.run import History, RunState, StepState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.conformance.migrations.schema_suite import (
    SchemaStores,
    SchemaSuite,
    apply,
    error_of,
    run_of,
)
from fastapi_easy.testing.conformance.store import value_of


class LedgerCases(SchemaSuite):
    """Cases about the ledger."""

    async def test_a_history_that_does_not_exist_is_empty_and_is_not_created_by_reading(
        self, stores: SchemaStores
    ) -> None:
        before = value_of(await stores.local.describe())

        assert value_of(await stores.local.history()) == History()
        async with stores.local.session("ada", 0) as session:
            assert value_of(await value_of(session).verify()) is None
        assert value_of(await stores.local.history()) == History()
        assert value_of(await stores.local.describe()) == before

    async def test_the_ledger_is_no_part_of_the_schema(self, stores: SchemaStores) -> None:
        before = value_of(await stores.local.describe())

        async with stores.local.session("ada", 0) as session:
            _ = await apply(value_of(session), stores.plan_of())

        assert value_of(await stores.local.describe()) == before

    async def test_a_run_is_recorded_with_every_step_before_anything_is_executed(
        self, stores: SchemaStores
    ) -> None:
        plan = stores.plan_that_creates("first", "second")
        run = run_of(plan)

        async with stores.local.session("ada", 0) as session:
            begun = value_of(await value_of(session).begin(plan, run))

        history = value_of(await stores.remote.history())
        assert (history.exists, history.epoch, history.head, history.runs) == (True, 1, "", (begun,))
        assert dataclasses.replace(begun, epoch=0, steps=()) == run
        assert [(each.statements, each.reverse, each.state, each.attempts) for each in begun.steps] == [
            (each.statements, each.reverse, StepState.PENDING, 0) for each in plan.steps
        ]
        assert await stores.factory.names() == frozenset()

    async def test_an_applied_run_is_the_head_with_what_it_has_led_to(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first", "second")

        async with stores.local.session("ada", 0) as session:
            finished = await apply(value_of(session), plan)

        history = value_of(await stores.remote.history())
        stored = value_of(await stores.remote.describe())
        assert await stores.factory.names() == {"first", "second"}
        assert (history.head, history.declared, history.fingerprint) == (plan.id, "d0", stored.fingerprint)
        assert history.runs == (finished,)
        assert (finished.state, finished.schema_after) == (RunState.APPLIED, stored.fingerprint)
        assert finished.finished_at is not None
        for each in finished.steps:
            assert (each.state, each.attempts, each.error) == (StepState.DONE, 1, "")
            assert each.started_at is not None
            assert each.finished_at is not None
            assert each.started_at <= each.finished_at

    async def test_runs_are_listed_newest_first(self, stores: SchemaStores) -> None:
        plans = [stores.plan_that_creates("first")]
        for name in ("second", "third"):
            plans.append(stores.plan_that_creates(name, parent=plans[-1].id))

        async with stores.local.session("ada", 0) as session:
            for plan in plans[:2]:
                _ = await apply(value_of(session), plan)
        async with stores.remote.session("bob", 0) as session:
            _ = await apply(value_of(session), plans[2])

        history = value_of(await stores.local.history())
        assert [each.plan_id for each in history.runs] == [each.id for each in reversed(plans)]
        assert [each.epoch for each in history.runs] == [2, 1, 1]
        assert (history.epoch, history.head) == (2, plans[2].id)

    async def test_a_plan_does_not_begin_after_another_one_has_followed_its_parent(
        self, stores: SchemaStores
    ) -> None:
        first = stores.plan_that_creates("first")
        second = stores.plan_that_creates("second", parent=first.id)
        other = stores.plan_that_creates("other", parent=first.id)
        foreign = stores.plan_that_creates("foreign", parent="unheard of")

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            _ = await apply(session, first)
            _ = await apply(session, second)
            refused = [
                error_of(await session.begin(each, run_of(each)))
                for each in (stores.plan_that_creates("again"), other, foreign)
            ]

        stops = [each.stop for each in refused if isinstance(each, MigrationStopped)]
        assert stops == [MigrationStop.AHEAD, MigrationStop.AHEAD, MigrationStop.DRIFT]
        assert await stores.factory.names() == {"first", "second"}
        assert len(value_of(await stores.local.history()).runs) == 2

    @pytest.mark.parametrize("state", [RunState.FAILED, RunState.BLOCKED, RunState.ABANDONED])
    async def test_a_run_that_did_not_succeed_is_not_the_head(
        self, stores: SchemaStores, state: RunState
    ) -> None:
        plan = stores.plan_that_creates("first", "second")

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            _ = value_of(await session.execute(run, 0, plan.steps[0]))
            finished = value_of(await session.finish(run, state, error="it did not work"))

        history = value_of(await stores.local.history())
        stored = value_of(await stores.local.describe())
        assert (history.head, history.declared, history.fingerprint) == ("", "", stored.fingerprint)
        assert (finished.state, finished.error) == (state, "it did not work")
        assert (history.unfinished == finished) is (state is not RunState.ABANDONED)

    async def test_after_a_run_was_rolled_back_its_parent_is_the_head_and_another_plan_may_follow(
        self, stores: SchemaStores
    ) -> None:
        first = stores.plan_that_creates("first")
        second = stores.plan_that_creates("second", parent=first.id)
        third = stores.plan_that_creates("third", parent=first.id)

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            _ = await apply(session, first)
            run = value_of(await session.adopt(await apply(session, second)))
            _ = value_of(await session.execute(run, 0, second.steps[0], reverse=True))
            undone = value_of(await session.finish(run, RunState.ROLLED_BACK))
            history = value_of(await stores.local.history())
            _ = await apply(session, third)

        assert (undone.state, undone.steps[0].state) == (RunState.ROLLED_BACK, StepState.REVERSED)
        assert (history.head, history.declared) == (first.id, "d0")
        assert await stores.factory.names() == {"first", "third"}
        assert value_of(await stores.local.history()).head == third.id

    async def test_the_state_of_a_step_is_marked_without_executing_it(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first", "second")

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            assert await session.mark(run, 0, StepState.DONE) == Success(None)
            assert await session.mark(run, 1, StepState.FAILED, error="seen by hand") == Success(None)
            assert await session.execute(run, 0, plan.steps[0]) == Success(0)

        steps = value_of(await stores.remote.history()).runs[0].steps
        assert [(each.state, each.error) for each in steps] == [
            (StepState.DONE, ""),
            (StepState.FAILED, "seen by hand"),
        ]
        assert await stores.factory.names() == frozenset()

    async def test_another_step_than_the_recorded_one_is_not_executed(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first")
        other = stores.factory.step("other", stores.some_mode)

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            refused = error_of(await session.execute(run, 0, other))

        assert isinstance(refused, MigrationStopped)
        assert refused.stop is MigrationStop.CHANGED
        assert await stores.factory.names() == frozenset()

    async def test_a_backup_is_made_or_there_is_no_need_of_one(self, stores: SchemaStores) -> None:
        assert isinstance(value_of(await stores.local.backup()), str)

    @pytest.mark.parametrize("mode", list(StepMode))
    async def test_steps_are_recorded_as_they_were_planned(
        self, stores: SchemaStores, mode: StepMode
    ) -> None:
        plan = stores.plan_of(dataclasses.replace(stores.factory.step("first", stores.some_mode), mode=mode))

        async with stores.local.session("ada", 0) as session:
            run = value_of(await value_of(session).begin(plan, run_of(plan)))

        (record,) = run.steps
        step = plan.steps[0]
        assert (record.index, record.kind, record.object, record.summary) == (
            0,
            step.kind,
            step.object,
            step.summary,
        )
        assert (record.mode, record.reverse_mode, record.reversibility, record.risk) == (
            mode,
            step.reverse_mode,
            step.reversibility,
            step.risk.value,
        )
