"""Programs that migrate one database in memory, and what they were told."""

import asyncio

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.migrations import Crashed, InMemoryAssessor, InMemorySchemaStore

BOOKS = {"books": "table", "books.title": "text", "books.isbn": "text"}


class Program:
    """One program that migrates, with its store, its hooks, and what it was told."""

    def __init__(self, declared, schema=None, *, modes=None, risks=None, scripts=None, revise=None, **others):
        mode_of = (
            (lambda name: modes.get(name, StepMode.TRANSACTION)) if modes else lambda _: StepMode.TRANSACTION
        )
        self.store = InMemorySchemaStore(
            declared, schema, mode_of=mode_of, revise=revise or (lambda steps: steps)
        )
        self.schema = self.store.schema
        self.events, self.slept, self.reports = [], [], []
        self.hooks = MigrationHooks(timeout=5)
        self.clock = FrozenClock()
        self.migrations = Migrations(
            MigrationCollaborators(
                store=self.store,
                assessor=InMemoryAssessor(risks),
                clock=self.clock,
                hooks=self.hooks,
                scripts=scripts,
                sleep=self._sleep,
                jitter=lambda: 1.0,
                report=self.reports.append,
                **{"publish": self._publish, "owner": "host:1", "app_version": "1.0", **others},
            )
        )

    async def _publish(self, event):
        self.events.append(event)

    async def _sleep(self, seconds):
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    @property
    def event_names(self):
        return [each.name.removeprefix("migration.") for each in self.events]


def allowing(*texts):
    return Approvals.read(texts)


def stopped(outcome):
    """Why *outcome* has failed: the stop and its details."""
    assert isinstance(outcome, Failure), outcome
    return outcome.failure().stop, outcome.failure().details


def states(run):
    return [str(each.state) for each in run.steps]


async def until_done(make_program, act, *, crash_at):
    """Let *act* be killed at boundary *crash_at* and begun again by another program; return the last outcome."""
    first = make_program()
    schema = first.schema
    schema.crash_at = schema.boundaries + crash_at
    try:
        outcome = await act(first)
    except Crashed:
        schema.crash_at = None
        outcome = await act(make_program(schema))
    schema.crash_at = None
    return outcome, schema


def run_of(outcome):
    assert isinstance(outcome, Success), outcome
    return outcome.unwrap()
