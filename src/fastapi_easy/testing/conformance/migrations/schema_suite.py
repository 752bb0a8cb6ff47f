"""The fixtures and tools of the suite of schema stores."""

import datetime
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from returns.result import Failure

from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.domain.ports.schema_store import MigrationSession, SchemaStore
from fastapi_easy.testing.conformance.store import value_of

STARTED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStoreFactory:
    """A factory of schema stores that share one place, which is empty when a test begins.

    Attributes:
        open: Opens one more store on the same place, like that of another process. The suite closes it.

        step: Returns a step that creates something with that name, in that mode, and whose reverse removes it again.

        broken_step: Returns a step whose first statement creates something with that name, and whose second one fails.

        names: Returns the names of what is there.

        modes: The modes in which steps are executed here, of `TRANSACTION`, `AUTOCOMMIT` and `REBUILD`.

        column: The name of its column in the report of results.
    """

    open: Callable[[], SchemaStore]
    step: Callable[[str, StepMode], Step]
    broken_step: Callable[[str, StepMode], Step]
    names: Callable[[], Awaitable[frozenset[str]]]
    modes: frozenset[StepMode]
    column: str = ""


@dataclass(slots=True)
class SchemaStores:
    """Two stores on the same place, like those of two processes.

    Attributes:
        factory: Makes them.

        opened: Those that are open.
    """

    factory: SchemaStoreFactory
    opened: list[SchemaStore] = field(default_factory=list)

    @property
    def local(self) -> SchemaStore:
        """The store of this process."""
        return self._store_at(0)

    @property
    def remote(self) -> SchemaStore:
        """The store of another process."""
        return self._store_at(1)

    @property
    def some_mode(self) -> StepMode:
        """A mode that it has, the strictest that there is."""
        order = (StepMode.TRANSACTION, StepMode.AUTOCOMMIT, StepMode.REBUILD)
        return next(each for each in order if each in self.factory.modes)

    def require(self, mode: StepMode) -> None:
        """Skip the test when steps are not executed in *mode* here."""
        if mode not in self.factory.modes:
            pytest.skip(f"the store declares that it executes no steps with {mode}")

    def plan_of(self, *steps: Step, parent: str = "", declared: str = "d0") -> MigrationPlan:
        """Return a plan of *steps* after *parent*."""
        return MigrationPlan(
            database=self.local.name,
            dialect=self.local.dialect,
            parent=parent,
            schema_before="s0",
            declared=declared,
            steps=steps,
        )

    def plan_that_creates(self, *names: str, parent: str = "", mode: StepMode | None = None) -> MigrationPlan:
        """Return a plan with a step for each of *names*."""
        steps = [self.factory.step(name, mode or self.some_mode) for name in names]
        return self.plan_of(*steps, parent=parent)

    def _store_at(self, index: int) -> SchemaStore:
        while len(self.opened) <= index:
            self.opened.append(self.factory.open())
        return self.opened[index]


class SchemaSuite:
    """The base of the suites of schema stores. Subclass, and override `schemas`."""

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def schemas(self) -> SchemaStoreFactory:
        """Return the factory of the stores under test, on an empty place. Override."""
        raise NotImplementedError("a subclass overrides the fixture `schemas`")

    @pytest_asyncio.fixture
    async def stores(self, schemas: SchemaStoreFactory) -> AsyncIterator[SchemaStores]:
        """Yield the stores, and close them at the end."""
        stores = SchemaStores(schemas)
        yield stores
        for each in stores.opened:
            await each.close()


def run_of(plan: MigrationPlan, owner: str = "ada") -> Run:
    """Return a run of *plan* that has not begun yet."""
    return Run(
        id=str(uuid.uuid4()),
        plan_id=plan.id,
        plan_checksum=plan.checksum,
        parent=plan.parent,
        source=plan.source,
        revisions=plan.revisions,
        state=RunState.RUNNING,
        epoch=0,
        owner=owner,
        app_version="1.2.3",
        approvals=("caution", "DS103:users.legacy"),
        schema_before=plan.schema_before,
        schema_after="",
        started_at=STARTED,
        finished_at=None,
        plan='{"plan": "%s, ä, :name, \\u0000"}',
        steps=(),
    )


async def apply(session: MigrationSession, plan: MigrationPlan, run: Run | None = None) -> Run:
    """Execute every step of *plan*, which must succeed, and return the finished run."""
    run = value_of(await session.begin(plan, run or run_of(plan)))
    for index, step in enumerate(plan.steps):
        _ = value_of(await session.execute(run, index, step))
    return value_of(await session.finish(run, RunState.APPLIED, declared=plan.declared))


def error_of(outcome: Outcome[object]) -> Error:
    """Return the error of *outcome*, which must be a failure."""
    assert isinstance(outcome, Failure), f"it should have failed: {outcome!r}"
    return outcome.failure()
