"""Cases about the execution of steps."""

import dataclasses

import pytest
from returns.result import Success

from fastapi_easy.domain.errors import LockLost
from fastapi_easy.domain.migrations.run import RunState, StepState
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

_MODES = pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT, StepMode.REBUILD])


class StepExecutionCases(SchemaSuite):
    """Cases about the execution of steps."""

    @_MODES
    async def test_a_step_that_is_done_is_not_executed_again(
        self, stores: SchemaStores, mode: StepMode
    ) -> None:
        stores.require(mode)
        plan = stores.plan_that_creates("first", mode=mode)

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            _ = value_of(await session.execute(run, 0, plan.steps[0]))
            again = await session.execute(run, 0, plan.steps[0])

        assert again == Success(0)
        assert value_of(await stores.local.history()).runs[0].steps[0].attempts == 1

    @_MODES
    async def test_a_step_is_undone_once_and_can_then_be_executed_again(
        self, stores: SchemaStores, mode: StepMode
    ) -> None:
        stores.require(mode)
        step = dataclasses.replace(stores.factory.step("first", mode), reverse_mode=mode)
        plan = stores.plan_of(step)

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            _ = value_of(await session.execute(run, 0, step))
            _ = value_of(await session.execute(run, 0, step, reverse=True))
            assert await stores.factory.names() == frozenset()
            assert await session.execute(run, 0, step, reverse=True) == Success(0)
            undone = value_of(await stores.local.history()).runs[0].steps[0].state
            _ = value_of(await session.execute(run, 0, step))

        assert undone is StepState.REVERSED
        assert await stores.factory.names() == {"first"}
        assert value_of(await stores.local.history()).runs[0].steps[0].state is StepState.DONE

    @pytest.mark.parametrize("state", [StepState.PENDING, StepState.FAILED, StepState.RUNNING])
    async def test_a_step_that_is_not_done_is_not_undone(
        self, stores: SchemaStores, state: StepState
    ) -> None:
        plan = stores.plan_that_creates("first")
        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            before = await apply(session, stores.plan_that_creates("first"))
            other = stores.plan_of(*plan.steps, parent=before.plan_id)
            run = value_of(await session.begin(other, run_of(other)))
            _ = await session.mark(run, 0, state)

            refused = error_of(await session.execute(run, 0, other.steps[0], reverse=True))

        assert isinstance(refused, MigrationStopped)
        assert refused.stop is MigrationStop.IRREVERSIBLE
        assert await stores.factory.names() == {"first"}

    async def test_a_step_without_a_reverse_stays_done(self, stores: SchemaStores) -> None:
        step = dataclasses.replace(stores.factory.step("first", stores.some_mode), reverse=())
        plan = stores.plan_of(step)

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            _ = value_of(await session.execute(run, 0, step))
            refused = error_of(await session.execute(run, 0, step, reverse=True))

        assert isinstance(refused, MigrationStopped)
        assert refused.stop is MigrationStop.IRREVERSIBLE
        assert value_of(await stores.local.history()).runs[0].steps[0].state is StepState.DONE

    @pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.REBUILD])
    async def test_a_step_that_fails_in_its_transaction_leaves_nothing_but_its_record(
        self, stores: SchemaStores, mode: StepMode
    ) -> None:
        stores.require(mode)
        plan = stores.plan_of(stores.factory.broken_step("first", mode))

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            failed = error_of(await session.execute(run, 0, plan.steps[0]))

        (record,) = value_of(await stores.local.history()).runs[0].steps
        assert isinstance(failed, MigrationStopped)
        assert (failed.stop, failed.run_id) == (MigrationStop.FAILED, run.id)
        assert (record.state, record.error) == (StepState.FAILED, failed.message)
        assert await stores.factory.names() == frozenset()

    async def test_what_a_step_without_transaction_has_done_when_it_fails_is_recorded(
        self, stores: SchemaStores
    ) -> None:
        stores.require(StepMode.AUTOCOMMIT)
        plan = stores.plan_of(stores.factory.broken_step("first", StepMode.AUTOCOMMIT))

        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            run = value_of(await session.begin(plan, run_of(plan)))
            failures = [error_of(await session.execute(run, 0, plan.steps[0])) for _ in range(2)]

        (record,) = value_of(await stores.local.history()).runs[0].steps
        assert [each.stop for each in failures if isinstance(each, MigrationStopped)] == [
            MigrationStop.FAILED
        ] * 2
        # The second attempt goes on behind the statement that took effect, which would have failed otherwise.
        assert failures[0] == failures[1]
        assert (record.state, record.attempts, record.progress) == (StepState.FAILED, 2, "1")
        assert await stores.factory.names() == {"first"}

    async def test_another_session_goes_on_with_a_run_where_it_was(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first", "second")
        async with stores.local.session("ada", 0) as session:
            run = value_of(await value_of(session).begin(plan, run_of(plan)))
            _ = value_of(await value_of(session).execute(run, 0, plan.steps[0]))

        async with stores.remote.session("bob", 0) as found:
            session_of_bob = value_of(found)
            taken = dataclasses.replace(run, owner="bob", approvals=("dangerous",))
            adopted = value_of(await session_of_bob.adopt(taken))
            for index, step in enumerate(plan.steps):
                _ = value_of(await session_of_bob.execute(adopted, index, step))
            finished = value_of(await session_of_bob.finish(adopted, RunState.APPLIED, declared="d0"))

        assert (adopted.epoch, adopted.state) == (2, RunState.RUNNING)
        assert (adopted.owner, adopted.approvals) == ("bob", ("dangerous",))
        assert [each.state for each in adopted.steps] == [StepState.DONE, StepState.PENDING]
        assert [each.attempts for each in finished.steps] == [1, 1]
        assert await stores.factory.names() == {"first", "second"}

    async def test_a_run_that_nobody_has_begun_is_not_adopted(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first")
        async with stores.local.session("ada", 0) as found:
            session = value_of(found)
            _ = await apply(session, plan)

            refused = error_of(await session.adopt(run_of(plan)))

        assert isinstance(refused, MigrationStopped)
        assert refused.stop is MigrationStop.CHANGED

    @_MODES
    async def test_an_older_session_changes_nothing_once_a_newer_one_has_begun(
        self, stores: SchemaStores, mode: StepMode
    ) -> None:
        stores.require(mode)
        plan = stores.plan_that_creates("first", mode=mode)
        async with stores.local.session("ada", 0) as found:
            zombie = value_of(found)
            run = value_of(await zombie.begin(plan, run_of(plan)))
        async with stores.remote.session("bob", 0) as found:
            adopted = value_of(await value_of(found).adopt(run))

            refused = [
                error_of(await zombie.execute(run, 0, plan.steps[0])),
                error_of(await zombie.mark(run, 0, StepState.DONE)),
                error_of(await zombie.finish(run, RunState.APPLIED)),
                error_of(await zombie.begin(plan, run_of(plan))),
                error_of(await zombie.adopt(run)),
            ]

        assert [type(each) for each in refused] == [LockLost] * 5
        history = value_of(await stores.remote.history())
        assert (history.runs, history.epoch, history.head) == ((adopted,), 2, "")
        assert await stores.factory.names() == frozenset()

    async def test_a_session_that_has_ended_begins_nothing(self, stores: SchemaStores) -> None:
        plan = stores.plan_that_creates("first")
        async with stores.local.session("ada", 0) as found:
            zombie = value_of(found)

        assert isinstance(error_of(await zombie.verify()), LockLost)
        assert isinstance(error_of(await zombie.begin(plan, run_of(plan))), LockLost)
        assert not value_of(await stores.local.history()).exists
